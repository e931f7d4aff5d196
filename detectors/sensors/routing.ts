import type { Catalog } from '../../backbone/catalog.ts';
import type { DeviceDirectory } from '../../backbone/directory.ts';
import type { DeviceEvent, Observation, ObservationBatch, ObservationRecord } from '../../contracts/index.ts';
import { Attacher } from './attaching.ts';
import { Attention } from './attention.ts';
import type { Attached, DeviceEntry, StreamEntry } from './entries.ts';
import { Following } from './following.ts';
import { placeOf, streamOf } from './placing.ts';
import type { Plan } from './plan.ts';
import { Tally } from './tally.ts';
import { type Call, type Emit, type OnFault, Telling } from './telling.ts';
import { Waking } from './waking.ts';

/**
 * The routing core: records in, findings out; no clock, no stream, no waiting.
 *
 *   record ─▶ device entry ─▶ datastream entry ─▶ each attached watch ─words─▶ telling ─finding─▶ emit
 *               following        placing                   │
 *   tick ─────▶ those that are due ──────────────▶         └─ wants a tick at … ─▶ waking
 *
 * Promises: the same records give the same findings in the same order, also across `save` and `restore` at any record;
 * a watch sees strictly increasing times; a watch that throws is stopped and named, all others go on. Does not promise
 * anything for data that come late: see `placeOf`.
 */
export interface RouterOptions {
  plans: readonly Plan[];
  directory: DeviceDirectory;
  catalog: Catalog;
  utcOffsetMs: number;
  updateEveryMs: number;
  /** A stretch without ticks of this length, at least, is one in which nobody was listened to. */
  tickGapMs: number;
  tally?: Tally;
  onFault?: OnFault;
}

export class SensorRouter {
  readonly tally: Tally;
  readonly attention: Attention;
  readonly following: Following;
  readonly telling: Telling;
  readonly #waking: Waking;

  constructor(options: RouterOptions) {
    const { plans, directory, catalog, utcOffsetMs, updateEveryMs, tickGapMs, onFault } = options;
    const tally = options.tally ?? new Tally();
    const waking = new Waking(plans);
    const telling = new Telling({ tally, updateEveryMs, onFault });
    const note = tally.note.bind(tally);
    const fault = telling.fault.bind(telling);
    const attacher = new Attacher({ plans, utcOffsetMs, note, fault }, catalog);
    this.tally = tally;
    this.attention = new Attention(tickGapMs);
    this.telling = telling;
    this.#waking = waking;
    this.following = new Following({ directory, attacher, waking, telling });
  }

  handle(record: ObservationRecord, emit: Emit): void {
    this.telling.emit = emit;
    if (record.type === 'observations') this.#batch(record);
    else if (record.type === 'tick') this.#tick(record.time);
    else this.#event(record);
  }

  /** Follows a device from now on although it has not spoken yet, for what watches devices. */
  expect(id: string): void {
    this.following.expect(id);
  }

  /** The registry changed a device: it is looked up again before its next record. */
  unsettle(id: string): void {
    this.following.unsettle(id);
  }

  /** Attaches everything again under a changed catalog; state stays where parameters are equal. */
  useCatalog(catalog: Catalog, emit: Emit): void {
    this.telling.emit = emit;
    this.following.useCatalog(catalog);
  }

  /** Goes on at the product's time, and behind the last tick, that a checkpoint knows of. */
  resumeAt(now: number, lastTick: number | null): void {
    this.telling.now = now;
    this.#waking.resumeAt(lastTick);
  }

  #batch(batch: ObservationBatch): void {
    const entry = this.#entryFor(batch.device, batch.receivedAt);
    if (entry === null) {
      this.tally.undeclared += batch.observations.length;
      return;
    }
    entry.heardAt = Math.max(batch.receivedAt, entry.heardAt);
    this.telling.occasion(entry.id, entry.heardAt, entry.heardAt);
    for (const attached of entry.watches) this.#run(attached, hear, entry.heardAt);
    for (const observation of batch.observations) this.#observation(entry, observation);
  }

  #observation(entry: DeviceEntry, observation: Observation): void {
    const { datastream, time } = observation;
    const stream = streamOf(entry, datastream) ?? this.following.openStream(entry, datastream, NEVER);
    if (stream === null) this.tally.undeclared += 1;
    else {
      const place = placeOf(stream, time);
      if (place === 'repeat') this.tally.repeats += 1;
      else if (place === 'late') this.tally.outOfOrder += 1;
      else this.#handOn(entry, stream, observation);
    }
  }

  #handOn(entry: DeviceEntry, stream: StreamEntry, observation: Observation): void {
    stream.lastTime = observation.time;
    this.tally.observed += 1;
    this.telling.occasion(entry.id, observation.time, entry.heardAt);
    for (const attached of stream.watches) {
      this.telling.run(attached, observe, observation);
      this.#waking.schedule(attached);
    }
  }

  #event(event: DeviceEvent): void {
    const entry = this.#entryFor(event.device, event.time);
    if (entry === null) return;
    this.telling.occasion(entry.id, event.time, event.time);
    for (const attached of entry.watches) this.#run(attached, takeEvent, event);
  }

  #tick(time: number): void {
    const tick = { time, attendedSince: this.attention.tick(time) };
    if (!this.#waking.begin(time)) return;
    this.telling.reach(time);
    this.tally.ticks += 1;
    for (const attached of this.#waking.dueAt(time)) {
      if (this.#waking.isTurn(attached, time)) this.#tickOne(attached, tick);
    }
  }

  #tickOne(attached: Attached, tick: Tick): void {
    const { owner } = attached;
    if (this.following.settle(owner, tick.time) === null || attached.gone) return;
    this.following.beforeChange?.(owner);
    this.telling.occasion(owner.id, tick.time, tick.time);
    this.#run(attached, takeTick, tick);
  }

  #entryFor(id: string, time: number): DeviceEntry | null {
    this.telling.reach(time);
    return this.following.entryFor(id, time);
  }

  #run<T>(attached: Attached, call: Call<T>, input: T): void {
    this.telling.run(attached, call, input);
    this.#waking.schedule(attached);
  }
}

const NEVER = Number.NEGATIVE_INFINITY;

interface Tick {
  time: number;
  attendedSince: number;
}

const observe: Call<Observation> = ({ ofStream }, { time, value, quality }, say) =>
  ofStream?.observe(time, value, quality, say);

const hear: Call<number> = ({ ofDevice }, receivedAt, say) => ofDevice?.heard(receivedAt, say);

const takeEvent: Call<DeviceEvent> = ({ ofDevice }, event, say) => ofDevice?.event?.(event, say);

const takeTick: Call<Tick> = ({ ofStream, ofDevice }, { time, attendedSince }, say) => {
  ofStream?.tick?.(time, say);
  ofDevice?.tick(time, say, attendedSince);
};

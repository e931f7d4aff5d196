import type { Catalog } from '../../backbone/catalog.ts';
import type { DeviceDirectory } from '../../backbone/directory.ts';
import {
  type DeviceEvent,
  datastreamId,
  type Finding,
  type Observation,
  type ObservationBatch,
  type ObservationRecord,
} from '../../contracts/index.ts';
import { Attention } from './attention.ts';
import type { Said, Say } from './detector.ts';
import { type Attached, Attacher, type DeviceEntry, inherit, type StreamEntry, watchOf } from './entries.ts';
import { closeAll, type OpenFindings, type Speaker, type Trigger, tell } from './ledger.ts';
import type { Plan } from './plan.ts';
import { DueTimes } from './schedule.ts';
import { bump, Tally } from './tally.ts';

/**
 * The routing core: records in, findings out; no clock, no stream, no waiting.
 *
 *   record ─▶ device entry ─▶ datastream entry ─▶ each attached watch ─words─▶ ledger ─finding─▶ emit
 *                  ▲ settle: registry's new version      ▲ strictly increasing time
 *   tick ─▶ those that are due, in the order of device, datastream and plan
 *
 * Promises: the same records give the same findings in the same order, also across `save` and `restore` at any record;
 * a watch sees strictly increasing times; a watch that throws is stopped and named, all others go on. Does not promise
 * anything for data that come late: see {@link placeOf}.
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
  /** Called when a watch was stopped, once each. */
  onFault?: (detector: string, about: string, error: unknown) => void;
}

export type Emit = (finding: Finding) => void;

export class SensorRouter {
  readonly tally: Tally;
  readonly attention: Attention;
  /** By device id. */
  readonly entries = new Map<string, DeviceEntry>();
  /** Product's time of the latest record: what a restored core begins from. */
  now = 0;
  /** Number of the latest snapshot begun. */
  epoch = 0;
  /** Called before an entry changes, so that a running snapshot can take it first. */
  beforeChange: ((entry: DeviceEntry) => void) | null = null;

  readonly #options: RouterOptions;
  readonly #attacher: Attacher;
  readonly #due = new DueTimes<Attached>();
  /** Watches that want every tick. */
  readonly #eager = new Set<Attached>();
  readonly #say: Say = (said) => this.#heardSay(said);
  #speaking: Attached | null = null;
  #trigger: Trigger = { device: '', time: 0, receivedAt: 0 };
  #emit: Emit = () => {};
  #lastTickSecond = 0;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.tally = options.tally ?? new Tally();
    this.attention = new Attention(options.tickGapMs);
    this.#attacher = new Attacher(
      {
        plans: options.plans,
        utcOffsetMs: options.utcOffsetMs,
        note: (label, reason, text) => this.tally.note(label, reason, text),
        fault: (label, about, error) => this.#fault(label, about, error),
      },
      options.catalog,
    );
  }

  handle(record: ObservationRecord, emit: Emit): void {
    this.#emit = emit;
    if (record.type === 'observations') this.#batch(record);
    else if (record.type === 'tick') this.#tick(record.time);
    else this.#event(record);
  }

  /** Follows a device from now on although it has not spoken yet, for what watches devices. */
  expect(id: string): void {
    if (this.entries.has(id)) return;
    const device = this.#options.directory.get(id);
    if (device !== undefined) this.#enter(device);
  }

  /** The registry changed a device: it is looked up again before its next record. */
  unsettle(id: string): void {
    const entry = this.entries.get(id);
    if (entry !== undefined) entry.unsettled = true;
  }

  /** Attaches everything again under a changed catalog; state stays where parameters are equal. */
  useCatalog(catalog: Catalog, emit: Emit): void {
    this.#emit = emit;
    this.#attacher.useCatalog(catalog);
    for (const entry of this.entries.values()) this.#attachAgain(entry);
  }

  /** For `restore`: attaches a datastream that has spoken before, up to `lastTime`. Null: no longer declared. */
  reopen(entry: DeviceEntry, id: string, lastTime: number): StreamEntry | null {
    const watches = this.#attacher.toStream(entry, id);
    if (watches === null) return null;
    const stream = { id, lastTime, watches };
    entry.streams.push(stream);
    return stream;
  }

  /** For `restore`: puts a device's watches into the due times once their state is back. */
  scheduleAll(entry: DeviceEntry): void {
    for (const attached of entry.watches) this.#schedule(attached);
    for (const stream of entry.streams) for (const attached of stream.watches) this.#schedule(attached);
  }

  /** For `restore`: where the ticks were. */
  resumeAt(now: number, lastTick: number | null): void {
    this.now = now;
    this.#lastTickSecond = lastTick === null ? 0 : Math.floor(lastTick / 1000);
  }

  /** Ends what a watch without heir had open: nobody is left to say when it is over. */
  abandon(label: string, device: string, open: OpenFindings | null, emit: Emit): void {
    if (open === null) return;
    const trigger = { device, time: this.now, receivedAt: this.now };
    for (const finding of closeAll(open, trigger)) this.#tellOn(label, finding, emit);
  }

  #batch(batch: ObservationBatch): void {
    const entry = this.#entryFor(batch.device, batch.receivedAt);
    if (entry === null) {
      this.tally.undeclared += batch.observations.length;
      return;
    }
    const receivedAt = Math.max(batch.receivedAt, entry.heardAt);
    entry.heardAt = receivedAt;
    this.#trigger.device = entry.id;
    this.#trigger.time = receivedAt;
    this.#trigger.receivedAt = receivedAt;
    for (const attached of entry.watches) this.#hear(attached, receivedAt);
    for (const observation of batch.observations) this.#observe(entry, observation);
  }

  #hear(attached: Attached, receivedAt: number): void {
    if (attached.fault !== null) return;
    this.#speaking = attached;
    try {
      attached.ofDevice?.heard(receivedAt, this.#say);
    } catch (error) {
      this.#stop(attached, error);
    }
    this.#schedule(attached);
  }

  #observe(entry: DeviceEntry, observation: Observation): void {
    const stream =
      findStream(entry, observation.datastream) ?? this.#newStream(entry, observation.datastream);
    if (stream === null) {
      this.tally.undeclared += 1;
      return;
    }
    const { time, value, quality } = observation;
    const place = placeOf(stream, time);
    if (place !== 'next') {
      if (place === 'repeat') this.tally.repeats += 1;
      else this.tally.outOfOrder += 1;
      return;
    }
    stream.lastTime = time;
    this.tally.observed += 1;
    this.#trigger.time = time;
    for (const attached of stream.watches) {
      if (attached.fault !== null) continue;
      this.#speaking = attached;
      try {
        attached.ofStream?.observe(time, value, quality, this.#say);
      } catch (error) {
        this.#stop(attached, error);
      }
      if (attached.ticks === 'due') this.#schedule(attached);
    }
  }

  #event(event: DeviceEvent): void {
    const entry = this.#entryFor(event.device, event.time);
    if (entry === null) return;
    this.#trigger = { device: entry.id, time: event.time, receivedAt: event.time };
    for (const attached of entry.watches) {
      this.#run(attached, () => attached.ofDevice?.event?.(event, this.#say));
    }
  }

  #tick(time: number): void {
    const attendedSince = this.attention.tick(time);
    const second = Math.floor(time / 1000);
    if (second <= this.#lastTickSecond) return;
    this.#lastTickSecond = second;
    this.now = Math.max(this.now, time);
    this.tally.ticks += 1;
    for (const attached of this.#dueAt(time)) this.#tickOne(attached, time, attendedSince);
  }

  /** Ordered by device, datastream and plan, so that a restored core says the same things in the same order. */
  #dueAt(time: number): Attached[] {
    const due = [...this.#due.due(time), ...this.#eager].filter((attached) => !attached.gone);
    return due.sort(
      (a, b) =>
        compare(a.owner.id, b.owner.id) ||
        compare(a.stream ?? '', b.stream ?? '') ||
        this.#options.plans.indexOf(a.plan) - this.#options.plans.indexOf(b.plan),
    );
  }

  #tickOne(attached: Attached, time: number, attendedSince: number): void {
    if (attached.ticks === 'due') {
      // Put in twice, since it once became due earlier: the second time there is nothing left to do.
      if (attached.slot > this.#lastTickSecond) return;
      attached.slot = Number.POSITIVE_INFINITY;
      if (!isDue(attached, time)) {
        this.#schedule(attached);
        return;
      }
    }
    if (this.#settle(attached.owner, time) === null || attached.gone) return;
    this.beforeChange?.(attached.owner);
    this.#trigger = { device: attached.owner.id, time, receivedAt: time };
    this.#run(attached, () => {
      attached.ofStream?.tick?.(time, this.#say);
      attached.ofDevice?.tick(time, this.#say, attendedSince);
    });
  }

  #run(attached: Attached, work: () => void): void {
    if (attached.fault !== null) return;
    this.#speaking = attached;
    try {
      work();
    } catch (error) {
      this.#stop(attached, error);
    }
    this.#schedule(attached);
  }

  #schedule(attached: Attached): void {
    if (attached.ticks === 'none' || attached.gone || attached.fault !== null) return;
    if (attached.ticks === 'every') {
      this.#eager.add(attached);
      return;
    }
    const wakeAt = watchOf(attached)?.wakeAt?.() ?? null;
    if (wakeAt === null) return;
    // Never in a second that has been ticked already: it would be looked at only once more, in the next tick anyway.
    const slot = Math.max(DueTimes.slotOf(wakeAt), this.#lastTickSecond + 1);
    if (slot >= attached.slot) return;
    attached.slot = slot;
    this.#due.add(slot, attached);
  }

  #entryFor(id: string, time: number): DeviceEntry | null {
    this.now = Math.max(this.now, time);
    const known = this.entries.get(id);
    if (known === undefined) {
      const device = this.#options.directory.at(id, time) ?? this.#options.directory.get(id);
      return device === undefined ? null : this.#enter(device);
    }
    this.beforeChange?.(known);
    return known.unsettled ? this.#settle(known, time) : known;
  }

  #enter(device: DeviceEntry['device']): DeviceEntry {
    const entry: DeviceEntry = {
      id: device.id,
      device,
      unsettled: this.#options.directory.get(device.id)?.version !== device.version,
      heardAt: 0,
      watches: [],
      streams: [],
      next: 0,
      savedIn: this.epoch,
    };
    entry.watches = this.#attacher.toDevice(entry);
    for (const attached of entry.watches) this.#schedule(attached);
    this.entries.set(entry.id, entry);
    return entry;
  }

  /** For `restore`: a device as it was known at a time. */
  enterAt(id: string, time: number): DeviceEntry | null {
    const device = this.#options.directory.at(id, time) ?? this.#options.directory.get(id);
    return device === undefined ? null : this.#enter(device);
  }

  #newStream(entry: DeviceEntry, id: string): StreamEntry | null {
    return this.reopen(entry, id, Number.NEGATIVE_INFINITY);
  }

  /** Takes over the version of the device that holds at a time. Null: the device is gone, and its entry with it. */
  #settle(entry: DeviceEntry, time: number): DeviceEntry | null {
    if (!entry.unsettled) return entry;
    this.beforeChange?.(entry);
    const { directory } = this.#options;
    const current = directory.get(entry.id);
    const device = directory.at(entry.id, time) ?? current;
    if (device === undefined || current === undefined) {
      this.entries.delete(entry.id);
      this.#letGo([...entry.watches, ...entry.streams.flatMap((stream) => stream.watches)]);
      return null;
    }
    entry.unsettled = current.version !== device.version;
    if (entry.device.version === device.version) return entry;
    entry.device = device;
    this.#attachAgain(entry);
    return entry;
  }

  #attachAgain(entry: DeviceEntry): void {
    this.beforeChange?.(entry);
    const devices = this.#attacher.toDevice(entry);
    this.#letGo(this.#inherit(entry.watches, devices));
    entry.watches = devices;
    const streams: StreamEntry[] = [];
    for (const stream of entry.streams) {
      const watches = this.#attacher.toStream(entry, stream.id);
      this.#letGo(this.#inherit(stream.watches, watches ?? []));
      if (watches !== null) streams.push({ ...stream, watches });
    }
    entry.streams = streams;
    entry.next = 0;
    this.scheduleAll(entry);
  }

  #inherit(old: readonly Attached[], heirs: readonly Attached[]): Attached[] {
    try {
      return inherit(old, heirs);
    } catch (error) {
      this.#fault('restore', old[0]?.owner.id ?? '', error);
      return [...old];
    }
  }

  #letGo(left: readonly Attached[]): void {
    for (const attached of left) {
      attached.gone = true;
      this.#eager.delete(attached);
    }
    for (const { plan, owner, open } of left) this.abandon(plan.label, owner.id, open, this.#emit);
  }

  #heardSay(said: Said): void {
    const attached = this.#speaking;
    if (attached === null) return;
    const open = attached.open ?? new Map();
    const trigger = { ...this.#trigger };
    const finding = tell(open, speakerOf(attached), said, trigger, this.#options.updateEveryMs);
    attached.open = open.size === 0 ? null : open;
    if (finding !== null) this.#tellOn(attached.plan.label, finding, this.#emit);
  }

  #tellOn(label: string, finding: Finding, emit: Emit): void {
    bump(this.tally.findings, `${label} ${finding.kind} ${finding.state}`);
    emit(finding);
  }

  #stop(attached: Attached, error: unknown): void {
    attached.fault = error instanceof Error ? error.message : String(error);
    this.#eager.delete(attached);
    this.#fault(attached.plan.label, attached.stream ?? attached.owner.id, error);
  }

  #fault(detector: string, about: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.tally.fault({ detector, about, message });
    this.#options.onFault?.(detector, about, error);
  }
}

/**
 * Where an observation stands in its datastream. Only `next` reaches the watches. `late` (older than what they have
 * seen) is counted and passed over; this is the place where late data will be given to windows that are still open.
 */
export function placeOf(stream: Pick<StreamEntry, 'lastTime'>, time: number): 'next' | 'repeat' | 'late' {
  if (time > stream.lastTime) return 'next';
  return time === stream.lastTime ? 'repeat' : 'late';
}

function findStream(entry: DeviceEntry, id: string): StreamEntry | null {
  const { streams } = entry;
  const expected = streams[entry.next];
  if (expected !== undefined && expected.id === id) {
    entry.next = entry.next + 1 === streams.length ? 0 : entry.next + 1;
    return expected;
  }
  const at = streams.findIndex((stream) => stream.id === id);
  if (at < 0) return null;
  entry.next = at + 1 === streams.length ? 0 : at + 1;
  return streams[at] ?? null;
}

function isDue(attached: Attached, time: number): boolean {
  const wakeAt = watchOf(attached)?.wakeAt?.() ?? null;
  return wakeAt !== null && DueTimes.slotOf(wakeAt) <= Math.floor(time / 1000);
}

function speakerOf(attached: Attached): Speaker {
  const { plan, owner, stream } = attached;
  return {
    label: plan.label,
    detector: plan.detector.name,
    version: plan.detector.version,
    parameters: plan.parameters,
    device: owner.id,
    datastream: stream,
    looksAt:
      stream === null
        ? owner.device.datastreams.map((d) => datastreamId(owner.id, d.property, d.statistic))
        : [stream],
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

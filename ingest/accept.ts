import type { Clock } from '../backbone/index.ts';
import type { QuarantineReason } from '../contracts/index.ts';
import type { CodecInput, Decoded, Rejected } from '../devices/codecs/index.ts';
import type { DeviceMessage } from '../devices/message.ts';
import { checkReadings } from './check-readings.ts';
import type { IngestConfig } from './config.ts';
import { encodeBatch } from './encode-batch.ts';
import type { KnownDevice, KnownDevices } from './known-devices.ts';
import type { Line } from './line.ts';
import type { Pictures } from './pictures.ts';
import type { Quarantine } from './quarantine.ts';
import type { RateLimit } from './rate-limit.ts';
import { accepted, duplicate, type Receipt } from './receipt.ts';
import type { Route, Routes } from './routes.ts';

/**
 * What happens to one message, in this order; the first thing that is wrong sends it to quarantine with that reason:
 *
 *   1 size      payload-too-large        5 device    device-unknown, camera-unknown
 *   2 topic     topic-unknown, codec-…   6 payload   not-json, schema, value-not-finite, not-a-picture, …
 *   3 sender    device-mismatch          7 content   each reading by itself, see check-readings.ts
 *   4 rate      rate-limited             8 append, wait until it is durable, answer
 *
 * The promise resolves when whatever became of the message is durable, and rejects when a store is away: then the
 * message must not be acknowledged, and comes again.
 */
export interface AcceptDeps {
  clock: Clock;
  routes: Routes;
  known: KnownDevices;
  rate: RateLimit;
  line: Line;
  pictures: Pictures;
  quarantine: Quarantine;
  tally: Tally;
  inFlight: InFlight;
}

/** What ingest counts as it goes; written here, read by metrics and counts. */
export interface Tally {
  messages: number;
  observations: number;
  duplicates: number;
  frames: number;
  late: number;
}

/** Times of receipt of messages whose decoding takes more than a moment: a tick must not pass them. */
export interface InFlight {
  add(receivedAt: number): void;
  remove(receivedAt: number): void;
}

export type Accept = (message: DeviceMessage) => Promise<Receipt>;

export function acceptor(config: IngestConfig, deps: AcceptDeps): Accept {
  const { clock, known, line, quarantine, tally } = deps;

  /** Nothing of the message is taken. */
  async function refuse(message: DeviceMessage, why: Rejected, receivedAt: number, device: string | null) {
    await quarantine.put(suspect(message, why, receivedAt, device));
    return {
      outcome: 'quarantined',
      reason: why.reason,
      taken: 0,
      duplicates: 0,
      quarantined: 1,
    } satisfies Receipt;
  }

  function accept(message: DeviceMessage): Promise<Receipt> {
    const receivedAt = clock.now();
    tally.messages += 1;
    const route = deps.routes.find(message.topic);
    const device = typeof route === 'string' ? message.authenticatedDevice : route.address.device;
    const objection = objectTo(message, route);
    if (objection !== null) return refuse(message, objection, receivedAt, device);
    if (typeof route === 'string') return refuse(message, noRoute(route, message.topic), receivedAt, device);
    const to = known.get(route.address.device);
    if (to === undefined || (route.address.kind === 'picture' && to.device.kind !== 'camera')) {
      return refuse(message, unknownDevice(route, to), receivedAt, device);
    }
    const input: CodecInput = {
      address: route.address,
      payload: message.payload,
      receivedAt,
      userProperties: message.userProperties ?? {},
    };
    const decoded = route.codec.decode(input);
    if (!(decoded instanceof Promise)) return finish(message, decoded, to, receivedAt);
    deps.inFlight.add(receivedAt);
    return decoded.then(
      (done) => {
        // From here to the line nothing waits: the tick may pass.
        deps.inFlight.remove(receivedAt);
        return finish(message, done, to, receivedAt);
      },
      (error: unknown) => {
        deps.inFlight.remove(receivedAt);
        throw error;
      },
    );
  }

  function objectTo(message: DeviceMessage, route: Route | QuarantineReason): Rejected | null {
    const picture = typeof route !== 'string' && route.address.kind === 'picture';
    const most = picture ? config.maxPictureBytes : config.maxMessageBytes;
    const size = message.oversize?.size ?? message.payload.length;
    if (size > most || message.oversize !== undefined) {
      return { reason: 'payload-too-large', detail: `payload: ${size} bytes; at most ${most} are allowed` };
    }
    const sender = message.authenticatedDevice;
    const owner = typeof route === 'string' ? null : route.address.device;
    if (sender !== null && owner !== null && sender !== owner) {
      const detail = `topic: ${message.topic} belongs to ${owner}; ${sender} may publish below v1/devices/${sender}/`;
      return { reason: 'device-mismatch', detail };
    }
    if (!deps.rate.allows(sender ?? owner ?? message.clientId ?? '')) {
      const { perS, burst } = config.rate;
      return {
        reason: 'rate-limited',
        detail: `more than ${perS} messages a second, after ${burst} at once`,
      };
    }
    return null;
  }

  function finish(
    message: DeviceMessage,
    decoded: Decoded,
    to: KnownDevice,
    receivedAt: number,
  ): Promise<Receipt> {
    if (decoded.kind === 'rejected') return refuse(message, decoded, receivedAt, to.device.id);
    if (decoded.kind === 'picture') return takePicture(message, decoded, to, receivedAt);
    return takeReadings(message, decoded, to, receivedAt);
  }

  function takeReadings(
    message: DeviceMessage,
    decoded: Decoded & { kind: 'readings' },
    to: KnownDevice,
    receivedAt: number,
  ): Promise<Receipt> {
    const {
      taken: good,
      duplicates,
      late,
      rejected,
    } = checkReadings(to, decoded.readings, receivedAt, config);
    const bad = decoded.rejected === undefined ? rejected : [...decoded.rejected, ...rejected];
    tally.duplicates += duplicates;
    if (good.length === 0 && duplicates === 0 && bad.length === 0) {
      const detail = 'readings: empty; at least one reading is allowed';
      return refuse(message, { reason: 'schema', detail }, receivedAt, to.device.id);
    }
    const taken = good.length;
    // A repeat may overtake what it repeats: it is answered when all before it is durable.
    const durable = taken === 0 ? (duplicates > 0 ? line.settled() : Promise.resolve()) : append();
    if (bad.length > 0)
      return durable.then(() => refuseParts(message, bad, to, receivedAt, taken, duplicates));
    return durable.then(() => (taken === 0 ? duplicate(duplicates) : accepted(taken, duplicates)));

    function append(): Promise<void> {
      const device = to.device.id;
      const value = encodeBatch(device, receivedAt, late, good);
      return line
        .append({ key: device, value }, () => forget(to))
        .then(() => {
          tally.observations += taken;
          if (late) tally.late += taken;
        });
    }
  }

  /** One entry a reason: it names the readings, and holds the whole message. */
  async function refuseParts(
    message: DeviceMessage,
    bad: readonly Rejected[],
    to: KnownDevice,
    receivedAt: number,
    taken: number,
    duplicates: number,
  ): Promise<Receipt> {
    const byReason = new Map<QuarantineReason, string[]>();
    for (const { reason, detail } of bad) byReason.set(reason, [...(byReason.get(reason) ?? []), detail]);
    const kept = taken > 0 ? `. ${taken} other readings of the message were taken` : '';
    const entries = [...byReason].map(([reason, details]) => ({
      reason,
      detail: details.slice(0, 10).join('. ') + kept,
    }));
    await Promise.all(entries.map((why) => quarantine.put(suspect(message, why, receivedAt, to.device.id))));
    const outcome = taken > 0 ? 'accepted' : 'quarantined';
    return { outcome, reason: entries[0]?.reason ?? null, taken, duplicates, quarantined: entries.length };
  }

  async function takePicture(
    message: DeviceMessage,
    picture: Decoded & { kind: 'picture' },
    to: KnownDevice,
    receivedAt: number,
  ): Promise<Receipt> {
    const { time, bytes } = picture;
    const camera = to.device.id;
    const outside = outsideTimes(time, receivedAt, config);
    if (outside !== null) return refuse(message, outside, receivedAt, camera);
    const outcome = await deps.pictures.take({ camera, time, receivedAt, bytes });
    if (typeof outcome !== 'string') return refuse(message, outcome, receivedAt, camera);
    if (outcome === 'duplicate') {
      tally.duplicates += 1;
      return duplicate(1);
    }
    tally.frames += 1;
    return accepted(1);
  }

  return accept;
}

/** What was remembered of readings that did not become durable must not make their repeats look known. */
function forget(known: KnownDevice): void {
  for (const stream of known.instant.values()) stream.recent.forget();
  for (const stream of known.others.values()) stream.recent.forget();
}

function suspect(message: DeviceMessage, why: Rejected, receivedAt: number, device: string | null) {
  return {
    ...why,
    receivedAt,
    topic: message.topic,
    client: message.clientId,
    device: message.authenticatedDevice ?? device,
    payload: message.payload,
    ...(message.oversize === undefined ? {} : { whole: message.oversize }),
  };
}

function noRoute(reason: 'topic-unknown' | 'codec-unknown', topic: string): Rejected {
  const allowed = 'v1/devices/<id>/observations and v1/devices/<id>/frames[/<time>] are allowed';
  return { reason, detail: `topic: ${JSON.stringify(topic.slice(0, 200))} found; ${allowed}` };
}

function unknownDevice({ address }: Route, known: KnownDevice | undefined): Rejected {
  const reason = address.kind === 'picture' ? 'camera-unknown' : 'device-unknown';
  const what = known === undefined ? 'is not in the registry' : 'is no camera by the registry';
  return { reason, detail: `topic: device ${address.device} ${what}` };
}

function outsideTimes(time: number, receivedAt: number, config: IngestConfig): Rejected | null {
  const said = Number.isNaN(new Date(time).getTime()) ? String(time) : new Date(time).toISOString();
  if (!(time <= receivedAt + config.maxClockAheadS * 1_000)) {
    const detail = `picture at ${said}: at most ${config.maxClockAheadS} s ahead of the product's clock are allowed`;
    return { reason: 'time-future', detail };
  }
  if (time < receivedAt - config.maxAgeDays * 86_400_000) {
    return {
      reason: 'time-past',
      detail: `picture at ${said}: at most ${config.maxAgeDays} days old is allowed`,
    };
  }
  return null;
}

import { encodeRecord } from '../backbone/codec.ts';
import type { DeviceEvent } from '../contracts/index.ts';
import { type DecodedOne, oneAReason, type Rejected } from '../devices/codecs/index.ts';
import type { Settled } from '../devices/handover.ts';
import type { DeviceMessage } from '../devices/message.ts';
import { checkReadings } from './check-readings.ts';
import type { IngestConfig } from './config.ts';
import { Departure } from './departure.ts';
import { type BatchMarks, encodeBatch } from './encode-batch.ts';
import type { KnownDevice } from './known-devices.ts';
import type { Line } from './line.ts';
import type { Pictures } from './pictures.ts';
import type { Quarantine } from './quarantine.ts';
import { accepted, duplicate, type Receipt, refused } from './receipt.ts';

/**
 * What a decoded payload says of one known device, taken: readings and device events to the line, pictures to their
 * store, and what may not be taken to quarantine. Each promise resolves when that is durable. Readings that are all good,
 * which is nearly every message, go without a promise: `settled` is told.
 */
export interface TakeDeps {
  line: Line;
  pictures: Pictures;
  quarantine: Quarantine;
  tally: Tally;
  alive: Alive;
}

/** What ingest counts as it goes; written here, read by metrics and counts. */
export interface Tally {
  messages: number;
  observations: number;
  duplicates: number;
  frames: number;
  late: number;
}

/** Who was heard, and what devices or their last wills say of themselves. */
export interface Alive {
  heard(device: string, receivedAt: number): void;
  said(device: string, status: 'online' | 'offline', receivedAt: number): void;
}

export type Readings = DecodedOne & { kind: 'readings' };

export interface Taker {
  take(message: DeviceMessage, decoded: DecodedOne, to: KnownDevice, receivedAt: number): Promise<Receipt>;
  /** The same for readings. Null: `settled` is told once, and nobody else. */
  takeInto(
    message: DeviceMessage,
    decoded: Readings,
    to: KnownDevice,
    receivedAt: number,
    settled: Settled,
  ): Promise<Receipt> | null;
  /** Nothing of the message is taken. */
  refuse(message: DeviceMessage, why: Rejected, receivedAt: number, device: string | null): Promise<Receipt>;
}

export function taker(config: IngestConfig, deps: TakeDeps): Taker {
  const { line, quarantine, tally } = deps;

  async function refuse(message: DeviceMessage, why: Rejected, receivedAt: number, device: string | null) {
    await putAside(message, why, receivedAt, device);
    return refused(why.reason);
  }

  /** To quarantine; what is run again is there already, and only told why. */
  async function putAside(message: DeviceMessage, why: Rejected, receivedAt: number, device: string | null) {
    const suspected = suspect(message, why, receivedAt, device);
    if (message.again === undefined) await quarantine.put(suspected);
    else message.again.refused.push(suspected);
  }

  function take(
    message: DeviceMessage,
    decoded: DecodedOne,
    to: KnownDevice,
    receivedAt: number,
  ): Promise<Receipt> {
    const { id } = to.device;
    if (decoded.kind === 'status') {
      if (message.again === undefined) deps.alive.said(id, decoded.status, receivedAt);
      return line.settled().then(() => accepted(0));
    }
    if (message.again === undefined) deps.alive.heard(id, receivedAt);
    switch (decoded.kind) {
      case 'readings':
        return new Promise((resolve, reject) => {
          const settled = { durable: resolve as Settled['durable'], failed: reject };
          takeReadings(message, decoded, to, receivedAt, settled)?.then(resolve, reject);
        });
      case 'picture':
        return takePicture(message, decoded, to, receivedAt);
      case 'rejected':
        return Promise.all([
          refuse(message, decoded, receivedAt, id),
          noteIntegrity(message, [decoded], id, receivedAt),
        ]).then(([receipt]) => receipt);
      case 'nothing':
        tally.duplicates += decoded.repeats ?? 0;
        // A repeat may overtake what it repeats: it is answered when all before it is durable.
        return line
          .settled()
          .then(() => (decoded.repeats === undefined ? accepted(0) : duplicate(decoded.repeats)));
    }
  }

  function takeInto(
    message: DeviceMessage,
    decoded: Readings,
    to: KnownDevice,
    receivedAt: number,
    settled: Settled,
  ): Promise<Receipt> | null {
    if (message.again === undefined) deps.alive.heard(to.device.id, receivedAt);
    return takeReadings(message, decoded, to, receivedAt, settled);
  }

  function takeReadings(
    message: DeviceMessage,
    decoded: Readings,
    to: KnownDevice,
    receivedAt: number,
    settled: Settled,
  ): Promise<Receipt> | null {
    const checked = checkReadings(to, decoded.readings, receivedAt, config);
    const { taken: good, duplicates, late, rejected } = checked;
    const bad = decoded.rejected === undefined ? rejected : [...decoded.rejected, ...rejected];
    tally.duplicates += duplicates;
    const taken = good.readings.length;
    if (taken === 0 && duplicates === 0 && bad.length === 0) {
      const detail = 'readings: empty; at least one reading is allowed';
      return refuse(message, { reason: 'schema', detail }, receivedAt, to.device.id);
    }
    if (taken > 0) {
      const device = to.device.id;
      const clockOffS = clockOff(to, checked.newestInstant, receivedAt);
      const marks: BatchMarks = { late, source: decoded.source, clockOffS };
      const value = encodeBatch(device, receivedAt, good, marks);
      const departure = new Departure(tally, to, taken, duplicates, late, settled);
      if (bad.length > 0) departure.also = () => refuseParts(message, bad, to, receivedAt, taken, duplicates);
      line.send({ key: device, value }, departure);
      return null;
    }
    if (bad.length > 0) return refuseParts(message, bad, to, receivedAt, taken, duplicates);
    // A repeat may overtake what it repeats: it is answered when all before it is durable.
    return line.settled().then(() => duplicate(duplicates));
  }

  /** Seconds, when it is off by more than is allowed. */
  function clockOff(to: KnownDevice, newestInstant: number, receivedAt: number): number | undefined {
    if (newestInstant === 0) return undefined;
    const offS = to.clock.see(newestInstant, receivedAt) / 1_000;
    const off = offS > config.clockOffAfterS || offS < -Math.max(config.clockOffAfterS, config.lateAfterS);
    return off ? Math.round(offS) : undefined;
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
    const kept = taken > 0 ? `. ${taken} other readings of the message were taken` : '';
    const entries = oneAReason(bad).map(({ reason, detail }) => ({ reason, detail: detail + kept }));
    await Promise.all([
      ...entries.map((why) => putAside(message, why, receivedAt, to.device.id)),
      noteIntegrity(message, entries, to.device.id, receivedAt),
    ]);
    const outcome = taken > 0 ? 'accepted' : 'quarantined';
    return { outcome, reason: entries[0]?.reason ?? null, taken, duplicates, quarantined: entries.length };
  }

  /** Two contents under one key are an event that detectors hear of: falsified data may look like this. */
  async function noteIntegrity(
    message: DeviceMessage,
    bad: readonly Rejected[],
    device: string,
    time: number,
  ) {
    if (message.again !== undefined) return;
    const conflict = bad.find((one) => one.reason === 'duplicate-conflict');
    if (conflict === undefined) return;
    const detail = conflict.detail.slice(0, 500);
    const event: DeviceEvent = { type: 'device', device, time, event: 'integrity', detail };
    await line.append({ key: device, value: encodeRecord(event) }, () => undefined);
  }

  async function takePicture(
    message: DeviceMessage,
    picture: DecodedOne & { kind: 'picture' },
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

  return { take, takeInto, refuse };
}

function suspect(message: DeviceMessage, why: Rejected, receivedAt: number, device: string | null) {
  return {
    reason: why.reason,
    detail: why.detail,
    receivedAt,
    topic: message.topic,
    client: message.clientId,
    // Who pretends to be another is the one to be named.
    device:
      why.reason === 'device-mismatch'
        ? message.authenticatedDevice
        : (device ?? message.authenticatedDevice),
    sender: message.authenticatedDevice,
    userProperties: message.userProperties,
    payload: message.payload,
    ...(message.oversize === undefined ? {} : { whole: message.oversize }),
  };
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

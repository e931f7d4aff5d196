import { z } from 'zod';
import { EpochMs, Id } from './primitives.ts';

/**
 * What the instrument, or ingest, says of a value. Only `valid` counts towards a legal mean; HJ 212 data flags map
 * onto these (table 8: N F M S D C T B); a missing HJ 212 flag is `unknown`, never `valid`.
 */
export const Quality = z.enum([
  'valid',
  'stopped',
  'maintenance',
  'manual',
  'fault',
  'calibration',
  'over-range',
  'comms-error',
  'unknown',
]);
export type Quality = z.infer<typeof Quality>;

/** What a value stands for in time: an instant reading, or a mean the device itself made. Kept apart always. */
export const Statistic = z.enum(['instant', 'minute', 'hour', 'day']);
export type Statistic = z.infer<typeof Statistic>;

/** One value of a datastream at a time. */
export const Observation = z.strictObject({
  /** `<deviceId>/<property>`, with `@<statistic>` behind it unless instant: see {@link datastreamId}. */
  datastream: z.string().max(200),
  /**
   * When it was so at the device (SOSA phenomenonTime). Of a mean over a minute, an hour or a day: where its period BEGINS, so
   * that it lies in the window that it is of; codecs of protocols that stamp the end turn it back.
   */
  time: EpochMs,
  /** In the datastream's unit. Always finite. */
  value: z.number(),
  quality: Quality,
});
export type Observation = z.infer<typeof Observation>;

/** All that one device message held; one record of the `observations` topic, keyed by device. */
export const ObservationBatch = z.strictObject({
  type: z.literal('observations'),
  device: Id,
  /** When ingest had it, by the product's clock. */
  receivedAt: EpochMs,
  /** Came more than the configured lateness after its time. */
  late: z.boolean().optional(),
  /** How the values came where it was not native JSON, e.g. `hj212-2017`, `hj212-2017+modbus`, `sparkplug`. */
  source: z.string().max(64).optional(),
  /** Seconds that the device's clock is ahead of the product's (below 0: behind); only when it is off. */
  clockOffS: z.number().optional(),
  observations: z.array(Observation).min(1),
});
export type ObservationBatch = z.infer<typeof ObservationBatch>;

/**
 * The passing of time, appended by ingest to every partition of `observations`. Detectors never read a clock: what
 * has to notice that nothing came (liveness, end of a window) is driven by ticks, so that a replay sees the same.
 */
export const Tick = z.strictObject({ type: z.literal('tick'), time: EpochMs });
export type Tick = z.infer<typeof Tick>;

/**
 * What happened to a device other than a value. Sessions: `connected`, `disconnected` (with a farewell), `lost`.
 * Liveness, from its messages, last will and expected interval: `online`, `silent`, `gone`. `integrity`: it said two
 * different things under one key, or statistics under a key of its own that do not fit.
 */
export const DeviceEvent = z.strictObject({
  type: z.literal('device'),
  device: Id,
  time: EpochMs,
  event: z.enum(['connected', 'disconnected', 'lost', 'online', 'silent', 'gone', 'integrity']),
  /** For `integrity` a sentence; for liveness why: `no-message`, `said-offline`, `connection-lost`. */
  detail: z.string().max(500).optional(),
});
export type DeviceEvent = z.infer<typeof DeviceEvent>;

/** What the `observations` topic carries. */
export const ObservationRecord = z.discriminatedUnion('type', [ObservationBatch, Tick, DeviceEvent]);
export type ObservationRecord = z.infer<typeof ObservationRecord>;

/** The id of the datastream of one property of a device. */
export function datastreamId(device: string, property: string, statistic: Statistic = 'instant'): string {
  return statistic === 'instant' ? `${device}/${property}` : `${device}/${property}@${statistic}`;
}

/** Takes a datastream id apart again; the inverse of {@link datastreamId}. */
export function parseDatastreamId(id: string): { device: string; property: string; statistic: Statistic } {
  const slash = id.indexOf('/');
  const at = id.lastIndexOf('@');
  const end = at > slash ? at : id.length;
  return {
    device: id.slice(0, slash),
    property: id.slice(slash + 1, end),
    statistic: at > slash ? Statistic.parse(id.slice(at + 1)) : 'instant',
  };
}

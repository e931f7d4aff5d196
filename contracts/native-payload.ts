import { z } from 'zod';
import { Quality, Statistic } from './observation.ts';
import { EpochMs } from './primitives.ts';

/** RFC 3339 with a zone, or epoch milliseconds. */
export const WireTime = z.union([
  EpochMs,
  z.iso
    .datetime({ offset: true, error: 'RFC 3339 with a zone, or epoch milliseconds' })
    .transform((s) => Date.parse(s)),
]);

/** A value alone, or with the unit it is in and what the instrument says of it. */
export const NativeReading = z.union([
  z.number(),
  z.strictObject({ value: z.number(), unit: z.string().max(32).optional(), quality: Quality.optional() }),
]);

/** Readings of one moment: `{"time": "2026-11-22T22:05:00+08:00", "readings": {"PM10": 81.5}}`. */
export const NativeMessage = z.strictObject({
  time: WireTime,
  statistic: Statistic.optional(),
  quality: Quality.optional(),
  readings: z.record(z.string().min(1).max(64), NativeReading),
});
export type NativeMessage = z.infer<typeof NativeMessage>;

/** What a device publishes to `v1/devices/<id>/observations`: one moment, or up to 1,000 of them. */
export const NativePayload = z.union([NativeMessage, z.array(NativeMessage).min(1).max(1000)]);
export type NativePayload = z.infer<typeof NativePayload>;

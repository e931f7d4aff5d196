import { z } from 'zod';

/** Epoch milliseconds, between 2000-01-01 and 2100-01-01: what lies outside is a broken clock, not a time. */
export const EpochMs = z.number().int().min(946_684_800_000).max(4_102_444_800_000);
export type EpochMs = number;

/** Name of a device, site, unit, matter …: safe in a topic, a path and a URL. */
export const Id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 'letters, digits and . _ : - only, 1 to 64 characters');

/** WGS 84 [longitude, latitude] in degrees. */
export const LonLat = z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)]);
export type LonLat = z.infer<typeof LonLat>;

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 as 64 lower-case hex digits');

/** The same sentence in the two languages of the product. */
export const BiText = z.strictObject({ zh: z.string(), en: z.string() });
export type BiText = z.infer<typeof BiText>;

/** A half-open span of time: from ≤ t < to. */
export const Interval = z.strictObject({ from: EpochMs, to: EpochMs });
export type Interval = z.infer<typeof Interval>;

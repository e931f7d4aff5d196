import { z } from 'zod';
import { Detection } from './frame.ts';
import { BiText, EpochMs, Id, Interval, Sha256 } from './primitives.ts';

/** What a detector can say. The word is the same in code, API, console, docs and reports. */
export const FindingKind = z.enum([
  'limit-exceeded',
  'early-warning',
  'anomaly',
  'falsification',
  'device-silent',
  'device-fault',
  'image',
  'combined',
]);
export type FindingKind = z.infer<typeof FindingKind>;

export const Severity = z.enum(['info', 'watch', 'warning', 'violation']);
export type Severity = z.infer<typeof Severity>;

/** What a number was measured against, and how well. */
export const Measure = z.strictObject({
  /** e.g. `mean-5min`, `LAeq-20min`, `score`, `dwell`. */
  statistic: z.string(),
  value: z.number(),
  /** UCUM. */
  unit: z.string(),
  /** The limit or threshold that it is held against. */
  limit: z.number().optional(),
  /** Values that counted, and values that a complete window has. */
  validCount: z.number().int().optional(),
  expectedCount: z.number().int().optional(),
});
export type Measure = z.infer<typeof Measure>;

/** A picture that a finding rests on. */
export const FrameEvidence = z.strictObject({
  blob: Sha256,
  time: EpochMs,
  detections: z.array(Detection),
  /** Polygon of the zone in pixels of the upright image. */
  zone: z.array(z.tuple([z.number(), z.number()])).optional(),
});
export type FrameEvidence = z.infer<typeof FrameEvidence>;

/**
 * What one detector says of one datastream, device or track over an interval, with all that is needed to compute it
 * again. A finding lives: `open` when first seen, `update` while it lasts, `closed` when it is over; all three carry
 * the same `id`, a higher `revision` each. The same input gives the same findings, ids included.
 */
export const Finding = z.strictObject({
  id: z.string().regex(/^f_[0-9a-z]{20,40}$/),
  revision: z.number().int().nonnegative(),
  state: z.enum(['open', 'update', 'closed']),
  kind: FindingKind,
  /** What exactly, within the kind: `stuck`, `mean-5min`, `fire-lane-occupied` … A named reason, for log and screen. */
  reason: z.string(),
  severity: Severity,
  /** The matter (执法事项) that the rule behind the finding serves. */
  matter: Id.optional(),
  device: Id,
  datastream: z.string().optional(),
  zone: z.string().optional(),
  track: z.number().int().optional(),
  /** When the thing found was so; `to` grows with the updates. */
  interval: Interval,
  measure: Measure,
  /** One sentence for people, with numbers and units. */
  summary: BiText,
  detector: z.strictObject({
    name: z.string(),
    version: z.string(),
    /** All that the result depends on besides the data: thresholds, the rule and its version, model hash. */
    parameters: z.record(z.string(), z.unknown()),
  }),
  /** What it was computed from: these datastreams over this span, or these frames. */
  input: z.strictObject({
    datastreams: z.array(z.string()),
    from: EpochMs,
    to: EpochMs,
    frames: z.array(FrameEvidence),
  }),
  /** The clause of the rule, where there is one: `DB21/2642-2016 4.1`. */
  clause: z.string().optional(),
  /** The observation or frame at which it was found. */
  trigger: z.strictObject({ device: Id, time: EpochMs, receivedAt: EpochMs }),
});
export type Finding = z.infer<typeof Finding>;

import { z } from 'zod';
import { FindingKind, Measure, Severity } from './finding.ts';
import { BiText, EpochMs, Id, LonLat } from './primitives.ts';

export const AlertState = z.enum(['open', 'acknowledged', 'resolved']);
export type AlertState = z.infer<typeof AlertState>;

/** One happening that a person should know of; one or several findings stand behind it. */
export const Alert = z.strictObject({
  id: z.string(),
  /** What makes it one happening: kind, reason, matter, device, datastream, zone, track. One open alert per fingerprint. */
  fingerprint: z.string(),
  kind: FindingKind,
  reason: z.string(),
  severity: Severity,
  matter: Id.nullable(),
  device: Id,
  datastream: z.string().nullable(),
  zone: z.string().nullable(),
  site: Id,
  location: LonLat,
  state: AlertState,
  summary: BiText,
  measure: Measure,
  /** Data time. */
  startedAt: EpochMs,
  lastSeenAt: EpochMs,
  /** Product's clock. */
  raisedAt: EpochMs,
  acknowledgedAt: EpochMs.nullable(),
  acknowledgedBy: z.string().nullable(),
  resolvedAt: EpochMs.nullable(),
  findings: z.array(z.string()),
  draftCase: z.string().nullable(),
  /** The observation or frame that first raised it: lets a sender measure its own latency. */
  trigger: z.strictObject({ device: Id, time: EpochMs, receivedAt: EpochMs }),
});
export type Alert = z.infer<typeof Alert>;

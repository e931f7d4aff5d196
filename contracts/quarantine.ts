import { z } from 'zod';
import { EpochMs } from './primitives.ts';

/** Why a message was not taken. Log, metric, API and console show this same word. */
export const QuarantineReason = z.enum([
  'not-json',
  'malformed',
  'schema',
  'crc-mismatch',
  'not-decrypted',
  'packet-incomplete',
  'birth-missing',
  'topic-unknown',
  'codec-unknown',
  'device-unknown',
  'device-mismatch',
  'property-undeclared',
  'unit-mismatch',
  'value-out-of-range',
  'value-not-finite',
  'time-future',
  'time-past',
  'payload-too-large',
  'not-a-picture',
  'picture-too-large',
  'camera-unknown',
  'rate-limited',
  'duplicate-conflict',
  'store-rejected',
]);
export type QuarantineReason = z.infer<typeof QuarantineReason>;

/** `open`: waits for somebody to look. `rerun-taken`: run again, and all that was missing was taken. */
export const QuarantineState = z.enum(['open', 'rerun-taken', 'dismissed']);
export type QuarantineState = z.infer<typeof QuarantineState>;

/** A rejected message: the reason, and its raw bytes (bounded; the true size and hash are kept). */
export const QuarantineEntry = z.strictObject({
  id: z.string(),
  /** As of the last time that it was looked at: a re-run may find another one. */
  reason: QuarantineReason,
  /** Why it came here. */
  firstReason: QuarantineReason,
  /** A sentence that names path, value and what is allowed. */
  detail: z.string(),
  receivedAt: EpochMs,
  topic: z.string(),
  client: z.string().nullable(),
  /** Id or address of the device that it is about; where it names none, whoever sent it. */
  device: z.string().nullable(),
  /** The device that proved who it is when it sent this; null: nobody did. */
  sender: z.string().nullable(),
  size: z.number().int(),
  sha256: z.string(),
  truncated: z.boolean(),
  state: QuarantineState,
  /** When and by whom it was dismissed or taken; null while open. */
  resolvedAt: EpochMs.nullable(),
  resolvedBy: z.string().nullable(),
  /** What was said of it then. */
  note: z.string().nullable(),
  /** How often it was run again, and when last. */
  reruns: z.number().int(),
  lastRerunAt: EpochMs.nullable(),
});
export type QuarantineEntry = z.infer<typeof QuarantineEntry>;

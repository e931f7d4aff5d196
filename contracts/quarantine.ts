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

/** A rejected message: the reason, and its raw bytes (bounded; the true size and hash are kept). */
export const QuarantineEntry = z.strictObject({
  id: z.string(),
  reason: QuarantineReason,
  /** A sentence that names path, value and what is allowed. */
  detail: z.string(),
  receivedAt: EpochMs,
  topic: z.string(),
  client: z.string().nullable(),
  device: z.string().nullable(),
  size: z.number().int(),
  sha256: z.string(),
  truncated: z.boolean(),
});
export type QuarantineEntry = z.infer<typeof QuarantineEntry>;

/**
 * Standard Webhooks 1.0, the receiving side, written from its specification: HMAC-SHA256 over `id.timestamp.body` with
 * the key that stands in base64 behind `whsec_`. Compares in constant time; accepts several signatures (key rotation).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Why a delivery is not believed. */
export type SignatureFault =
  | 'headers-missing'
  | 'timestamp-invalid'
  | 'too-old'
  | 'in-the-future'
  | 'signature-wrong';

export interface WebhookHeaders {
  id: string | undefined;
  /** Seconds since the epoch. */
  timestamp: string | undefined;
  /** `v1,<base64>`, several separated by spaces. */
  signature: string | undefined;
}

/** The specification's tolerance, both ways. */
const TOLERANCE_S = 5 * 60;

/** Null when the delivery is genuine under one of the secrets. `now` in epoch ms. */
export function signatureFault(
  headers: WebhookHeaders,
  body: Buffer,
  secrets: readonly string[],
  now: number,
): SignatureFault | null {
  const { id, timestamp, signature } = headers;
  if (!id || !timestamp || !signature) return 'headers-missing';
  if (!/^\d{1,12}$/.test(timestamp)) return 'timestamp-invalid';
  const age = now / 1000 - Number(timestamp);
  if (age > TOLERANCE_S) return 'too-old';
  if (age < -TOLERANCE_S) return 'in-the-future';
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const wanted = secrets.map((secret) => createHmac('sha256', keyOf(secret)).update(content).digest());
  const given = signature
    .split(' ')
    .flatMap((s) => (s.startsWith('v1,') ? [Buffer.from(s.slice(3), 'base64')] : []));
  return given.some((g) => wanted.some((w) => g.length === w.length && timingSafeEqual(g, w)))
    ? null
    : 'signature-wrong';
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

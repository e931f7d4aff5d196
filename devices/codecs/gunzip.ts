import { gunzip } from 'node:zlib';
import type { QuarantineReason } from '../../contracts/index.ts';
import { type Decoded, rejected } from './codec.ts';

/** Payloads may come compressed: gzip is known by its magic (RFC 1952, 2.3.1), whatever the topic says. */
export function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

export type Inflated = { ok: true; bytes: Buffer } | { ok: false; reason: 'damaged' | 'too-large' };

/** Inflates on the thread pool, and stops at `mostBytes`: a small payload must not become a great one. */
export function inflate(bytes: Buffer, mostBytes: number): Promise<Inflated> {
  return new Promise((resolve) => {
    gunzip(bytes, { maxOutputLength: mostBytes }, (error: NodeJS.ErrnoException | null, result) => {
      if (error === null) resolve({ ok: true, bytes: result });
      else resolve({ ok: false, reason: error.code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'damaged' });
    });
  });
}

/** Hands a payload on to its reader, inflated where it is gzip; why not, where that fails. */
export function inflateThen(
  payload: Buffer,
  mostBytes: number,
  damaged: QuarantineReason,
  decode: (bytes: Buffer) => Decoded,
): Decoded | Promise<Decoded> {
  return isGzip(payload) ? inflatedThen(payload, mostBytes, damaged, decode) : decode(payload);
}

async function inflatedThen(
  payload: Buffer,
  mostBytes: number,
  damaged: QuarantineReason,
  decode: (bytes: Buffer) => Decoded,
): Promise<Decoded> {
  const inflated = await inflate(payload, mostBytes);
  if (inflated.ok) return decode(inflated.bytes);
  if (inflated.reason === 'damaged')
    return rejected(damaged, 'payload: gzip magic, but it cannot be inflated');
  return rejected('payload-too-large', `payload: inflates to more than the allowed ${mostBytes} bytes`);
}

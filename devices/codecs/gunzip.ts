import { gunzip } from 'node:zlib';

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

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Blobs } from '../../backbone/blobs/port.ts';

/** What every adapter of the blobs port must do. Run unchanged against each of them. */

export interface BlobsUnderTest {
  blobs: Blobs;
  reopen(): Promise<Blobs>;
  /** Changes the stored bytes of a blob behind the adapter's back. */
  damage(sha256: string): Promise<void>;
  dispose(): Promise<void>;
}

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export function describeBlobsContract(name: string, open: () => Promise<BlobsUnderTest>): void {
  describe(`blobs contract: ${name}`, () => {
    let one: BlobsUnderTest;
    let blobs: Blobs;
    beforeEach(async () => {
      one = await open();
      blobs = one.blobs;
    });
    afterEach(() => one.dispose());

    it('gives back the bytes by their SHA-256, over a restart', async () => {
      const bytes = Buffer.from('a picture');
      const sha256 = await blobs.put(bytes);
      expect(sha256).toBe(hashOf(bytes));
      blobs = await one.reopen();
      expect(await blobs.get(sha256)).toEqual(bytes);
      expect(await blobs.has(sha256)).toBe(true);
    });

    it('knows nothing of what was never put', async () => {
      const sha256 = hashOf(Buffer.from('never'));
      expect(await blobs.get(sha256)).toBeNull();
      expect(await blobs.has(sha256)).toBe(false);
      await blobs.delete(sha256);
    });

    it('takes the same bytes many times, at once too', async () => {
      const bytes = Buffer.alloc(100_000, 5);
      const names = await Promise.all(Array.from({ length: 10 }, () => blobs.put(bytes)));
      expect(new Set(names)).toEqual(new Set([hashOf(bytes)]));
      expect(await blobs.get(hashOf(bytes))).toEqual(bytes);
    });

    it('never hands out bytes that have changed', async () => {
      const sha256 = await blobs.put(Buffer.from('evidence'));
      await one.damage(sha256);
      await expect(blobs.get(sha256)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });

    it('forgets what was deleted, and takes it again', async () => {
      const sha256 = await blobs.put(Buffer.from('x'));
      await blobs.delete(sha256);
      expect(await blobs.get(sha256)).toBeNull();
      await blobs.put(Buffer.from('x'));
      expect(await blobs.has(sha256)).toBe(true);
    });

    it.each(['', '../../etc/passwd', 'A'.repeat(64), 'a'.repeat(63)])(
      'refuses a name that is none: %j',
      async (bad) => {
        await expect(blobs.get(bad)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      },
    );

    it('keeps whatever bytes, none included', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
          expect([...((await blobs.get(await blobs.put(bytes))) ?? [])]).toEqual([...bytes]);
        }),
        { seed: 20261122, numRuns: 20 },
      );
    });
  });
}

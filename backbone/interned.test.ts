import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Interned } from './interned.ts';

describe('interned texts', () => {
  it('are what decoding gives, whatever the bytes, the first time and every other', () => {
    const interned = new Interned(4);
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(piece, fc.nat(3), (bytes, from) => {
        const start = Math.min(from, bytes.length);
        const said = bytes.toString('utf8', start);
        expect(interned.read(bytes, start, bytes.length)).toBe(said);
        expect(interned.read(bytes, start, bytes.length)).toBe(said);
      }),
      { numRuns: 1_000, seed: 5 },
    );
  });

  it('survive that two of them share a place', () => {
    const interned = new Interned(1);
    for (const text of ['TSP', 'PM10', 'TSP', 'TSp', '尘', 'TSP']) {
      const bytes = Buffer.from(text);
      expect(interned.read(bytes, 0, bytes.length)).toBe(text);
    }
  });
});

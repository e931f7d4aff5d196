import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockEnd, decodeBlock, encodeBlock } from './block.ts';

const records = fc.array(
  fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 20 }), value: fc.uint8Array({ maxLength: 64 }) }),
  { maxLength: 30 },
);

describe('a block', () => {
  it('gives back from any offset on what was packed', () => {
    fc.assert(
      fc.property(
        records,
        fc.nat(2 ** 40),
        fc.nat(40),
        fc.integer({ min: 1, max: 40 }),
        (packed, base, skip, max) => {
          const block = encodeBlock(base, packed);
          expect(blockEnd(block)).toBe(base + packed.length);
          const want = packed.map(({ key, value }, i) => ({ offset: base + i, key, value: [...value] }));
          const got = decodeBlock(block, base + skip, max).map((record) => ({
            ...record,
            value: [...record.value],
          }));
          expect(got).toEqual(want.slice(skip, skip + max));
        },
      ),
      { seed: 20261122, numRuns: 300 },
    );
  });

  it('says that it is damaged when it was cut short, wherever', () => {
    const block = encodeBlock(5, [
      { key: 'a', value: Buffer.from('one') },
      { key: 'b', value: Buffer.from('two') },
    ]);
    for (let length = 0; length < block.byteLength; length++) {
      expect(() => decodeBlock(block.subarray(0, length), 0, 10)).toThrow(
        expect.objectContaining({ code: 'STORE_UNAVAILABLE' }),
      );
    }
  });

  it('refuses a version that it does not know', () => {
    const block = encodeBlock(0, []);
    block.writeUInt8(9, 0);
    expect(() => blockEnd(block)).toThrow(/version is 9/);
  });
});

import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NativePayload, Quality, Statistic } from '../../../contracts/index.ts';
import type { Decoded } from '../codec.ts';
import { nativeJson } from './codec.ts';

const codec = nativeJson({ maxInflatedBytes: 100_000 });
const address = { device: 'dust-01', kind: 'readings', detail: '' } as const;

function decode(payload: Buffer): Decoded | Promise<Decoded> {
  return codec.decode({ address, payload, receivedAt: 0, device: undefined, userProperties: {} });
}

describe('native JSON', () => {
  it('reads back what was written, plain and compressed', async () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    const moment = fc.record({
      time: fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
      asText: fc.boolean(),
      statistic: fc.constantFrom(...Statistic.options),
      readings: fc.dictionary(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter((name) => name !== '__proto__'),
        fc.record({
          value,
          unit: fc.string({ maxLength: 32 }),
          quality: fc.constantFrom(...Quality.options),
        }),
        { minKeys: 1, maxKeys: 4, noNullPrototype: true },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 5 }), async (moments) => {
        const payload = moments.map(({ time, asText, ...rest }) => ({
          time: asText ? new Date(time).toISOString() : time,
          ...rest,
        }));
        const text = JSON.stringify(payload);
        const readings = moments.flatMap(({ time, statistic, readings: of }) =>
          Object.entries(of).map(([property, said]) => ({
            property,
            statistic,
            time,
            ...said,
            value: said.value + 0,
          })),
        );
        for (const bytes of [Buffer.from(text), gzipSync(text)])
          expect(await decode(bytes)).toMatchObject({ kind: 'readings', readings });
      }),
      { seed: 13, numRuns: 200 },
    );
  });

  it('never throws on any bytes, nor on a good message with bytes changed', () => {
    const good = Buffer.from(
      '{"time":1795000000000,"readings":{"PM10":{"value":81.5,"unit":"ug/m3"},"TSP":1e2}}',
    );
    const changed = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    const mutated = changed.map((changes) => {
      const bytes = Buffer.from(good);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        (payload) => {
          fc.pre(payload[0] !== 0x1f || payload[1] !== 0x8b);
          const decoded = decode(payload) as Decoded;
          if (decoded.kind === 'rejected') expect(decoded.detail).not.toBe('');
          else expect(decoded.kind).toBe('readings');
        },
      ),
      { seed: 13, numRuns: 1_500 },
    );
  });

  it('never throws on JSON of any shape, and takes what the schema takes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const decoded = decode(Buffer.from(JSON.stringify(value))) as Decoded;
        expect(decoded.kind).toBe(NativePayload.safeParse(value).success ? 'readings' : 'rejected');
      }),
      { seed: 13, numRuns: 1_000 },
    );
  });

  it('refuses what is nested a hundred thousand times, wherever it stands', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    for (const text of [
      deep,
      `{"time":${deep},"readings":{}}`,
      `{"time":1795000000000,"readings":${deep}}`,
      `{"time":1795000000000,"readings":{"PM10":${deep}}}`,
      `{"time":1795000000000,"readings":{"PM10":1},"more":${deep}}`,
      '{"time":1795000000000,"readings":'.repeat(100_000),
    ])
      expect(decode(Buffer.from(text))).toMatchObject({ kind: 'rejected' });
  });

  it('refuses 1,001 moments, and says how many are allowed', () => {
    const many = Array(1_001).fill({ time: 1_795_000_000_000, readings: { PM10: 1 } });
    const decoded = decode(Buffer.from(JSON.stringify(many)));
    expect(decoded).toMatchObject({ kind: 'rejected', reason: 'schema' });
    expect(decoded).toHaveProperty('detail', expect.stringContaining('at most 1000 entries'));
  });
});

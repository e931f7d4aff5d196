import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NativePayload, Quality, Statistic } from '../../../contracts/index.ts';
import { fastNativePayload } from './fast.ts';

const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Texts and numbers that are times, nearly times, or no times. */
const time = fc.oneof(
  fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
  fc.constantFrom(946_684_799_999, 4_102_444_800_001, 1.5e12 + 0.5, -1, '2026-11-22', '', 'x'.repeat(60)),
  fc.date({ noInvalidDate: true }).map((d) => d.toISOString()),
  fc.constantFrom(
    '2026-11-22T22:05:00+08:00',
    '2026-11-22T22:05+08:00',
    '2026-02-29T00:00:00Z',
    '2028-02-29T00:00:00Z',
    '2026-11-22T22:05:00',
    '2026-11-22T22:05:60Z',
    '2026-11-22t22:05:00z',
    '2026-11-22T22:05:00.123456789-23:59',
  ),
);
const quality = fc.oneof(fc.constantFrom(...Quality.options), fc.constantFrom('good', '', 1, null));
const statistic = fc.oneof(fc.constantFrom(...Statistic.options), fc.constantFrom('mean', 0));
const property = fc.oneof(
  fc.constantFrom('PM10', 'TSP', 'a'.repeat(64), 'a'.repeat(65), '', '__proto__', 'constructor', '字'),
  fc.string(),
);
const reading = fc.oneof(
  { weight: 6, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>('1', null, true, [], {}) },
  fc.record(
    {
      value: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant('2')),
      unit: fc.string({ maxLength: 40 }),
      quality,
      extra: fc.constant(1),
    },
    { requiredKeys: [] },
  ),
);
const message = fc.record(
  {
    time,
    statistic,
    quality,
    readings: fc.dictionary(property, reading, { maxKeys: 4 }),
    more: fc.constant(0),
  },
  { requiredKeys: [] },
);
/** Whole but for, at most, what stands in its readings. */
const nearlyGood = fc.record(
  {
    time,
    quality: fc.constantFrom(...Quality.options),
    readings: fc.dictionary(property, reading, { maxKeys: 2 }),
  },
  { requiredKeys: ['time', 'readings'] },
);
const payload = fc.oneof(message, nearlyGood, fc.array(nearlyGood, { maxLength: 2 }), fc.anything());

describe('fast check of native messages', () => {
  it('takes nothing that the schema refuses, and gives the same value', () => {
    let taken = 0;
    fc.assert(
      fc.property(payload, (input) => {
        const text = JSON.stringify(input);
        fc.pre(text !== undefined);
        const fast = fastNativePayload(JSON.parse(text));
        if (fast === null) return;
        taken += 1;
        const slow = NativePayload.parse(JSON.parse(text));
        expect(fast).toEqual(Array.isArray(slow) ? slow : [slow]);
      }),
      { numRuns: 5_000, seed: 2 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  it('is sure of all that devices usually send', () => {
    const usual = fc.record(
      {
        time: fc.oneof(
          fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
          fc.constant('2026-11-22T22:05:00+08:00'),
        ),
        statistic: fc.constantFrom(...Statistic.options),
        quality: fc.constantFrom(...Quality.options),
        readings: fc.dictionary(
          fc.constantFrom('PM10', 'TSP', 'NH3-N'),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
        ),
      },
      { requiredKeys: ['time', 'readings'] },
    );
    fc.assert(
      fc.property(usual, (input) => {
        const slow = NativePayload.parse(copy(input));
        expect(fastNativePayload(copy(input))).toEqual([slow]);
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  it('leaves 1,001 messages at once to the schema, which refuses them', () => {
    const many = Array.from({ length: 1_001 }, () => ({ time: 1.7e12, readings: { a: 1 } }));
    expect(fastNativePayload(many.slice(1))).toHaveLength(1_000);
    expect(fastNativePayload(many)).toBeNull();
    expect(NativePayload.safeParse(many).success).toBe(false);
  });
});

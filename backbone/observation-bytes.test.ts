import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ObservationBatch, Quality } from '../contracts/index.ts';
import { decodeRecord, encodeRecord } from './codec.ts';
import { appendObservations, countObservations, encodeObservations } from './observation-bytes.ts';
import { QUALITY_CODES, qualityOf } from './quality-codes.ts';
import { PointTable } from './series/point-table.ts';

const observation = fc.record({
  datastream: fc.oneof(
    fc.constantFrom('dust-01/TSP', 'd/PM2.5@minute', '设备/氨"氮\\\n', `d/${'氮'.repeat(64)}@minute`),
    fc.string({ unit: 'binary', maxLength: 200 }),
  ),
  time: fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
  value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  quality: fc.constantFrom(...Quality.options),
});
const batch = fc.record(
  {
    type: fc.constant('observations' as const),
    device: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/),
    receivedAt: fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
    observations: fc.array(observation, { minLength: 1, maxLength: 5 }),
    late: fc.constant(true as const),
    source: fc.oneof(fc.constantFrom('hj212-2017+modbus', 'sparkplug'), fc.string({ maxLength: 64 })),
    clockOffS: fc.integer({ min: -100_000, max: 100_000 }),
  },
  { requiredKeys: ['type', 'device', 'receivedAt', 'observations'] },
);
/** Strings that are no UTF-16 change when they are written as UTF-8, in JSON as here. */
const written = (value: ObservationBatch) => decodeRecord<ObservationBatch>(encodeRecord(value));

describe('observations as bytes', () => {
  it('say what their JSON says', () => {
    fc.assert(
      fc.property(batch, (one) => {
        const value = one as ObservationBatch;
        const bytes = encodeObservations(value);
        expect(decodeRecord(bytes)).toEqual(written(value));
        expect(countObservations(bytes)).toBe(value.observations.length);
        expect(ObservationBatch.safeParse(decodeRecord(new Uint8Array(bytes))).success).toBe(
          ObservationBatch.safeParse(value).success,
        );
      }),
      { numRuns: 1_000, seed: 3 },
    );
  });

  it('become rows of a table behind those that are there', () => {
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 30 }), (batches) => {
        const table = new PointTable(1);
        for (const one of batches) appendObservations(encodeObservations(one as ObservationBatch), table);
        const expected = batches.flatMap((one) => {
          const { observations, receivedAt, source } = written(one as ObservationBatch);
          return observations.map((o) => ({ ...o, receivedAt, ...(source !== undefined && { source }) }));
        });
        expect(Array.from({ length: table.length }, (_, row) => table.at(row))).toEqual(expected);
        table.clear();
        expect(table.length).toBe(0);
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  it('stay as they are when others are written behind them, also over the end of a slab', () => {
    const batches = Array.from({ length: 3_000 }, (_, i) => ({
      type: 'observations' as const,
      device: `device-${i}`,
      receivedAt: 1_795_000_000_000 + i,
      observations: Array.from({ length: 1 + (i % 7) }, (_, k) => ({
        datastream: `device-${i}/P${k}`,
        time: 1_795_000_000_000,
        value: i / 7,
        quality: 'valid' as const,
      })),
    }));
    const bytes = batches.map(encodeObservations);
    expect(bytes.map((one) => decodeRecord(one))).toEqual(batches);
  });

  it('know one that is larger than a slab', () => {
    const large = Array.from({ length: 20_000 }, (_, i) => ({
      datastream: `device/P${i}`,
      time: 1_795_000_000_000 + i,
      value: i,
      quality: 'valid' as const,
    }));
    const value = { type: 'observations' as const, device: 'device', receivedAt: 1_795_000_000_000 };
    expect(decodeRecord(encodeObservations({ ...value, observations: large }))).toEqual({
      ...value,
      observations: large,
    });
  });

  it('leave what is not observations as it was: JSON', () => {
    const tick = { type: 'tick', time: 1_795_000_000_000 };
    expect(Buffer.from(encodeRecord(tick)).toString()).toBe(JSON.stringify(tick));
    expect(decodeRecord(encodeRecord(tick))).toEqual(tick);
  });
});

describe('codes of qualities', () => {
  it('are told apart, and found again', () => {
    for (const quality of Quality.options) expect(qualityOf(QUALITY_CODES[quality])).toBe(quality);
    expect(qualityOf(200)).toBe('unknown');
  });
});

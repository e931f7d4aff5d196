import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { ObservationBatch, Quality } from '../contracts/index.ts';
import { encodeBatch } from './encode-batch.ts';
import { recent } from './recent.ts';

describe('encoding of a batch', () => {
  it('gives what the stream holds of those readings', () => {
    const reading = fc.record({
      property: fc.oneof(
        fc.constantFrom('PM10', '氨"氮\\', '\n'),
        fc.string({ minLength: 1, maxLength: 20 }),
      ),
      statistic: fc.constant('instant' as const),
      time: fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
      value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      unit: fc.constant(null),
      quality: fc.constantFrom(...Quality.options),
    });
    fc.assert(
      fc.property(fc.array(reading, { minLength: 1, maxLength: 4 }), fc.boolean(), (readings, late) => {
        const receivedAt = 1_795_000_000_000;
        const streams = readings.map(({ property }) => ({
          id: `d/${property}`,
          unit: null,
          min: 0,
          max: 1,
          recent: recent(),
        }));
        const batch = decodeRecord<ObservationBatch>(
          encodeBatch('d', receivedAt, { readings, streams }, { late }),
        );
        expect(batch).toEqual({
          type: 'observations',
          device: 'd',
          receivedAt,
          observations: readings.map(({ property, time, value, quality }) => ({
            datastream: `d/${property}`,
            time,
            value,
            quality,
          })),
          ...(late ? { late } : {}),
        });
        expect(ObservationBatch.safeParse(batch).success).toBe(true);
      }),
    );
  });
});

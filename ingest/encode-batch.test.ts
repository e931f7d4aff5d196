import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord } from '../backbone/codec.ts';
import { ObservationBatch, Quality } from '../contracts/index.ts';
import { encodeBatch } from './encode-batch.ts';
import { recent } from './recent.ts';

describe('encoding of a batch by hand', () => {
  it('gives the bytes that encodeRecord gives', () => {
    const reading = fc.record({
      property: fc.oneof(
        fc.constantFrom('PM10', '氨"氮\\', '\n'),
        fc.string({ minLength: 1, maxLength: 20 }),
      ),
      time: fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
      value: fc.double({ noNaN: true, noDefaultInfinity: true }),
      quality: fc.constantFrom(...Quality.options),
    });
    fc.assert(
      fc.property(fc.array(reading, { minLength: 1, maxLength: 4 }), fc.boolean(), (readings, late) => {
        const receivedAt = 1_795_000_000_000;
        const observations = readings.map(({ property, ...rest }) => ({
          datastream: `d/${property}`,
          ...rest,
        }));
        const taken = observations.map(({ datastream: id, ...rest }) => ({
          stream: { id, quotedId: JSON.stringify(id), unit: null, min: 0, max: 1, recent: recent() },
          ...rest,
        }));
        const bytes = encodeBatch('d', receivedAt, taken, { late });
        const batch = {
          type: 'observations',
          device: 'd',
          receivedAt,
          observations,
          ...(late ? { late } : {}),
        };
        expect(Buffer.from(bytes)).toEqual(Buffer.from(encodeRecord(batch)));
        expect(ObservationBatch.safeParse(decodeRecord(bytes)).success).toBe(true);
      }),
    );
  });
});

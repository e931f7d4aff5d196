import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../backbone/project-root.ts';
import { NativePayload, Quality, Statistic } from '../../../contracts/index.ts';
import { nativePayloadJsonSchema } from './json-schema.ts';

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
formats.default(ajv);
const schema = nativePayloadJsonSchema();
/** A validator that is not ours says whether a device may send this. */
const allows = ajv.compile(schema);

const moment = { time: '2026-11-22T22:05:00+08:00', readings: { PM10: 81.5 } };

describe('the JSON Schema of native payloads', () => {
  it('is the one in docs/schemas', () => {
    const file = join(projectRoot, 'docs', 'schemas', 'native-payload.schema.json');
    expect(readFileSync(file, 'utf8')).toBe(`${JSON.stringify(schema, null, 2)}\n`);
  });

  it('allows its own examples', () => {
    const { examples } = schema as { examples: unknown[] };
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(allows(example), JSON.stringify(allows.errors)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a plain value', moment],
    ['epoch milliseconds', { ...moment, time: 1_795_000_000_000 }],
    [
      'a value with unit and quality',
      { ...moment, readings: { TSP: { value: 1, unit: 'mg/m3', quality: 'fault' } } },
    ],
    ['an hourly mean', { ...moment, statistic: 'hour', quality: 'maintenance' }],
    ['1,000 moments', Array(1_000).fill(moment)],
  ])('allows %s', (_, payload) => {
    expect(allows(payload), JSON.stringify(allows.errors)).toBe(true);
    expect(NativePayload.safeParse(payload).success).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a time without a zone', { ...moment, time: '2026-11-22T22:05:00' }],
    ['a day that does not exist', { ...moment, time: '2026-02-30T22:05:00Z' }],
    ['epoch seconds', { ...moment, time: 1_795_000_000 }],
    ['no time', { readings: { PM10: 1 } }],
    ['no readings', { time: moment.time }],
    ['a misspelt field', { ...moment, reading: {} }],
    ['a value as text', { ...moment, readings: { PM10: '81.5' } }],
    ['a property without a name', { ...moment, readings: { '': 1 } }],
    ['a property of 65 characters', { ...moment, readings: { ['a'.repeat(65)]: 1 } }],
    ['a quality of another word', { ...moment, quality: 'good' }],
    ['an unknown field of a value', { ...moment, readings: { PM10: { value: 1, units: 'ug/m3' } } }],
    ['an empty batch', []],
    ['1,001 moments', Array(1_001).fill(moment)],
    ['a bare number', 81.5],
    ['null', null],
  ])('refuses %s', (_, payload) => {
    expect(allows(payload)).toBe(false);
    expect(NativePayload.safeParse(payload).success).toBe(false);
  });

  it('says the same as the check that ingest makes, whatever the payload', () => {
    const time = fc.oneof(
      fc.integer({ min: 946_684_700_000, max: 4_102_444_900_000 }),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((d) => d.toISOString()),
      fc.constantFrom(
        '2026-11-22T22:05:00+08:00',
        '2028-02-29T00:00:00Z',
        '2026-02-29T00:00:00Z',
        '2026-11-22',
        1.5,
      ),
    );
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const reading = fc.oneof(
      number,
      fc.record(
        {
          value: number,
          unit: fc.string({ maxLength: 34 }),
          quality: fc.constantFrom(...Quality.options, 'good'),
        },
        { requiredKeys: ['value'] },
      ),
    );
    // Of `__proto__` zod says that there is no such key.
    const property = fc.string({ maxLength: 66 }).filter((name) => name !== '__proto__');
    const message = fc.record(
      {
        time,
        statistic: fc.constantFrom(...Statistic.options, 'mean'),
        quality: fc.constantFrom(...Quality.options, 'good'),
        readings: fc.dictionary(property, reading, { maxKeys: 3, noNullPrototype: true }),
      },
      { requiredKeys: ['time', 'readings'], noNullPrototype: true },
    );
    const seen = { allowed: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(message, fc.array(message, { maxLength: 3 }), fc.jsonValue()), (payload) => {
        const copy: unknown = JSON.parse(JSON.stringify(payload));
        const ours = NativePayload.safeParse(copy).success;
        seen[ours ? 'allowed' : 'refused'] += 1;
        expect(allows(copy), `${JSON.stringify(copy)} ${JSON.stringify(allows.errors)}`).toBe(ours);
      }),
      { seed: 11, numRuns: 1_500 },
    );
    expect(Math.min(seen.allowed, seen.refused)).toBeGreaterThan(100);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NativePayload, Quality, Statistic, WireTime } from '../../../contracts/index.ts';
import { toReadings } from './codec.ts';
import { rfc3339 } from './rfc3339.ts';
import { scanNativePayload } from './scan.ts';

/** What JSON.parse and the schema make of it; null when they refuse it. */
function bySchema(text: string) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = NativePayload.safeParse(value);
  if (!parsed.success) return null;
  return toReadings(Array.isArray(parsed.data) ? parsed.data : [parsed.data]);
}
const scan = (text: string | Buffer) => scanNativePayload(Buffer.from(text as string));

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

/** Numbers as people and programs write them, and as none may be written. */
const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '0',
    '-0',
    '-0.0',
    '1E3',
    '1e-7',
    '12345678901234567890',
    '0.1234567890123456789',
    '1e999',
    '1e',
    '-',
  ),
  fc.constantFrom(
    '01',
    '.5',
    '5.',
    '+1',
    '0x1',
    '1.e3',
    'NaN',
    'Infinity',
    '-Infinity',
    '1_000',
    '9007199254740993',
  ),
  fc.tuple(fc.integer(), fc.nat()).map(([whole, rest]) => `${whole}.${rest}`),
);
const space = fc.constantFrom('', '', ' ', '\n\t', '\r\n  ');

describe('scan of native payloads', () => {
  it('takes nothing that the schema refuses, and reads the same', () => {
    let taken = 0;
    fc.assert(
      fc.property(payload, fc.constantFrom(0, 1, 2), (input, indent) => {
        const text = JSON.stringify(input, null, indent);
        fc.pre(text !== undefined);
        const scanned = scan(text);
        if (scanned === null) return;
        taken += 1;
        expect(scanned).toEqual(bySchema(text));
      }),
      { numRuns: 5_000, seed: 2 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  it('reads numbers as JSON.parse does, to the last bit, and takes no others', () => {
    fc.assert(
      fc.property(numberText, space, (number, gap) => {
        const text = `{"time":1795000000000,"readings":{"PM10":${gap}${number}${gap},"TSP":{"value":${number}}}}`;
        const scanned = scan(text);
        const expected = bySchema(text);
        if (scanned === null)
          expect(expected?.every(({ value }) => Number.isFinite(value)) ?? false).toBe(false);
        else expect(scanned.map(({ value }) => value)).toEqual(expected?.map(({ value }) => value));
      }),
      { numRuns: 5_000, seed: 3 },
    );
  });

  it('takes nothing that the schema refuses when bytes of a sound payload are changed, cut out or put in', () => {
    const sound = Buffer.from(
      '{"time":"2026-11-22T22:05:00.250+08:00","quality":"valid","readings":{"PM10":{"value":81.5,"unit":"ug/m3"},"TSP":0.25,"氨氮":-1e-3}}',
    );
    const edit = fc.record({
      at: fc.nat(sound.length - 1),
      cut: fc.nat(3),
      put: fc.oneof(
        fc.constantFrom(
          '"',
          ',',
          ':',
          '{',
          '}',
          '[',
          ']',
          '\\',
          '0',
          '-',
          '.',
          'e',
          ' ',
          '\u0000',
          '\u2028',
          '"time":1,',
        ),
        fc.string({ maxLength: 3 }),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), fc.nat(255), (edits, byte) => {
        let bytes = sound;
        for (const { at, cut, put } of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at + cut)]);
        }
        if (byte > 200 && bytes.length > 0) bytes[byte % bytes.length] = byte;
        const scanned = scan(bytes);
        if (scanned !== null) expect(scanned).toEqual(bySchema(bytes.toString('utf8')));
      }),
      { numRuns: 10_000, seed: 5 },
    );
  });

  it('is sure of all that devices usually send, in any order of its fields', () => {
    const usual = fc
      .record(
        {
          time: fc.oneof(
            fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
            fc.constantFrom(
              '2026-11-22T22:05:00+08:00',
              '2026-11-22T14:05:00.5Z',
              '2028-02-29T00:00:00.123-00:30',
            ),
          ),
          statistic: fc.constantFrom(...Statistic.options),
          quality: fc.constantFrom(...Quality.options),
          readings: fc.dictionary(
            fc.constantFrom('PM10', 'TSP', 'NH3-N', '氨氮'),
            fc.oneof(
              fc.double({ noNaN: true, noDefaultInfinity: true }),
              fc.record(
                {
                  value: fc.double({ noNaN: true, noDefaultInfinity: true }),
                  unit: fc.constantFrom('mg/m3', 'μg/m3'),
                  quality: fc.constantFrom(...Quality.options),
                },
                { requiredKeys: ['value'] },
              ),
            ),
          ),
        },
        { requiredKeys: ['time', 'readings'] },
      )
      .chain((one) => fc.shuffledSubarray(Object.entries(one), { minLength: Object.keys(one).length }))
      .map((fields) => Object.fromEntries(fields));
    fc.assert(
      fc.property(fc.oneof(usual, fc.array(usual, { minLength: 1, maxLength: 4 })), (input) => {
        const text = JSON.stringify(input);
        const expected = bySchema(text);
        expect(expected).not.toBeNull();
        expect(scan(text)).toEqual(expected);
      }),
      { numRuns: 1_000, seed: 2 },
    );
  });

  it('leaves 1,001 messages at once to the schema, which refuses them', () => {
    const many = Array.from({ length: 1_001 }, () => ({ time: 1.7e12, readings: { a: 1 } }));
    expect(scan(JSON.stringify(many.slice(1)))).toHaveLength(1_000);
    expect(scan(JSON.stringify(many))).toBeNull();
    expect(NativePayload.safeParse(many).success).toBe(false);
  });

  it('leaves to JSON.parse what only it knows: which of two equal keys holds, and where numbers go as keys', () => {
    for (const readings of ['{"a":1,"a":2}', '{"b":1,"1":2}', '{"\\u0061":1}', '{"__proto__":1}']) {
      const text = `{"time":1795000000000,"readings":${readings}}`;
      expect(scan(text), text).toBeNull();
    }
    expect(scan('{"time":1,"time":1795000000000,"readings":{}}')).toBeNull();
  });
});

describe('RFC 3339 by hand', () => {
  const scanTime = (text: string) => rfc3339(Buffer.from(`"${text}"`), 1, 1 + Buffer.byteLength(text));

  it('is what Date.parse gives for every time that the schema takes', () => {
    const two = fc.nat(70).map((n) => String(n).padStart(2, '0'));
    const date = fc
      .tuple(fc.integer({ min: 1960, max: 2110 }), fc.nat(14), fc.nat(33))
      .map(([year, month, day]) =>
        [year, String(month).padStart(2, '0'), String(day).padStart(2, '0')].join('-'),
      );
    const fraction = fc.oneof(
      fc.constant(''),
      fc.nat(99_999).map((n) => `.${n}`),
      fc.constantFrom('.', '.000', '.05'),
    );
    const zone = fc.oneof(
      fc.constantFrom('Z', 'z', '', '+08:00', '-0800', '+8:00'),
      fc.tuple(two, two).map(([h, m]) => `-${h}:${m}`),
    );
    const text = fc
      .tuple(date, fc.constantFrom('T', 'T', 'T', 't', ' '), two, two, two, fraction, zone)
      .map(([day, t, h, m, s, f, z]) => `${day}${t}${h}:${m}:${s}${f}${z}`);
    let sure = 0;
    fc.assert(
      fc.property(text, (one) => {
        const scanned = scanTime(one);
        if (Number.isNaN(scanned)) return;
        sure += 1;
        expect(WireTime.parse(one)).toBe(scanned);
      }),
      { numRuns: 20_000, seed: 8 },
    );
    expect(sure).toBeGreaterThan(50);
  });

  it('knows each day of 140 years', () => {
    for (let day = Date.UTC(1970, 0, 1); day < Date.UTC(2110, 0, 1); day += 86_400_000) {
      expect(scanTime(`${new Date(day).toISOString().slice(0, 10)}T23:59:59.999Z`)).toBe(day + 86_399_999);
    }
  });
});

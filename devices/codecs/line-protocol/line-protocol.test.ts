import { Point } from '@influxdata/influxdb-client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineProtocol } from './codec.ts';
import { MOST_LINES, parseLines } from './parse.ts';

const codec = lineProtocol({ maxInflatedBytes: 1_000_000 });

/**
 * Names that line protocol can carry: it has no way to write a line break in one, none to end one with a backslash or
 * to have it before a character that is escaped, and a measurement must not begin like a comment.
 */
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[\n\r\t]|\\(?=[ ,=]|$)/.test(text) && !text.startsWith('#'));
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const float = fc.double({ noNaN: true, noDefaultInfinity: true });
const integer = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const field = fc.oneof(
  fc.record({ kind: fc.constant('float'), value: float }),
  fc.record({ kind: fc.constant('integer'), value: integer }),
  fc.record({ kind: fc.constant('unsigned'), value: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('boolean'), value: fc.boolean() }),
  fc.record({ kind: fc.constant('text'), value: text }),
);
const point = fc.record({
  measurement: name,
  tags: fc.uniqueArray(fc.tuple(name, name), { maxLength: 4, selector: ([key]) => key }),
  fields: fc.uniqueArray(fc.tuple(name, field), { minLength: 1, maxLength: 5, selector: ([key]) => key }),
  timestamp: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
});
type PointCase = typeof point extends fc.Arbitrary<infer T> ? T : never;

/** As the official client writes it. */
function written({ measurement, tags, fields, timestamp }: PointCase): string {
  const made = new Point(measurement);
  for (const [key, value] of tags) made.tag(key, value);
  for (const [key, { kind, value }] of fields) {
    if (kind === 'float') made.floatField(key, value);
    else if (kind === 'integer') made.intField(key, value);
    else if (kind === 'unsigned') made.uintField(key, value);
    else if (kind === 'boolean') made.booleanField(key, value);
    else made.stringField(key, value);
  }
  return made.timestamp(String(timestamp)).toLineProtocol() ?? '';
}

function asRead({ measurement, tags, fields, timestamp }: PointCase) {
  const read = fields.map(([key, { value }]): [string, unknown] => {
    if (typeof value === 'string') return [key, { kind: 'text', value }];
    if (typeof value === 'boolean') return [key, { kind: 'boolean', value }];
    // The client writes -0 as 0.
    return [key, { kind: 'number', value: value + 0 }];
  });
  return { measurement, tags: new Map(tags), fields: new Map(read), timestamp };
}

describe('line protocol', () => {
  it("reads exactly what InfluxDB's own client writes, and keeps the line numbers", () => {
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 1, maxLength: 5 }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
        (points, end) => {
          const payload = points.map(written).join(end);
          const { lines, broken } = parseLines(payload);
          expect(broken).toEqual([]);
          expect(lines.map(({ number: _, ...line }) => line)).toEqual(points.map(asRead));
          for (const line of lines) expect(payload.split('\n')[line.number - 1]).not.toBe('');
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });

  it('takes the good lines around a broken one', () => {
    const plain = point.filter(({ fields }) => fields.every(([, { kind }]) => kind !== 'text'));
    const broken = fc.constantFrom(
      'd',
      'd x',
      'd x=',
      'd x=1 y',
      ',a=b c=1',
      'd,a c=1',
      'd c="open',
      'd c=1,c=2',
      'd c="x"y',
    );
    fc.assert(
      fc.property(
        fc.array(plain, { maxLength: 3 }),
        broken,
        fc.array(plain, { maxLength: 3 }),
        (before, bad, after) => {
          const parsed = parseLines([...before.map(written), bad, ...after.map(written)].join('\n'));
          expect(parsed.lines).toHaveLength(before.length + after.length);
          expect(parsed.broken).toEqual([
            expect.objectContaining({ line: before.length + 1, column: expect.any(Number) }),
          ]);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });

  it('never throws, whatever the text, and accounts for every line', () => {
    const special = fc.string({ unit: fc.constantFrom(...' ,="\\\n\r\t#abi1.-+eu'), maxLength: 60 });
    fc.assert(
      fc.property(fc.oneof(special, fc.string({ unit: 'binary' })), (payload) => {
        const { lines, broken } = parseLines(payload);
        const count = payload.split('\n').length;
        for (const { number } of lines) expect(number).toBeLessThanOrEqual(count);
        for (const { line, column, why } of broken) {
          const length = payload.split('\n')[line - 1]?.length ?? -1;
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual(length + 1);
          expect(why).not.toBe('');
        }
      }),
      { seed: 5, numRuns: 2_500 },
    );
  });

  it('never throws on any bytes, whatever the topic', async () => {
    const topics = ['v1/devices/d/line', 'v1/devices/d/line/s', 'telegraf/h/m'];
    const input = fc.tuple(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...topics));
    await fc.assert(
      fc.asyncProperty(input, async ([bytes, topic]) => {
        const address = codec.match(topic);
        if (address === null) throw new Error('no topic of ours');
        const message = { payload: Buffer.from(bytes), receivedAt: 0, device: undefined, userProperties: {} };
        const decoded = await codec.decode({ address, ...message });
        expect(['readings', 'several', 'rejected']).toContain(decoded.kind);
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });

  it('is done with a megabyte of anything in the time of one look at each character', () => {
    const long = 1_000_000;
    for (const text of [
      `d a=${'9'.repeat(long)}x`,
      `d a=1.${'9'.repeat(long)}x`,
      `d a=1e${'9'.repeat(long)}x`,
      `d a=1 ${'9'.repeat(long)}`,
      `d ${' '.repeat(long)}x`,
      '\\'.repeat(long),
      ','.repeat(long),
      'd a="\n'.repeat(long / 6),
      `d a="${'\\"'.repeat(long / 2)}`,
      '#\n'.repeat(long / 2),
    ])
      expect(parseLines(text).lines.length).toBeLessThanOrEqual(MOST_LINES);
  });

  it('tells of too many lines, and takes those before', () => {
    const { lines, broken } = parseLines('d a=1\n'.repeat(MOST_LINES + 5));
    expect(lines).toHaveLength(MOST_LINES);
    expect(broken).toEqual([
      { line: MOST_LINES + 1, column: 1, why: `more than ${MOST_LINES} lines at once` },
    ]);
  });

  it('has its own topics only', () => {
    expect(codec.match('v1/devices/d/line')).toEqual({ device: 'd', kind: 'readings', detail: '' });
    expect(codec.match('v1/devices/d/line/ms')).toEqual({ device: 'd', kind: 'readings', detail: 'ms' });
    expect(codec.match('telegraf/edge/cpu')).toEqual({ device: null, kind: 'readings', detail: '' });
    for (const other of [
      'v1/devices/d/line/m',
      'v1/devices/d/line/toString',
      'v1/devices/d/lines',
      'telegraf',
      'x',
    ])
      expect(codec.match(other)).toBeNull();
  });
});

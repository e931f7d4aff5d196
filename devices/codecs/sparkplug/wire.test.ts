import fc from 'fast-check';
import schema from 'sparkplug-payload/lib/sparkplugPayloadProto.js';
import { describe, expect, it } from 'vitest';
import { wireFault } from './wire.ts';

const { Payload } = schema.org.eclipse.tahu.protobuf;
const bytes = (hex: string) => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

/** Everything that the specification has, in one payload. */
const FULL = Payload.encode(
  Payload.fromObject({
    timestamp: 1_795_000_000_000,
    seq: 3,
    uuid: 'u',
    body: [1, 2],
    metrics: [
      {
        name: '温度',
        alias: 7,
        timestamp: 5,
        datatype: 10,
        isHistorical: true,
        metadata: { isMultiPart: false, size: 4, md5: 'x' },
        properties: {
          keys: ['engUnit', 'nested', 'list'],
          values: [
            { type: 12, stringValue: 'Cel' },
            { type: 20, propertysetValue: { keys: ['a'], values: [{ type: 3, intValue: 1 }] } },
            { type: 21, propertysetsValue: { propertyset: [{ keys: [], values: [] }] } },
          ],
        },
        doubleValue: 1.5,
      },
      {
        name: 'table',
        datasetValue: {
          numOfColumns: 1,
          columns: ['c'],
          types: [3],
          rows: [{ elements: [{ intValue: 1 }] }],
        },
      },
      {
        name: 'template',
        templateValue: {
          version: '1',
          metrics: [{ name: 'in' }],
          parameters: [{ name: 'p', floatValue: 1 }],
        },
      },
    ],
  }),
).finish();

describe('the wire form', () => {
  it('holds what the encoder writes', () => expect(wireFault(FULL)).toBeNull());
  it('may be empty, and have fields of somebody else', () => {
    expect(wireFault(bytes(''))).toBeNull();
    // Field 100: a number, some bytes, and two of fixed width.
    expect(wireFault(bytes('a006 01  a206 02 ffff  a106 0000000000000000  a506 00000000'))).toBeNull();
  });

  it.each([
    [
      'a metric that is longer than the rest',
      '12 05 0a01',
      'payload.metrics: a length of 5 where 2 bytes are left',
    ],
    [
      'a name that is longer than its metric',
      '12 03 0a05 61 0a0a0a0a',
      'payload.metrics.name: a length of 5',
    ],
    ['a number that does not end', '08 ffff', 'payload.timestamp: it is cut short'],
    [
      'a number that is too long',
      '08 ffffffffffffffffffff01',
      'payload.timestamp: a number of more than 10 bytes',
    ],
    ['a timestamp as text', '0a 01 61', 'payload.timestamp: wire type 2'],
    ['a metric as a number', '10 01', 'payload.metrics: wire type 0'],
    ['a group, which protobuf gave up', '0b 0c', 'payload.timestamp: wire type 3'],
    ['a field without a number', '00 01', 'payload: field number 0'],
    ['a name that is no text', '12 04 0a02 c328', 'payload.metrics.name: text that is not UTF-8'],
    [
      '32 bits in seven bytes',
      '12 08 50 ffffffffffff00',
      'payload.metrics.int_value: a 32-bit number of 7 bytes',
    ],
    ['a double of four bytes', '12 05 69 00000000', 'payload.metrics.double_value: a length of 8 where 4'],
  ])('does not hold %s', (_what, hex, says) => expect(wireFault(bytes(hex))).toContain(says));

  it('is not nested without end', () => {
    let metric: object = { name: 'innermost' };
    for (let i = 0; i < 40; i++) metric = { templateValue: { metrics: [metric] } };
    const deep = Payload.encode(Payload.fromObject({ metrics: [metric] })).finish();
    expect(wireFault(deep)).toContain('nested deeper than 16');
  });

  it('does not have parts without end', () => {
    expect(wireFault(Buffer.alloc(600_000, Buffer.from([0x12, 0x00])))).toContain('more than 200000 fields');
  });

  it('is read by the decoder to its end, with the same fields, whenever it is passed', () => {
    const touched = fc.array(fc.tuple(fc.nat(FULL.length - 1), fc.nat(255)), { maxLength: 3 });
    let passed = 0;
    fc.assert(
      fc.property(touched, fc.nat(FULL.length), (changes, end) => {
        const some = Buffer.from(FULL);
        for (const [at, byte] of changes) some[at] = byte;
        const payload = end % 2 === 0 ? some : some.subarray(0, end);
        if (wireFault(payload) !== null) return;
        passed += 1;
        // What was read and written again is sound, too: nothing was read across a border.
        expect(wireFault(Payload.encode(Payload.decode(payload)).finish())).toBeNull();
      }),
      { seed: 2, numRuns: 20_000 },
    );
    expect(passed).toBeGreaterThan(1_000);
  });
});

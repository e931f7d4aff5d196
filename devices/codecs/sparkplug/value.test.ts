import fc from 'fast-check';
import schema from 'sparkplug-payload/lib/sparkplugPayloadProto.js';
import { describe, expect, it } from 'vitest';
import type { Metric } from './payload.ts';
import { statedAs } from './units.ts';
import { readValue } from './value.ts';

/** Metrics as they are after the wire, with the fields of the .proto. */
const { Metric: Message } = schema.org.eclipse.tahu.protobuf.Payload;
const over = (fields: Record<string, unknown>): Metric =>
  Message.decode(Message.encode(Message.fromObject(fields)).finish()) as Metric;

const INT8 = 1;
const INT16 = 2;
const INT32 = 3;
const INT64 = 4;
const UINT8 = 5;
const UINT32 = 7;
const UINT64 = 8;
const FLOAT = 9;
const DOUBLE = 10;
const BOOLEAN = 11;

describe('a number', () => {
  it.each([
    ['Int8 in 32 bits', INT8, { intValue: 0xffffffff }, -1],
    ['Int8 in its own 8 bits', INT8, { intValue: 0x80 }, -128],
    ['Int8', INT8, { intValue: 127 }, 127],
    ['Int16 in its own 16 bits', INT16, { intValue: 0xfffe }, -2],
    ['Int32', INT32, { intValue: 0x80000000 }, -2_147_483_648],
    ['Int32 in the long field', INT32, { longValue: 0xffffffff }, -1],
    ['Int64', INT64, { longValue: -5 }, -5],
    ['Int64, large', INT64, { longValue: Number.MIN_SAFE_INTEGER }, Number.MIN_SAFE_INTEGER],
    ['UInt8', UINT8, { intValue: 255 }, 255],
    ['UInt32 in the int field', UINT32, { intValue: 0xffffffff }, 4_294_967_295],
    ['UInt32 in the long field', UINT32, { longValue: 4_294_967_295 }, 4_294_967_295],
    ['UInt64', UINT64, { longValue: Number.MAX_SAFE_INTEGER }, Number.MAX_SAFE_INTEGER],
    ['Float', FLOAT, { floatValue: 0.8 }, 0.8],
    ['Float, long', FLOAT, { floatValue: 1.23456789 }, 1.2345679],
    ['Double', DOUBLE, { doubleValue: 0.1 + 0.2 }, 0.1 + 0.2],
    ['Boolean', BOOLEAN, { booleanValue: true }, 1],
    ['Boolean, false', BOOLEAN, { booleanValue: false }, 0],
    ['nothing said, a float', 0, { floatValue: -2.5 }, -2.5],
    ['nothing said, a truth', 0, { booleanValue: true }, 1],
  ])('%s', (_what, datatype, fields, value) => {
    expect(readValue(over(fields), datatype)).toEqual({ kind: 'number', value });
  });

  it('of a Float is the decimal that its sender wrote', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -999_999, max: 999_999 }),
        fc.integer({ min: 0, max: 6 }),
        (n, places) => {
          const value = n / 10 ** places;
          expect(readValue(over({ floatValue: value }), FLOAT)).toEqual({ kind: 'number', value: value + 0 });
        },
      ),
      { seed: 1, numRuns: 1_000 },
    );
  });
});

describe('no number', () => {
  it.each([
    ['UInt64 beyond 2^53', UINT64, { longValue: 2 ** 60 }, 'schema', '2^53'],
    ['Int8 of 300', INT8, { intValue: 300 }, 'schema', 'no Int8'],
    ['UInt8 of -1', UINT8, { intValue: 0xffffffff }, 'schema', 'no UInt8'],
    ['a Double as text', DOUBLE, { stringValue: '1' }, 'schema', 'stringValue'],
    ['an Int64 in 32 bits, whose sign is lost', INT64, { intValue: 1 }, 'schema', 'intValue'],
    ['a Boolean as a number', BOOLEAN, { intValue: 1 }, 'schema', 'intValue'],
    ['nothing', DOUBLE, {}, 'schema', 'no value'],
    ['NaN', DOUBLE, { doubleValue: Number.NaN }, 'value-not-finite', 'NaN'],
    ['Infinity', FLOAT, { floatValue: -1 / 0 }, 'value-not-finite', 'Infinity'],
  ])('%s', (_what, datatype, fields, reason, says) => {
    const value = readValue(over(fields), datatype);
    expect(value).toMatchObject({ kind: 'fault', reason });
    expect(value).toHaveProperty('detail', expect.stringContaining(says));
  });

  it('is two at once', () => {
    const first = Message.encode(Message.fromObject({ intValue: 1 })).finish();
    const second = Message.encode(Message.fromObject({ doubleValue: 2 })).finish();
    const both = Message.decode(Buffer.concat([first, second])) as Metric;
    expect(readValue(both, DOUBLE)).toMatchObject({ kind: 'fault', reason: 'schema' });
  });

  it.each([
    ['null', DOUBLE, { isNull: true }, { kind: 'null' }],
    ['an integer of unknown sign', 0, { intValue: 0xffffffff }, { kind: 'untyped' }],
    ['text', 12, { stringValue: 'x' }, { kind: 'no-number', type: 'String' }],
    ['a time', 13, { longValue: 1 }, { kind: 'no-number', type: 'DateTime' }],
    ['an array of Sparkplug 3.0', 22, { bytesValue: [1] }, { kind: 'no-number', type: 'datatype 22' }],
  ])('%s', (_what, datatype, fields, value) => {
    expect(readValue(over(fields), datatype)).toEqual(value);
  });
});

describe('a unit', () => {
  it.each([
    ['mg/m³', 'mg/m3', 'mg/m3'],
    ['mg/m3', null, 'mg/m3'],
    ['dB(A)', 'dB[A]', 'dB[A]'],
    ['dB(A)', 'dB', 'dB'],
    ['banana/fortnight', 'mg/m3', null],
    ['banana/fortnight', 'banana/fortnight', 'banana/fortnight'],
    ['°C', 'K', 'Cel'],
    [null, 'K', null],
  ])('%s, where %s is declared, is %s', (said, declared, unit) => {
    expect(statedAs(said, declared)).toBe(unit);
  });
});

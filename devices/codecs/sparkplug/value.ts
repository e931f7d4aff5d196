import type { Quality } from '../../../contracts/index.ts';
import { type Rejected, shown } from '../codec.ts';
import { has, type Metric, toNumber } from './payload.ts';

/** Numbers of the datatypes (section 6.4.16) that have a number for a value. */
const FLOAT = 9;
const DOUBLE = 10;
const BOOLEAN = 11;
/** Int8 … UInt64: name, bits, signed. */
const INTEGERS: Readonly<Record<number, readonly [name: string, bits: number, signed: boolean]>> = {
  1: ['Int8', 8, true],
  2: ['Int16', 16, true],
  3: ['Int32', 32, true],
  4: ['Int64', 64, true],
  5: ['UInt8', 8, false],
  6: ['UInt16', 16, false],
  7: ['UInt32', 32, false],
  8: ['UInt64', 64, false],
};

const VALUE_FIELDS = [
  'intValue',
  'longValue',
  'floatValue',
  'doubleValue',
  'booleanValue',
  'stringValue',
  'bytesValue',
  'datasetValue',
  'templateValue',
  'extensionValue',
] as const;

/** What a metric's value is to us. */
export type Value =
  | { kind: 'number'; value: number }
  /** The node has no value at this time. */
  | { kind: 'null' }
  /** Text, time, bytes, table, template: not a quantity. */
  | { kind: 'no-number'; type: string }
  /** An integer whose datatype only a birth tells: it may be negative. */
  | { kind: 'untyped' }
  | ({ kind: 'fault' } & Rejected);

/** `datatype`: of the metric itself or of its birth; 0 when neither tells. */
export function readValue(metric: Metric, datatype: number): Value {
  if (metric.isNull === true) return { kind: 'null' };
  const fields = VALUE_FIELDS.filter((field) => has(metric, field));
  const [field] = fields;
  if (fields.length > 1) return fault(`two values, ${fields.join(' and ')}`);
  if (field === undefined) return isNumeric(datatype) || datatype === 0 ? fault('no value') : other(datatype);
  if (datatype === 0) return byField(metric, field);
  const integer = INTEGERS[datatype];
  if (integer !== undefined) return integerOf(metric, field, integer);
  if (datatype === FLOAT || datatype === DOUBLE) {
    if (field === 'floatValue') return finite(shortest(metric.floatValue ?? Number.NaN));
    if (field === 'doubleValue') return finite(metric.doubleValue ?? Number.NaN);
    return misplaced(datatype === FLOAT ? 'Float' : 'Double', field);
  }
  if (datatype !== BOOLEAN) return other(datatype);
  return field === 'booleanValue' ? truth(metric) : misplaced('Boolean', field);
}

/** Without a datatype the field tells, but for integers. */
function byField(metric: Metric, field: (typeof VALUE_FIELDS)[number]): Value {
  if (field === 'floatValue') return finite(shortest(metric.floatValue ?? Number.NaN));
  if (field === 'doubleValue') return finite(metric.doubleValue ?? Number.NaN);
  if (field === 'booleanValue') return truth(metric);
  if (field === 'intValue' || field === 'longValue') return { kind: 'untyped' };
  return { kind: 'no-number', type: field };
}

function truth(metric: Metric): Value {
  return { kind: 'number', value: metric.booleanValue === true ? 1 : 0 };
}

/** Negative ones come as two's complement in an unsigned field, of its own width or of the field's (6.4.17). */
function integerOf(metric: Metric, field: string, type: readonly [string, number, boolean]): Value {
  const [name, bits, signed] = type;
  const n = field === 'longValue' ? fromLong(metric, signed) : fromInt(metric, field, bits, signed);
  if (n === null) return misplaced(name, field);
  const value = signed && bits < 64 && n >= 2 ** (bits - 1) && n < 2 ** bits ? n - 2 ** bits : n;
  if (!Number.isSafeInteger(value)) return fault(`${value}; whole numbers up to 2^53 are kept exactly`);
  const [least, most] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  return value >= least && value <= most ? { kind: 'number', value } : fault(`${value}, which is no ${name}`);
}

function fromInt(metric: Metric, field: string, bits: number, signed: boolean): number | null {
  if (field !== 'intValue' || bits === 64) return null;
  const n = metric.intValue ?? 0;
  return signed ? n | 0 : n;
}

function fromLong(metric: Metric, signed: boolean): number {
  const long = metric.longValue ?? 0;
  if (typeof long === 'number') return long;
  return (signed ? long.toSigned() : long.toUnsigned()).toNumber();
}

/**
 * A Float as its sender meant it: the shortest decimal that is this float. 0.8 must not become 0.800000011920929, which
 * would be above a limit of 0.8.
 */
function shortest(float: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return float;
}

function finite(value: number): Value {
  if (Number.isFinite(value)) return { kind: 'number', value };
  return {
    kind: 'fault',
    reason: 'value-not-finite',
    detail: `${value} found, a finite number is allowed`,
  };
}

function isNumeric(datatype: number): boolean {
  return INTEGERS[datatype] !== undefined || [FLOAT, DOUBLE, BOOLEAN].includes(datatype);
}

function other(datatype: number): Value {
  return { kind: 'no-number', type: OTHERS[datatype] ?? `datatype ${datatype}` };
}

const OTHERS: Readonly<Record<number, string>> = {
  12: 'String',
  13: 'DateTime',
  14: 'Text',
  15: 'UUID',
  16: 'DataSet',
  17: 'Bytes',
  18: 'File',
  19: 'Template',
  20: 'PropertySet',
  21: 'PropertySetList',
};

function misplaced(type: string, field: string): Value {
  return fault(`of type ${type}, but its value stands in ${shown(field)}`);
}

function fault(what: string): Value {
  return { kind: 'fault', reason: 'schema', detail: `${what} found` };
}

/** Names under which makers state a unit. */
const UNIT_KEYS = ['engUnit', 'engUnits', 'Engineering Units', 'Engineering Unit', 'EngUnit', 'unit', 'Unit'];

/** As the maker writes it; null when the metric states none. */
export function statedUnit(metric: Metric): string | null {
  for (const key of UNIT_KEYS) {
    const text = propertyOf(metric, key)?.stringValue;
    if (text != null && text !== '') return text;
  }
  return null;
}

/** Property `Quality` (section 6.4.18) has the codes of OPC: 192 good, 0 bad, 500 stale; without it a value is good. */
export function qualityOf(metric: Metric): Quality {
  const stated = propertyOf(metric, 'Quality');
  if (stated === null) return 'valid';
  const long = has(stated, 'longValue') ? stated.longValue : undefined;
  const code = long == null ? (stated.intValue ?? -1) : toNumber(long);
  if (code === 500) return 'comms-error';
  if (code >= 192 && code <= 255) return 'valid';
  return code >= 0 && code < 64 ? 'fault' : 'unknown';
}

function propertyOf(metric: Metric, key: string) {
  const set = metric.properties;
  if (set == null) return null;
  const at = set.keys?.indexOf(key) ?? -1;
  return at < 0 ? null : (set.values?.[at] ?? null);
}

import { type Rejected, shown } from '../codec.ts';
import { Rejections } from '../rejections.ts';

/**
 * Resolves a SenML pack (RFC 8428, section 4.6): base fields are applied, relative times become times.
 *
 * What is wrong with the pack, its base fields, its version or a field that must be understood rejects the whole: the
 * records behind it could mean anything. What is wrong with one record's own fields rejects that record alone.
 */
export type Label = BaseLabel | 'n' | 'u' | 'v' | 'vs' | 'vb' | 'vd' | 's' | 't' | 'ut';
type BaseLabel = 'bver' | 'bn' | 'bt' | 'bu' | 'bv' | 'bs';
/** One record, by label; unknown labels among them. */
export type SenmlRecord = ReadonlyMap<string, unknown>;

/** A record with a number as its value. */
export interface Resolved {
  /** Path of the record, for people: `[3]`. */
  path: string;
  /** Of the characters that RFC 8428, 4.5.1 allows. */
  name: string;
  /** As sent; null when neither record nor base states one. */
  unit: string | null;
  /** Epoch ms. */
  time: number;
  /** Finite. */
  value: number;
}

export type Resolution =
  | { ok: true; records: Resolved[]; rejected: Rejections }
  | { ok: false; reason: Rejected['reason']; detail: string };

export const MOST_RECORDS = 10_000;
const OUR_VERSION = 10;
/** Section 4.5.3: less is relative to now, from here on it is seconds since 1970. */
const ABSOLUTE_FROM_S = 2 ** 28;
const NAME = /^[A-Za-z0-9][A-Za-z0-9\-:./_]*$/;
const MOST_NAME_CHARACTERS = 300;

const TYPES = {
  bver: 'version',
  bn: 'text',
  bt: 'number',
  bu: 'text',
  bv: 'number',
  bs: 'number',
  n: 'text',
  u: 'text',
  v: 'number',
  vs: 'text',
  vb: 'boolean',
  vd: 'data',
  s: 'number',
  t: 'number',
  ut: 'number',
} as const satisfies Record<Label, string>;
const BASE: readonly BaseLabel[] = ['bver', 'bn', 'bt', 'bu', 'bv', 'bs'];
const REGULAR = ['n', 'u', 'v', 'vs', 'vb', 'vd', 's', 't', 'ut'] as const;
const VALUES = ['v', 'vs', 'vb', 'vd'] as const;

const ALLOWED = {
  version: `a whole number from 1 to ${OUR_VERSION}`,
  text: 'text',
  number: 'a number',
  boolean: 'true or false',
  data: 'base64url text, in CBOR bytes,',
};

interface Base {
  version: number | null;
  name: string;
  timeS: number;
  unit: string | null;
  value: number;
  hasSum: boolean;
}

type Fault = Rejected;

export function resolve(records: readonly SenmlRecord[], receivedAt: number): Resolution {
  if (records.length === 0) return { ok: false, ...schema('payload: empty; at least one record is allowed') };
  if (records.length > MOST_RECORDS)
    return {
      ok: false,
      ...schema(`payload: ${records.length} records; at most ${MOST_RECORDS} are allowed`),
    };
  const base: Base = { version: null, name: '', timeS: 0, unit: null, value: 0, hasSum: false };
  const resolved: Resolved[] = [];
  const rejected = new Rejections();
  for (const [i, record] of records.entries()) {
    const path = `[${i}]`;
    const wrong = notUnderstood(record, path) ?? applyBase(base, record, path, i === 0);
    if (wrong !== null) return { ok: false, ...wrong };
    if (!REGULAR.some((label) => record.has(label))) continue;
    const one = resolveOne(base, record, path, receivedAt);
    if ('reason' in one) rejected.add(one.reason, () => one.detail);
    else resolved.push(one);
  }
  return { ok: true, records: resolved, rejected };
}

/** Section 12.3.1: what is not known is passed over, unless its label ends with `_`. */
function notUnderstood(record: SenmlRecord, path: string): Fault | null {
  for (const label of record.keys()) {
    if (!label.endsWith('_')) continue;
    return schema(`${path}.${label.slice(0, 60)}: must be understood, and is not known here`);
  }
  return null;
}

/** Section 4.1: base fields hold from their record on. */
function applyBase(base: Base, record: SenmlRecord, path: string, first: boolean): Fault | null {
  for (const label of BASE) {
    const wrong = wrongType(record, label, path);
    if (wrong !== null) return { ...wrong, reason: 'schema' };
  }
  const version = (record.get('bver') as number | undefined) ?? (first ? OUR_VERSION : undefined);
  if (version !== undefined && base.version !== null && version !== base.version)
    return schema(`${path}.bver: ${version} found; ${base.version}, as in the records before, is allowed`);
  base.version = version ?? base.version;
  base.name = (record.get('bn') as string | undefined) ?? base.name;
  base.timeS = (record.get('bt') as number | undefined) ?? base.timeS;
  base.unit = (record.get('bu') as string | undefined) ?? base.unit;
  base.value = (record.get('bv') as number | undefined) ?? base.value;
  base.hasSum ||= record.has('bs');
  return null;
}

function resolveOne(base: Base, record: SenmlRecord, path: string, receivedAt: number): Resolved | Fault {
  for (const label of REGULAR) {
    const wrong = wrongType(record, label, path);
    if (wrong !== null) return wrong;
  }
  const name = base.name + ((record.get('n') as string | undefined) ?? '');
  if (!NAME.test(name) || name.length > MOST_NAME_CHARACTERS) return badName(name, path);
  const value = statedValue(base, record, `${path} ${name}`);
  if (typeof value !== 'number') return value;
  const t = base.timeS + ((record.get('t') as number | undefined) ?? 0);
  const time = Math.round(t < ABSOLUTE_FROM_S ? receivedAt + t * 1_000 : t * 1_000);
  const unit = (record.get('u') as string | undefined) ?? base.unit;
  return { path, name, unit: unit === '' ? null : unit, time, value };
}

/** Section 4.2: exactly one value; none where there is a sum. */
function statedValue(base: Base, record: SenmlRecord, where: string): number | Fault {
  const stated = VALUES.filter((label) => record.has(label));
  const [label] = stated;
  if (stated.length > 1) return schema(`${where}: ${stated.join(' and ')} found; one of them is allowed`);
  if (label === undefined) {
    if (record.has('s') || base.hasSum)
      return schema(`${where}: a sum without a value found; a value is allowed, sums are not kept`);
    return schema(`${where}: no value found; v or vb is allowed`);
  }
  const said = record.get(label);
  if (label === 'vb') return said === true ? 1 : 0;
  if (label !== 'v') return schema(`${where}: ${label} found, which is no number; v or vb is allowed`);
  const value = (said as number) + base.value;
  if (Number.isFinite(value)) return value;
  return { reason: 'value-not-finite', detail: `${where}: ${value} found, a finite number is allowed` };
}

function badName(name: string, path: string): Fault {
  if (name === '') return schema(`${path}.n: no name found, and no base name; a name is allowed`);
  const rule = `letters, digits and - : . / _ are allowed, a letter or digit first, at most ${MOST_NAME_CHARACTERS} of them`;
  return schema(`${path} name: ${shown(name)} found; ${rule}`);
}

function wrongType(record: SenmlRecord, label: Label, path: string): Fault | null {
  if (!record.has(label)) return null;
  const value = record.get(label);
  const type = TYPES[label];
  if (fits(value, type)) return null;
  const detail = `${path}.${label}: ${seen(value)} found; ${ALLOWED[type]} is allowed`;
  const notFinite = typeof value === 'number' && type === 'number';
  return { reason: notFinite ? 'value-not-finite' : 'schema', detail };
}

function fits(value: unknown, type: (typeof TYPES)[Label]): boolean {
  switch (type) {
    case 'version':
      return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= OUR_VERSION;
    case 'text':
      return typeof value === 'string';
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'data':
      return typeof value === 'string' || value instanceof Uint8Array;
  }
}

function seen(value: unknown): string {
  return typeof value === 'number' ? String(value) : shown(value);
}

function schema(detail: string): Fault {
  return { reason: 'schema', detail };
}

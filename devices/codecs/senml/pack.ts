import { type Rejected, rejected, shown } from '../codec.ts';
import { parseJson } from '../json-text.ts';
import { decodeCbor } from './cbor.ts';
import type { Label, SenmlRecord } from './resolve.ts';

/**
 * Bytes → the records of a pack, in JSON (RFC 8428, section 5) or CBOR (section 6), told by the first byte: in CBOR a
 * pack begins with an array or a tag, whose bytes no JSON text can begin with.
 */
export type Pack = { ok: true; records: SenmlRecord[] } | ({ ok: false } & Rejected);

/** Table 4 of RFC 8428. */
const CBOR_LABELS: ReadonlyMap<unknown, Label> = new Map([
  [-1, 'bver'],
  [-2, 'bn'],
  [-3, 'bt'],
  [-4, 'bu'],
  [-5, 'bv'],
  [-6, 'bs'],
  [0, 'n'],
  [1, 'u'],
  [2, 'v'],
  [3, 'vs'],
  [4, 'vb'],
  [5, 's'],
  [6, 't'],
  [7, 'ut'],
  [8, 'vd'],
]);

export function readPack(bytes: Buffer): Pack {
  const cbor = isCbor(bytes);
  const parsed = cbor ? decodeCbor(bytes) : parseJson(bytes.toString('utf8'));
  if (!parsed.ok) return { ok: false, reason: parsed.reason, detail: parsed.detail };
  if (!Array.isArray(parsed.value)) return wrong('payload', parsed.value, 'an array of records');
  const records: SenmlRecord[] = [];
  for (const [i, item] of (parsed.value as unknown[]).entries()) {
    const record = cbor ? fromCbor(item) : fromJson(item);
    if (record === null) return wrong(`[${i}]`, item, `a record (${cbor ? 'a map' : 'an object'})`);
    if (typeof record === 'string') return { ok: false, reason: 'schema', detail: `[${i}].${record}` };
    records.push(record);
  }
  return { ok: true, records };
}

/** Major types 4 to 6 (RFC 8949, 3.1), leaving out 0xef: it begins the byte order mark of a text. */
function isCbor(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0;
  return first >= 0x80 && first <= 0xdf;
}

function fromJson(item: unknown): SenmlRecord | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return null;
  return new Map(Object.entries(item));
}

/** Labels that are neither text nor in the table mean nothing, and are left out. */
function fromCbor(item: unknown): SenmlRecord | string | null {
  if (!(item instanceof Map)) return null;
  const record = new Map<string, unknown>();
  for (const [key, value] of item) {
    const label = typeof key === 'string' ? key : CBOR_LABELS.get(key);
    if (label === undefined) continue;
    if (record.has(label)) return `${label}: found as a number and as text; one of them is allowed`;
    record.set(label, value);
  }
  return record;
}

function wrong(path: string, found: unknown, allowed: string): Pack {
  const what = found instanceof Map ? 'a map' : shown(found);
  return { ok: false, ...rejected('schema', `${path}: ${what} found; ${allowed} is allowed`) };
}

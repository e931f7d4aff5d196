import { isUtf8 } from 'node:buffer';
import type { DeviceDirectory } from '../../../backbone/index.ts';
import type { QuarantineReason, RegisteredDevice } from '../../../contracts/index.ts';
import { parseDeviceTopic } from '../../topics.ts';
import {
  type Codec,
  type CodecInput,
  type Decoded,
  type DecodedOne,
  type Reading,
  type Rejected,
  rejected,
  shown,
} from '../codec.ts';
import { declaredAs, declaredNames, declares } from '../declared.ts';
import { inflateThen } from '../gunzip.ts';
import { MOST_STRANGERS, Rejections } from '../rejections.ts';
import { type Line, parseLines } from './parse.ts';
import type { FieldValue } from './values.ts';

/**
 * InfluxDB line protocol, as Telegraf's MQTT output and many gateways send it; gzip allowed:
 *
 *   v1/devices/<id>/line[/<precision>]   lines of one device
 *   telegraf/<anything>                  Telegraf's own topics; whose a line is says its tag device, device_id or host
 *
 * The precision of timestamps is `ns` unless the topic says `us`, `ms` or `s`: it is never guessed. Time is kept to the
 * millisecond; a line without a timestamp is of the moment of receipt. Booleans are 0 and 1; text is refused by name.
 * A broken line is refused by line and column, and the others are taken.
 */
export interface LineProtocolOptions {
  maxInflatedBytes: number;
  devices?: Pick<DeviceDirectory, 'find'>;
}

const SOURCE = 'line-protocol';
/** Of a millisecond, in units of the timestamp; `s` is the other way round. */
const PER_MS = { ns: 1_000_000n, us: 1_000n, ms: 1n, s: null } as const;
type Precision = keyof typeof PER_MS;
const DEVICE_TAGS = ['device', 'device_id', 'host'];
/** As the registry bounds an address. */
const MOST_TAG_CHARACTERS = 190;

export function lineProtocol(options: LineProtocolOptions): Codec {
  return {
    name: 'line-protocol',
    match(topic) {
      if (topic.startsWith('telegraf/')) return { device: null, kind: 'readings', detail: '' };
      const at = parseDeviceTopic(topic);
      if (at?.channel !== 'line' || (at.rest !== '' && !Object.hasOwn(PER_MS, at.rest))) return null;
      return { device: at.device, kind: 'readings', detail: at.rest };
    },
    decode(input) {
      return inflateThen(input.payload, options.maxInflatedBytes, 'malformed', (bytes) =>
        decodeLines(input, bytes, options),
      );
    },
  };
}

function decodeLines(input: CodecInput, bytes: Buffer, { devices }: LineProtocolOptions): Decoded {
  if (!isUtf8(bytes))
    return rejected('malformed', 'payload: bytes that are not UTF-8; lines of text are allowed');
  const { lines, broken } = parseLines(bytes.toString('utf8'));
  const faults = new Rejections();
  for (const one of broken)
    faults.add('malformed', () => `line ${one.line}, column ${one.column}: ${one.why}`);
  if (lines.length === 0) return nothingIn(faults.list());
  const precision = (input.address.detail === '' ? 'ns' : input.address.detail) as Precision;
  const timeOf = (line: Line) => time(line, precision, input.receivedAt);
  if (input.address.device === null) return ofSeveral(lines, faults, timeOf, devices);
  return ofOne(lines, faults, input.device, timeOf);
}

function time({ timestamp }: Line, precision: Precision, receivedAt: number): number {
  if (timestamp === null) return receivedAt;
  const perMs = PER_MS[precision];
  return Number(perMs === null ? timestamp * 1_000n : timestamp / perMs);
}

/** Why a field is not taken; the sentence is made only when it is told. */
interface Wrong {
  reason: QuarantineReason;
  why: () => string;
}

/** Two measurements whose fields mean one property are two probes under one name: neither is taken. */
function ofOne(
  lines: readonly Line[],
  rejections: Rejections,
  device: RegisteredDevice | undefined,
  timeOf: (line: Line) => number,
): DecodedOne {
  const found = lines.flatMap((line) =>
    [...line.fields].map(([field, value]) => ({ line, field, value, ...propertyOf(line, field, device) })),
  );
  const shared = sharedProperties(found);
  const readings: Reading[] = [];
  for (const { line, field, value, property } of found) {
    const wrong = property === null ? undeclared(line, field, device) : notTaken(value, property, shared);
    if (wrong === null) readings.push(toReading(property ?? field, value, timeOf(line), device));
    else rejections.add(wrong.reason, () => `line ${line.number}, field ${shown(field)}: ${wrong.why()}`);
  }
  return { kind: 'readings', readings, rejected: rejections.list(), source: SOURCE };
}

/** The most exact name that the device declares; `head`: the measurement, where the field's name alone was found. */
function propertyOf(
  { measurement }: Line,
  field: string,
  device: RegisteredDevice | undefined,
): { property: string | null; head: string } {
  if (device === undefined) return { property: field, head: '' };
  const exact = [`${measurement}_${field}`, `${measurement}.${field}`, `${measurement}/${field}`];
  if (field === 'value') exact.push(measurement);
  const property = exact.find((name) => declares(device, name));
  if (property !== undefined) return { property, head: '' };
  return { property: declares(device, field) ? field : null, head: measurement };
}

function sharedProperties(found: readonly { property: string | null; head: string }[]): Set<string> {
  /** First head by property. */
  const heads = new Map<string, string>();
  const shared = new Set<string>();
  for (const { property, head } of found) {
    if (property === null) continue;
    const before = heads.get(property);
    if (before === undefined) heads.set(property, head);
    else if (before !== head) shared.add(property);
  }
  return shared;
}

function notTaken(field: FieldValue, property: string | null, shared: ReadonlySet<string>): Wrong | null {
  if (property !== null && shared.has(property)) {
    const rule = 'declare measurement_field to tell them apart';
    return {
      reason: 'property-undeclared',
      why: () => `several measurements of this message mean ${property}; ${rule}`,
    };
  }
  const { kind, value } = field;
  if (kind === 'text')
    return { reason: 'schema', why: () => `${shown(value)} found; a number or a boolean is allowed` };
  if (kind === 'boolean' || Number.isFinite(value)) return null;
  return { reason: 'value-not-finite', why: () => `${value} found, a finite number is allowed` };
}

function undeclared({ measurement }: Line, field: string, device: RegisteredDevice | undefined): Wrong {
  const tried = () => `neither ${field} nor ${measurement}_${field} is declared`.slice(0, 200);
  const declared = () => (device === undefined ? '' : `; ${declaredNames(device)}`);
  return { reason: 'property-undeclared', why: () => tried() + declared() };
}

function toReading(
  property: string,
  field: FieldValue,
  time: number,
  device: RegisteredDevice | undefined,
): Reading {
  const { statistic } = declaredAs(device, property);
  return { property, statistic, time, value: Number(field.value), unit: null, quality: 'valid' };
}

function ofSeveral(
  lines: readonly Line[],
  faults: Rejections,
  timeOf: (line: Line) => number,
  devices: LineProtocolOptions['devices'],
): Decoded {
  /** By device id, or by the address of a device that the registry does not have. */
  const groups = new Map<string, { device: RegisteredDevice | undefined; lines: Line[] }>();
  let strangers = 0;
  for (const line of lines) {
    const named = deviceTag(line);
    if (named === null) {
      faults.add('schema', () => `line ${line.number}: no tag ${DEVICE_TAGS.join(', ')} tells whose it is`);
      continue;
    }
    const device = devices?.find(`line:${named}`) ?? devices?.find(named);
    const key = device?.id ?? `line:${named}`;
    const known = groups.get(key);
    if (device === undefined && known === undefined) {
      strangers += 1;
      if (strangers > MOST_STRANGERS) {
        faults.add(
          'device-unknown',
          () => `line ${line.number}: device ${shown(key)} is not in the registry`,
        );
        continue;
      }
    }
    const group = known ?? { device, lines: [] };
    groups.set(key, group);
    group.lines.push(line);
  }
  const parts = [...groups].map(([key, group]) => ({
    device: key,
    decoded: ofOne(group.lines, new Rejections(), group.device, timeOf),
  }));
  const rejected = faults.list();
  if (parts.length === 0) return nothingIn(rejected);
  return { kind: 'several', parts, ...(rejected.length === 0 ? {} : { rejected }) };
}

function deviceTag({ tags }: Line): string | null {
  const tag = DEVICE_TAGS.find((name) => tags.has(name));
  return tag === undefined ? null : (tags.get(tag) ?? '').slice(0, MOST_TAG_CHARACTERS);
}

function nothingIn(faults: readonly Rejected[]): Decoded {
  const [first] = faults;
  if (first === undefined)
    return rejected('malformed', 'payload: no line in it; at least one line is allowed');
  return rejected(
    first.reason,
    faults
      .slice(0, 10)
      .map(({ detail }) => detail)
      .join('. '),
  );
}

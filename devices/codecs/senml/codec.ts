import type { DeviceDirectory } from '../../../backbone/index.ts';
import type { RegisteredDevice } from '../../../contracts/index.ts';
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
import { declaredAs } from '../declared.ts';
import { inflateThen } from '../gunzip.ts';
import { MOST_STRANGERS, Rejections } from '../rejections.ts';
import { type Property, propertyNamed, propertyOf, splitName } from './names.ts';
import { readPack } from './pack.ts';
import { type Resolved, resolve } from './resolve.ts';
import { ucumOf } from './units.ts';

/**
 * SenML (RFC 8428) in JSON or CBOR, gzip allowed, all three told by the first byte:
 *
 *   v1/devices/<id>/senml   one device's own pack
 *   senml[/<anything>]      a pack of several devices, as a gateway sends it
 *
 *   bytes ─pack.ts▶ records ─resolve.ts▶ names, times, units, values ─names.ts▶ device and property
 *
 * Values are numbers: `v`, and `vb` as 0 or 1. Text, data and sums are refused by name. Time is kept to the millisecond.
 */
export interface SenmlOptions {
  maxInflatedBytes: number;
  devices?: Pick<DeviceDirectory, 'find'>;
}

const SOURCE = 'senml';

export function senml(options: SenmlOptions): Codec {
  return {
    name: 'senml',
    match(topic) {
      if (topic === 'senml' || topic.startsWith('senml/'))
        return { device: null, kind: 'readings', detail: '' };
      const at = parseDeviceTopic(topic);
      if (at?.channel !== 'senml' || at.rest !== '') return null;
      return { device: at.device, kind: 'readings', detail: '' };
    },
    decode(input) {
      return inflateThen(input.payload, options.maxInflatedBytes, 'malformed', (bytes) =>
        decodePlain(input, bytes, options),
      );
    },
  };
}

function decodePlain(input: CodecInput, bytes: Buffer, { devices }: SenmlOptions): Decoded {
  const pack = readPack(bytes);
  if (!pack.ok) return rejected(pack.reason, pack.detail);
  const resolution = resolve(pack.records, input.receivedAt);
  if (!resolution.ok) return rejected(resolution.reason, resolution.detail);
  const { records, rejected: broken } = resolution;
  if (input.address.device === null) return ofSeveral(records, broken, devices);
  return ofOne(records, broken, input.device, (record) =>
    input.device === undefined
      ? { ok: true, property: record.name, head: '' }
      : propertyOf(record.name, record.unit, input.device),
  );
}

/** Two unknown heads before one property are two probes under one name: neither is taken. */
function ofOne(
  records: readonly Resolved[],
  rejections: Rejections,
  device: RegisteredDevice | undefined,
  find: (record: Resolved) => Property,
): DecodedOne {
  const found = records.map((record) => ({ record, property: find(record) }));
  /** First head by property. */
  const heads = new Map<string, string>();
  const shared = new Set<string>();
  for (const { property } of found) {
    if (!property.ok) continue;
    const before = heads.get(property.property);
    if (before === undefined) heads.set(property.property, property.head);
    else if (before !== property.head) shared.add(property.property);
  }
  const readings: Reading[] = [];
  for (const { record, property } of found) {
    if (property.ok && !shared.has(property.property))
      readings.push(toReading(record, property.property, device));
    else rejections.add('property-undeclared', () => undeclared(record, property));
  }
  return { kind: 'readings', readings, rejected: rejections.list(), source: SOURCE };
}

function toReading(record: Resolved, property: string, device: RegisteredDevice | undefined): Reading {
  const { time, value, unit } = record;
  const declared = declaredAs(device, property);
  return {
    property,
    statistic: declared.statistic,
    time,
    value,
    unit: ucumOf(unit, declared.unit),
    quality: 'valid',
  };
}

function undeclared(record: Resolved, property: Property): string {
  const why = property.ok ? `other names of this pack mean ${property.property} too` : property.why;
  return `${record.path} ${shown(record.name)}: ${why}`;
}

function ofSeveral(
  records: readonly Resolved[],
  rejections: Rejections,
  devices: SenmlOptions['devices'],
): Decoded {
  /** By device id, or by the address of a device that the registry does not have. */
  const groups = new Map<string, { device: RegisteredDevice | undefined; of: Map<Resolved, string> }>();
  let strangers = 0;
  for (const record of records) {
    const split = splitName(record.name, devices);
    if (split === null) {
      const rule = 'the name of a device, one of / : _ . - and a property are allowed';
      rejections.add('schema', () => `${record.path} ${shown(record.name)}: ${rule}`);
      continue;
    }
    const key = split.device === null ? split.address : split.device.id;
    const known = groups.get(key);
    if (split.device === null && known === undefined) {
      strangers += 1;
      if (strangers > MOST_STRANGERS) {
        rejections.add('device-unknown', () => `${record.path}: device ${shown(key)} is not in the registry`);
        continue;
      }
    }
    const group = known ?? { device: split.device ?? undefined, of: new Map<Resolved, string>() };
    groups.set(key, group);
    group.of.set(record, split.rest);
  }
  const parts = [...groups].map(([key, { device, of }]) => ({
    device: key,
    decoded: ofOne([...of.keys()], new Rejections(), device, (record) => {
      const rest = of.get(record) ?? '';
      return device === undefined
        ? { ok: true, property: rest, head: '' }
        : propertyNamed(rest, record.unit, device);
    }),
  }));
  const rejected = rejections.list();
  if (parts.length === 0) return onlyRejected(rejected);
  return { kind: 'several', parts, ...(rejected.length === 0 ? {} : { rejected }) };
}

function onlyRejected(rejections: readonly Rejected[]): Decoded {
  const [first] = rejections;
  if (first === undefined)
    return rejected('schema', 'payload: base fields only; at least one record with a value is allowed');
  const details = rejections.slice(0, 10).map(({ detail }) => detail);
  return rejected(first.reason, details.join('. '));
}

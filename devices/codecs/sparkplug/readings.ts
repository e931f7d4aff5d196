import type { RegisteredDevice } from '../../../contracts/index.ts';
import { type DecodedOne, type Reading, type Rejected, shown } from '../codec.ts';
import { Rejections } from '../rejections.ts';
import { type Announced, aliasOf, type Birth, LIMITS } from './nodes.ts';
import { has, type Metric, type SparkplugPayload, toNumber } from './payload.ts';
import { statedAs } from './units.ts';
import { qualityOf, readValue, statedUnit, type Value } from './value.ts';

/** What is known of whoever's metrics these are. */
export interface Speaker {
  /** Null: its birth was not heard. */
  birth: Birth | null;
  /** Its record in the registry; `unasked`: there is no registry to ask, and every metric is taken for a property. */
  device: RegisteredDevice | 'unasked' | undefined;
  /** The payload is a birth: it announces everything, whether the registry has it or not. */
  born: boolean;
}

/** Session and commands of the protocol itself; never readings. */
const CONTROL = /^(?:bdSeq$|Node Control\/|Device Control\/)/;

/**
 * Metrics to readings.
 *
 *   1 name       its own, or by its alias            birth-missing
 *   2 property   the name, or its last segment when only one metric of the birth ends so
 *   3 value      by datatype, its own or the birth's schema, value-not-finite
 *   4 time       the metric's, else the payload's     schema
 *
 * Births announce everything that a node has: what the registry does not declare is passed over there, quietly. So are
 * text, tables and nulls everywhere, unless a declared property comes as one. In DATA, a number that is not declared is a
 * reading under its whole name: ingest refuses it (property-undeclared).
 */
export function readingsOf(payload: SparkplugPayload, speaker: Speaker): DecodedOne {
  const readings: Reading[] = [];
  const rejections = new Rejections();
  const properties = propertiesOf(speaker);
  for (const [i, metric] of payload.metrics.entries()) {
    const one = readingOf(metric, payload.timestamp, speaker, properties);
    if (one === null) continue;
    if ('reason' in one) rejections.add(one.reason, () => `metrics[${i}]${one.detail}`);
    else readings.push(one);
  }
  const rejected = rejections.list();
  if (readings.length === 0 && rejected.length === 0) return { kind: 'nothing' };
  return { kind: 'readings', readings, rejected, source: 'sparkplug' };
}

function readingOf(
  metric: Metric,
  payloadTime: number | null,
  { birth, born, device }: Speaker,
  properties: Properties,
): Reading | Rejected | null {
  const announced = announcedOf(metric, birth);
  const name = metric.name || announced?.name;
  if (name === undefined) return nameless(metric, birth);
  if (CONTROL.test(name)) return null;
  if (name.length > LIMITS.nameLength) return born ? null : longName(name);
  const value = readValue(metric, metric.datatype || (announced?.datatype ?? 0));
  if (value.kind === 'null') return null;
  const property = properties.of(name);
  if (property === 'told-by-birth')
    return birthMissing(` ${shown(name)}: the property of a name that is not`);
  if (property === null && (born || value.kind === 'no-number')) return null;
  if (value.kind === 'untyped' && birth === null)
    return birthMissing(` ${shown(name)}: the type of an integer`);
  if (value.kind !== 'number') return notTaken(name, value);
  const time =
    has(metric, 'timestamp') && metric.timestamp != null ? toNumber(metric.timestamp) : payloadTime;
  if (time === null) return schema(` ${shown(name)}: no timestamp found, nor one of the payload`);
  const declared = declaredUnit(device, property);
  const unit = statedAs(statedUnit(metric) ?? announced?.unit ?? null, declared);
  const quality = qualityOf(metric);
  return { property: property ?? name, statistic: 'instant', time, value: value.value, unit, quality };
}

function announcedOf(metric: Metric, birth: Birth | null): Announced | undefined {
  if (birth === null) return undefined;
  if (metric.name) return birth.metrics.get(metric.name);
  const alias = aliasOf(metric);
  return alias === null ? undefined : birth.aliases.get(alias);
}

function nameless(metric: Metric, birth: Birth | null): Rejected {
  const alias = aliasOf(metric);
  if (alias === null) return schema(': neither a name nor an alias found');
  return birth === null
    ? birthMissing(`: what alias ${alias} stands for`)
    : {
        reason: 'birth-missing',
        detail: `: alias ${alias} found, which its birth does not have, or has twice`,
      };
}

function notTaken(name: string, value: Exclude<Value, { kind: 'number' | 'null' }>): Rejected {
  if (value.kind === 'no-number') return schema(` ${shown(name)}: ${value.type} found, a number is allowed`);
  if (value.kind === 'untyped')
    return schema(` ${shown(name)}: an integer without a datatype, nor one in its birth`);
  return { reason: value.reason, detail: ` ${shown(name)}: ${value.detail}` };
}

function longName(name: string): Rejected {
  return schema(`: a name of ${name.length} characters found, ${LIMITS.nameLength} are allowed`);
}

function birthMissing(what: string): Rejected {
  return { reason: 'birth-missing', detail: `${what} is told by its birth, which has not been heard` };
}

function schema(detail: string): Rejected {
  return { reason: 'schema', detail };
}

interface Properties {
  /** Null: not declared. `told-by-birth`: it might be, under its last segment. */
  of(name: string): string | null | 'told-by-birth';
}

const ANY: Properties = { of: (name) => name };
const NONE: Properties = { of: () => null };

/** By the birth that they were worked out from, for the registry's record of that time. */
const workedOut = new WeakMap<Birth, { device: RegisteredDevice; properties: Properties }>();

/** Which property a metric is, by the device's datastreams and the names of its birth. */
function propertiesOf({ device, birth }: Speaker): Properties {
  if (device === 'unasked') return ANY;
  if (device === undefined) return NONE;
  const known = birth === null ? undefined : workedOut.get(birth);
  if (known?.device === device) return known.properties;
  const properties = workOut(device, birth);
  if (birth !== null) workedOut.set(birth, { device, properties });
  return properties;
}

function workOut(device: RegisteredDevice, birth: Birth | null): Properties {
  const declared = new Set<string>();
  for (const { property, statistic } of device.datastreams)
    if (statistic === 'instant') declared.add(property);
  const endings = birth === null ? null : endingsOf(birth, declared);
  return {
    of(name) {
      if (declared.has(name)) return name;
      const last = lastSegment(name);
      if (last === name || !declared.has(last)) return null;
      if (endings === null) return 'told-by-birth';
      return endings.get(last) === name ? last : null;
    },
  };
}

/** The one metric of the birth that ends in a declared property, by property; '' where there are several. */
function endingsOf(birth: Birth, declared: ReadonlySet<string>): ReadonlyMap<string, string> {
  const endings = new Map<string, string>();
  for (const name of birth.metrics.keys()) {
    const last = lastSegment(name);
    if (declared.has(last)) endings.set(last, endings.has(last) ? '' : name);
  }
  return endings;
}

function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function declaredUnit(device: Speaker['device'], property: string | null): string | null {
  if (device === 'unasked' || device === undefined || property === null) return null;
  return (
    device.datastreams.find((one) => one.property === property && one.statistic === 'instant')?.unit ?? null
  );
}

import type { DeviceDirectory } from '../../../backbone/index.ts';
import type { RegisteredDevice } from '../../../contracts/index.ts';
import { declaredNames, declares } from '../declared.ts';
import { ucumOf } from './units.ts';

/**
 * What a resolved SenML name means here. RFC 8428 leaves open where in a name the device ends; the registry knows:
 *
 *   dust-01/PM10   urn:dev:ow:10e2073a01080063:PM10   urn:dev:mac:0024befffe804ff1_PM10   PM10
 *   └device┘└property                       └property                            └property
 *
 * A device's names are its id and its addresses `senml:<base name>`; between them and the property stands one of
 * `/ : _ . -`, which the address may hold already. Nothing is guessed: a name that fits two properties fits none.
 */
export type Property =
  /** `head`: what stands before it and is no name of this device; '' for nothing. */
  { ok: true; property: string; head: string } | { ok: false; why: string };

const SEPARATOR = /[/:_.-]/;
/** So many separators are looked at, from the end: names have few, and a pack may hold ten thousand names. */
const MOST_CUTS = 16;

/** Finds the property of a device whose topic it is. Names that begin otherwise count by what stands at their end. */
export function propertyOf(name: string, unit: string | null, device: RegisteredDevice): Property {
  if (declares(device, name)) return { ok: true, property: name, head: '' };
  for (const own of namesOf(device)) {
    const rest = behind(name, own);
    if (rest !== null) return propertyNamed(rest, unit, device);
  }
  const ends = endsOf(name).filter((end) => declares(device, end));
  const [only] = ends;
  if (only === undefined) return { ok: false, why: declaredNames(device) };
  if (ends.length > 1) return { ok: false, why: `it could be ${ends.join(' or ')} of ${device.id}` };
  return { ok: true, property: only, head: name.slice(0, -only.length) };
}

/** What stands behind the device's own name; nothing there, as in the examples of RFC 8428: the unit tells. */
export function propertyNamed(rest: string, unit: string | null, device: RegisteredDevice): Property {
  if (rest !== '') {
    if (declares(device, rest)) return { ok: true, property: rest, head: '' };
    return { ok: false, why: declaredNames(device) };
  }
  const { datastreams } = device;
  const fitting =
    unit === null
      ? datastreams
      : datastreams.filter((stream) => stream.unit === null || stream.unit === ucumOf(unit, stream.unit));
  const properties = [...new Set(fitting.map((stream) => stream.property))];
  const [only] = properties;
  if (only !== undefined && properties.length === 1) return { ok: true, property: only, head: '' };
  return {
    ok: false,
    why: `it names no property, and the unit fits ${properties.length}: ${declaredNames(device)}`,
  };
}

export type Split =
  | { device: RegisteredDevice; rest: string }
  /** Not in the registry: the address that it would have there. */
  | { device: null; address: string; rest: string }
  | null;

/** Splits a name where the longest name of a known device ends; null when no device can be in it. */
export function splitName(name: string, devices: Pick<DeviceDirectory, 'find'> | undefined): Split {
  let cuts = 0;
  for (let end = name.length; end > 0 && cuts <= MOST_CUTS; end -= 1) {
    if (end < name.length && !SEPARATOR.test(name.charAt(end))) continue;
    cuts += 1;
    const head = name.slice(0, end);
    const rest = name.slice(end + 1);
    const withSeparator = end < name.length ? name.slice(0, end + 1) : head;
    const device =
      devices?.find(`senml:${withSeparator}`) ?? devices?.find(`senml:${head}`) ?? devices?.find(head);
    if (device !== undefined) return { device, rest };
  }
  const [rest] = endsOf(name).toReversed();
  if (rest === undefined) return null;
  return { device: null, address: `senml:${name.slice(0, name.length - rest.length - 1)}`, rest };
}

function namesOf(device: RegisteredDevice): string[] {
  const addresses = device.addresses.filter((address) => address.startsWith('senml:'));
  return [device.id, ...addresses.map((address) => address.slice('senml:'.length))];
}

function behind(name: string, own: string): string | null {
  if (!name.startsWith(own)) return null;
  const rest = name.slice(own.length);
  if (rest === '' || SEPARATOR.test(own.slice(-1))) return rest;
  return SEPARATOR.test(rest.charAt(0)) ? rest.slice(1) : null;
}

/** Ends of a name behind `/` and `:`, longest first; in a device URN also behind `_` (RFC 9039, section 3). */
function endsOf(name: string): string[] {
  const separators = name.startsWith('urn:dev:') ? /[/:_]/g : /[/:]/g;
  const ends = [...name.matchAll(separators)].slice(-MOST_CUTS).map((hit) => name.slice(hit.index + 1));
  return ends.filter((end) => end !== '');
}

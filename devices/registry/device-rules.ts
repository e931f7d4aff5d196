import type { Device, Problem } from '../../contracts/index.ts';
import { polygonFault } from './polygon.ts';
import { unitFault } from './ucum.ts';
import { usccFault } from './uscc.ts';

/**
 * What a schema cannot say of one device: rules that join several fields, and codes with a grammar of their own. All that
 * is wrong is found at once. Rules between devices are in list-rules.ts.
 */
export function deviceProblems(device: Device, path: string): Problem[] {
  const problems: Problem[] = [];
  const note: Note = (at, found, allowed) => problems.push({ path: `${path}.${at}`, found, allowed });
  for (const rule of [datastreams, zones, party, addresses, hj212, permitLimits, validity, article41]) {
    rule(device, note);
  }
  return problems;
}

type Note = (at: string, found: unknown, allowed: string) => void;

function datastreams(device: Device, note: Note): void {
  const seen = new Set<string>();
  for (const [i, stream] of device.datastreams.entries()) {
    const at = `datastreams.${i}`;
    const key = `${stream.property}@${stream.statistic}`;
    if (seen.has(key)) note(at, key, 'each property and statistic once');
    seen.add(key);
    // `@` parts property and statistic in a datastream id, `/` the device and its property.
    if (/[@/]/.test(stream.property)) note(`${at}.property`, stream.property, 'a name without @ and /');
    if (stream.range[0] > stream.range[1]) note(`${at}.range`, stream.range, '[min, max] with min ≤ max');
    noteUnit(stream.unit, `${at}.unit`, note);
  }
}

function noteUnit(unit: string | null, at: string, note: Note): void {
  const fault = unit === null ? null : unitFault(unit);
  if (fault !== null) note(at, unit, fault);
}

function zones(device: Device, note: Note): void {
  if (device.kind !== 'camera' && device.zones.length > 0) {
    note('zones', `${device.zones.length} zones`, 'none: zones are drawn on the pictures of cameras');
  }
  const ids = new Set<string>();
  for (const [i, zone] of device.zones.entries()) {
    if (ids.has(zone.id)) note(`zones.${i}.id`, zone.id, 'each zone once');
    ids.add(zone.id);
    const fault = polygonFault(zone.polygon);
    if (fault !== null) note(`zones.${i}.polygon`, zone.polygon, fault);
  }
}

function party({ regulatedParty }: Device, note: Note): void {
  const uscc = regulatedParty?.uscc;
  const fault = uscc === undefined ? null : usccFault(uscc);
  if (fault !== null) note('regulatedParty.uscc', uscc, fault);
}

function addresses(device: Device, note: Note): void {
  const seen = new Set<string>();
  for (const [i, address] of device.addresses.entries()) {
    if (seen.has(address)) note(`addresses.${i}`, address, 'each address once');
    seen.add(address);
    if (address !== address.trim() || hasControlCharacter(address)) {
      note(`addresses.${i}`, address, 'an address without blanks around it and control characters');
    }
  }
  if (device.gateway === device.id) note('gateway', device.gateway, 'another device, or null');
}

/** Addresses come out of topics and frames; a list puts them into one cell. */
function hasControlCharacter(text: string): boolean {
  return [...text].some((c) => c < ' ' || c === '\u007f');
}

function hj212(device: Device, note: Note): void {
  for (const [code, { unit }] of Object.entries(device.hj212?.factors ?? {})) {
    noteUnit(unit, `hj212.factors.${code}.unit`, note);
  }
}

function permitLimits(device: Device, note: Note): void {
  for (const [i, limit] of device.permitLimits.entries()) {
    const at = `permitLimits.${i}`;
    noteUndeclared(device, limit.property, `${at}.property`, note);
    noteUnit(limit.unit, `${at}.unit`, note);
    noteOrder(limit, at, note);
    const twin = device.permitLimits.findIndex((other) => overlap(other, limit));
    if (twin >= 0 && twin < i)
      note(
        at,
        limit.property,
        `one limit at a time for each property and statistic; see permitLimits.${twin}`,
      );
  }
}

type PermitLimit = Device['permitLimits'][number];

/** The limit that holds would otherwise be a matter of chance. Permits differ; their limits for one value do not add up. */
function overlap(a: PermitLimit, b: PermitLimit): boolean {
  if (a.property !== b.property || a.statistic !== b.statistic || a.permit !== b.permit) return false;
  return a.from <= (b.to ?? '9999') && b.from <= (a.to ?? '9999');
}

function noteUndeclared(device: Device, property: string, at: string, note: Note): void {
  const declared = new Set(device.datastreams.map((d) => d.property));
  if (declared.has(property)) return;
  note(
    at,
    property,
    declared.size === 0 ? 'a property of a datastream (there is none)' : [...declared].join(', '),
  );
}

function noteOrder({ from, to }: { from: string; to: string | null }, at: string, note: Note): void {
  if (to !== null && to < from) note(`${at}.to`, to, `a day not before ${from}`);
}

function validity(device: Device, note: Note): void {
  for (const [i, calibration] of device.calibrations.entries()) {
    if (calibration.property !== null) {
      noteUndeclared(device, calibration.property, `calibrations.${i}.property`, note);
    }
    noteOrder(calibration, `calibrations.${i}`, note);
  }
  for (const [i, { from, to }] of device.maintenance.entries()) {
    if (Date.parse(to) <= Date.parse(from)) note(`maintenance.${i}.to`, to, `a time after ${from}`);
  }
}

function article41({ article41: record }: Device, note: Note): void {
  if (record.verification !== null) noteOrder(record.verification, 'article41.verification', note);
  for (const name of ['legalReview', 'technicalReview'] as const) {
    const review = record[name];
    if (review?.expires !== undefined && review.expires < review.on) {
      note(`article41.${name}.expires`, review.expires, `a day not before ${review.on}`);
    }
  }
}

/**
 * The ground truth: which deeds are violations, of what, by when a watchful system must have noticed, and whose desk
 * they belong on. Said from what people did; never from readings, and never from what the product would compute.
 */
import { z } from 'zod';
import { type Device, datastreamId, EpochMs, FindingKind, Id, type LonLat } from '../../contracts/index.ts';
import { responsibleUnit } from '../district/responsible.ts';
import { isNight, MINUTE } from '../time.ts';
import type { Happening } from './deeds.ts';

/** One violation that the simulator made. */
export const Violation = z.strictObject({
  id: z.string(),
  /** What was done. */
  does: z.string(),
  kind: FindingKind,
  device: Id,
  /** The datastream that shows it first; null for a device as a whole, or a camera. */
  datastream: z.string().nullable(),
  zone: z.string().nullable(),
  matter: Id,
  /** When it was done: from ≤ t < to. */
  from: EpochMs,
  to: EpochMs,
  /** Whose desk it belongs on. */
  unit: Id,
  /** Other kinds of finding that would be true of the same happening: neither missed nor false. */
  also: z.array(FindingKind),
  /** Every datastream that truly shows it. */
  affected: z.array(z.string()),
  /** Its traces may be seen this long after its end: dust settles, means reach back. */
  aftermathMs: z.number().int().nonnegative(),
  /** Who has not noticed by then has missed it. */
  findableBy: EpochMs,
});
export type Violation = z.infer<typeof Violation>;

/**
 * Something lawful that is out of the ordinary all the same: an anomaly said of it is true, a violation is not. Neither
 * has to be found.
 */
export interface Oddity {
  id: string;
  device: string;
  /** What may truly be said of it. */
  kinds: readonly FindingKind[];
  /** Every datastream that shows it. */
  affected: readonly string[];
  from: number;
  to: number;
  /** Its traces may be seen this long after its end. */
  aftermathMs: number;
}

/** What a deed means, besides its place and time. */
interface Meaning {
  kind: FindingKind;
  matter: string;
  /** The first one is the datastream that shows it first. */
  properties: readonly string[];
  zone?: string;
  also: readonly FindingKind[];
  aftermathMs: number;
  /** Time that noticing takes: the law's averaging period, or a patience that nobody would call negligent. */
  noticeMs: number;
  /** When within the happening it was a violation; default: all the time. */
  when?: { from: number; to: number };
}

/** The violations among happenings, in order of time. */
export function truthOf(happenings: readonly Happening[], devices: readonly Device[]): Violation[] {
  const byId = new Map(devices.map((d) => [d.id, d]));
  return happenings.flatMap((happening) => {
    const device = byId.get(happening.device);
    const meaning = device && meaningOf(happening, device);
    return meaning ? [violation(happening, meaning, device.location)] : [];
  });
}

/** The lawful oddities among happenings: dust thrown up by a gust, a loud truck, machines by day. */
export function odditiesOf(happenings: readonly Happening[]): Oddity[] {
  return happenings.flatMap((h) => {
    const properties = SHOWS_IN[h.does];
    if (properties === undefined) return [];
    const affected = properties.map((p) => datastreamId(h.device, p));
    const { id, device, from, to } = h;
    return [
      { id, device, from, to, affected, kinds: ['anomaly', 'early-warning'], aftermathMs: 10 * MINUTE },
    ];
  });
}

const SHOWS_IN: Partial<Record<Happening['does'], readonly string[]>> = {
  'dust-gust': ['TSP', 'PM10', 'PM2.5'],
  'truck-passing': ['LAeq'],
  machines: ['LAeq'],
};

function violation(h: Happening, m: Meaning, location: LonLat): Violation {
  const { from, to } = m.when ?? h;
  const affected = m.properties.map((p) => datastreamId(h.device, p));
  return {
    id: h.id,
    does: h.does,
    kind: m.kind,
    device: h.device,
    datastream: affected[0] ?? null,
    zone: m.zone ?? null,
    matter: m.matter,
    from,
    to,
    unit: responsibleUnit(m.matter, location),
    also: [...m.also],
    affected,
    aftermathMs: m.aftermathMs,
    findableBy: from + m.noticeMs,
  };
}

/** Null: nobody did wrong. */
function meaningOf(h: Happening, device: Device): Meaning | null {
  switch (h.does) {
    case 'dry-earthworks':
      return {
        kind: 'limit-exceeded',
        matter: 'm-dust-site',
        properties: ['TSP', 'PM10', 'PM2.5'],
        also: ['early-warning', 'anomaly', 'combined'],
        aftermathMs: 12 * MINUTE,
        noticeMs: 10 * MINUTE,
      };
    case 'machines': {
      const when = nightPart(h);
      return when === null ? null : { ...NIGHT_WORK, when };
    }
    case 'frozen-output':
      return {
        kind: 'falsification',
        matter: 'm-monitoring-data',
        properties: h.properties,
        also: ['anomaly', 'device-fault', 'combined'],
        aftermathMs: 10 * MINUTE,
        noticeMs: 45 * MINUTE,
      };
    case 'discharge':
      return {
        kind: 'anomaly',
        matter: 'm-monitoring-abnormal',
        properties: device.datastreams.map((d) => d.property),
        also: ['early-warning', 'limit-exceeded', 'combined'],
        aftermathMs: 30 * MINUTE,
        noticeMs: 15 * MINUTE,
      };
    case 'power-cut':
      return {
        kind: 'device-silent',
        matter: 'm-device-offline',
        properties: [],
        also: ['device-fault'],
        aftermathMs: 10 * MINUTE,
        noticeMs: 20 * MINUTE,
      };
    case 'parked-in-fire-lane':
      return {
        kind: 'image',
        matter: 'm-fire-lane',
        properties: [],
        zone: device.zones.find((z) => z.matter === 'm-fire-lane')?.id ?? 'fire-lane',
        also: ['combined'],
        aftermathMs: 5 * MINUTE,
        noticeMs: 10 * MINUTE,
      };
    case 'dust-gust':
    case 'truck-passing':
    case 'stop-in-fire-lane':
    case 'person-in-fire-lane':
    case 'parked-at-kerb':
      return null;
  }
}

const NIGHT_WORK: Meaning = {
  kind: 'limit-exceeded',
  matter: 'm-noise-night',
  properties: ['LAeq'],
  also: ['early-warning', 'anomaly', 'combined'],
  aftermathMs: 25 * MINUTE,
  noticeMs: 25 * MINUTE,
};

/** The first stretch of a span that lies in the night (22:00 to 06:00), to the minute; null when none does. */
export function nightPart({ from, to }: { from: number; to: number }): { from: number; to: number } | null {
  let begin = from;
  while (begin < to && !isNight(begin)) begin = nextMinute(begin);
  let end = begin;
  while (end < to && isNight(end)) end = nextMinute(end);
  return begin < to ? { from: begin, to: Math.min(end, to) } : null;
}

const nextMinute = (time: number) => (Math.floor(time / MINUTE) + 1) * MINUTE;

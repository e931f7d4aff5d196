/**
 * Something stays in a zone. Time in the zone is the sum of the times between its sightings there, by the frames' own
 * clock: frames that were dropped neither stretch nor shorten it, and a gap longer than `maxGapS` counts for nothing.
 *
 * Per track: outside ──sighting in the zone──▶ waiting ──minFrames and dwellS reached──▶ proven ──gone or outside──▶ over
 */

import type { Detection, FrameEvidence, Zone } from '../../../contracts/index.ts';
import type { DwellRule } from '../config.ts';
import { inPolygon, polygonInPixels, standingPoint } from '../tracking/zone.ts';
import type { Sight, ZoneRule, ZoneSaid } from './rule.ts';

/** What is known of one track in the zone. */
interface Presence {
  track: number;
  class: string;
  since: number;
  lastIn: number;
  dwellMs: number;
  sightings: number;
  /** Sum of scores, for the mean. */
  scores: number;
  /** Sightings outside the zone in a row. */
  outside: number;
  proven: boolean;
  first: FrameEvidence;
  proof: FrameEvidence | null;
  latest: FrameEvidence;
}

export type DwellState = Presence[];

/** One sighting outside may be a box that jumped; two are a departure. */
const OUTSIDE_TO_LEAVE = 2;

export const dwell: ZoneRule<DwellRule, DwellState> = {
  initial: [],
  step(state, sight, zone, config, inForce) {
    const polygon = polygonInPixels(zone, sight.width, sight.height);
    const inside = new Map<number, Detection>();
    const outside = new Set<number>();
    for (const d of sight.detections) {
      if (d.track === undefined || !config.classes.includes(d.class)) continue;
      if (!inPolygon(standingPoint(d.box, d.class), polygon)) outside.add(d.track);
      else if (d.score >= config.minScore) inside.set(d.track, d);
    }
    // Out of its hours a rule forgets: time before it came into force is no time under it.
    if (!inForce) return { state: [], said: this.end(state, zone, config) };
    const ended = new Set(sight.ended.map((t) => t.id));
    const said: ZoneSaid[] = [];
    const kept: Presence[] = [];
    for (const p of state) {
      const next = follow(p, inside.get(p.track), outside.has(p.track), sight, config);
      inside.delete(p.track);
      const over = next.outside >= OUTSIDE_TO_LEAVE || ended.has(p.track);
      if (next.proven) said.push(say(next, over, zone, config));
      if (!over) kept.push(next);
    }
    for (const d of inside.values()) kept.push(arrive(d, sight));
    return { state: kept, said };
  },
  end: (state, zone, config) => state.filter((p) => p.proven).map((p) => say(p, true, zone, config)),
};

function arrive(d: Detection, sight: Sight): Presence {
  const { time, evidence } = sight;
  return {
    track: d.track ?? 0,
    class: d.class,
    since: time,
    lastIn: time,
    dwellMs: 0,
    sightings: 1,
    scores: d.score,
    outside: 0,
    proven: false,
    first: evidence,
    proof: null,
    latest: evidence,
  };
}

function follow(
  p: Presence,
  d: Detection | undefined,
  isOutside: boolean,
  { time, evidence }: Sight,
  config: DwellRule,
): Presence {
  if (!d) return isOutside ? { ...p, outside: p.outside + 1 } : p;
  const gap = time - p.lastIn;
  const dwellMs = p.dwellMs + (gap <= config.maxGapS * 1000 ? gap : 0);
  const sightings = p.sightings + 1;
  const proven = p.proven || (sightings >= config.minFrames && dwellMs >= config.dwellS * 1000);
  return {
    ...p,
    class: d.class,
    lastIn: time,
    dwellMs,
    sightings,
    scores: p.scores + d.score,
    outside: 0,
    proven,
    proof: p.proof ?? (proven ? evidence : null),
    latest: evidence,
  };
}

const CLASS_ZH: Record<string, string> = {
  car: '小型汽车',
  truck: '货车',
  bus: '客车',
  van: '面包车',
  person: '人员',
};

function say(p: Presence, over: boolean, zone: Zone, config: DwellRule): ZoneSaid {
  const minutes = Math.round(p.dwellMs / 6000) / 10;
  const limit = Math.round(config.dwellS / 6) / 10;
  const score = Math.round((p.scores / p.sightings) * 100);
  const zh = CLASS_ZH[p.class] ?? p.class;
  return {
    track: p.track,
    since: p.since,
    until: p.lastIn,
    over,
    measure: {
      statistic: 'dwell',
      value: p.dwellMs / 1000,
      unit: 's',
      limit: config.dwellS,
      validCount: p.sightings,
    },
    summary: {
      zh: `${zone.name.zh}内有${zh}停留${minutes}分钟(阈值${limit}分钟),见于${p.sightings}帧,平均置信度${score}%`,
      en: `A ${p.class} stayed ${minutes} min in ${zone.name.en} (threshold ${limit} min), seen in ${p.sightings} frames, mean confidence ${score} %`,
    },
    frames: distinct([p.first, ...(p.proof ? [p.proof] : []), p.latest]),
    parameters: { class: p.class, zoneVersion: zone.version },
  };
}

function distinct(frames: readonly FrameEvidence[]): FrameEvidence[] {
  return frames.filter((f, i) => frames.findIndex((g) => g.time === f.time) === i);
}

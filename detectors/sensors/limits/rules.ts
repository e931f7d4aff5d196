import { createHash } from 'node:crypto';
import type { Catalog } from '../../../backbone/catalog.ts';
import type { Datastream, Limit, Statistic } from '../../../contracts/index.ts';
import type { DatastreamContext } from '../detector.ts';
import { durationWord } from '../wording.ts';
import { type Conversion, conversion } from './units.ts';

/**
 * The catalog's limits made ready for one datastream: which apply there, in which unit, in which windows and hours.
 * Local time is a fixed offset from UTC (China has no summer time), so that windows are plain arithmetic.
 */
export interface Rule {
  readonly limit: Limit;
  /** The same for rules that judge alike: state fits a rule exactly when its key is the same. */
  readonly key: string;
  /** `mean-5min`, `LAeq-20min`, `instant`: the finding's reason and statistic. */
  readonly word: string;
  readonly convert: Conversion;
  /** In force from ≤ time < to, epoch ms; Infinity: no end. */
  readonly from: number;
  readonly to: number;
  /** Hours of the day in which it holds: local ms since midnight and length; null: always. */
  readonly hours: { from: number; length: number } | null;
  /** Mean and leq: window, how many values a complete one has, and how many must count. Instant: 0. */
  readonly windowMs: number;
  readonly expected: number;
  readonly needed: number;
  readonly energy: boolean;
}

/** Why a limit of the right property does not apply to a datastream. */
export type NotApplied = 'region' | 'attributes' | 'unit' | 'statistic' | 'interval';

const DAY = 86_400_000;
const STATISTIC_MS: Record<Statistic, number> = { instant: 0, minute: 60_000, hour: 3_600_000, day: DAY };

/** What one kind of datastream gets: shared by all datastreams of that kind, of which there may be a million. */
interface Ready {
  rules: readonly Rule[];
  /** Limits that would apply but for unit, statistic or interval. */
  missed: readonly { limit: Limit; reason: NotApplied }[];
}

/** By catalog; then by kind of datastream: its definition, the device's attributes, region, offset. */
const READY = new WeakMap<Catalog, Map<string, Ready>>();
const MOST_KINDS = 10_000;

/** The rules that hold for a datastream, in the catalog's order. Those that nearly do are told to `note`. */
export function rulesFor(context: DatastreamContext): readonly Rule[] {
  const { rules, missed } = ready(context);
  for (const { limit, reason } of missed) {
    const { unit, statistic, intervalS } = context.datastream;
    const text = `${context.id} (${unit ?? 'no unit'}, ${statistic}, ${intervalS} s) and limit ${limit.id}`;
    context.note?.(`limit-not-comparable-${reason}`, text);
  }
  return rules;
}

function ready(context: DatastreamContext): Ready {
  const { catalog, datastream, device, region, utcOffsetMs } = context;
  const kinds = READY.get(catalog) ?? new Map<string, Ready>();
  READY.set(catalog, kinds);
  const kind = JSON.stringify([datastream, device.attributes, region, utcOffsetMs]);
  let found = kinds.get(kind);
  if (found === undefined) {
    found = makeReady(context);
    if (kinds.size >= MOST_KINDS) kinds.clear();
    kinds.set(kind, found);
  }
  return found;
}

function makeReady(context: DatastreamContext): Ready {
  const rules: Rule[] = [];
  const missed: { limit: Limit; reason: NotApplied }[] = [];
  for (const limit of context.catalog.limits) {
    if (limit.property !== context.datastream.property) continue;
    const reason = whyNot(limit, context);
    if (reason === null) rules.push(ruleOf(limit, context));
    else if (reason !== 'region' && reason !== 'attributes') missed.push({ limit, reason });
  }
  return { rules, missed };
}

export function whyNot(limit: Limit, context: DatastreamContext): NotApplied | null {
  if (!context.region.startsWith(limit.region)) return 'region';
  const { attributes } = context.device;
  if (Object.entries(limit.where).some(([key, value]) => attributes[key] !== value)) return 'attributes';
  if (!fits(limit, context.datastream)) return 'statistic';
  if (limit.statistic.type !== 'instant' && context.datastream.intervalS > limit.statistic.windowS)
    return 'interval';
  return conversion(context.datastream.unit, limit.unit) === null ? 'unit' : null;
}

/** A mean may be made of finer means, never of coarser ones; an instant limit asks for instant values. */
function fits(limit: Limit, datastream: Datastream): boolean {
  const own = STATISTIC_MS[datastream.statistic];
  return limit.statistic.type === 'instant' ? own === 0 : own <= limit.statistic.windowS * 1000;
}

function ruleOf(limit: Limit, context: DatastreamContext): Rule {
  const { statistic } = limit;
  const windowMs = statistic.type === 'instant' ? 0 : statistic.windowS * 1000;
  const expected = Math.max(1, Math.round(windowMs / 1000 / context.datastream.intervalS));
  const share = statistic.type === 'instant' ? 1 : statistic.minValidShare;
  const hours = limit.hours === undefined ? null : hoursOf(limit.hours);
  const basis = JSON.stringify([limit, context.datastream, hours, expected]);
  const hash = createHash('sha256').update(basis).digest('base64url').slice(0, 8);
  return {
    limit,
    key: `${limit.id}@${limit.version}:${hash}`,
    word: wordOf(limit),
    convert: conversion(context.datastream.unit, limit.unit) ?? { times: 1, by: 1 },
    from: localMidnight(limit.valid.from, context.utcOffsetMs),
    to:
      limit.valid.to === null ? Number.POSITIVE_INFINITY : localMidnight(limit.valid.to, context.utcOffsetMs),
    hours,
    windowMs,
    expected,
    // 0.75 of 20 is 15, also where floating point says 15.000000000000002.
    needed: Math.max(1, Math.ceil(expected * share - 1e-9)),
    energy: statistic.type === 'leq',
  };
}

function wordOf({ statistic }: Limit): string {
  if (statistic.type === 'instant') return 'instant';
  const name = statistic.type === 'leq' ? 'LAeq' : 'mean';
  return `${name}-${durationWord(statistic.windowS)}`;
}

function localMidnight(date: string, utcOffsetMs: number): number {
  return Date.parse(`${date}T00:00:00Z`) - utcOffsetMs;
}

function hoursOf([from, to]: readonly [string, string]): { from: number; length: number } {
  const start = ofDay(from);
  const length = (ofDay(to) - start + DAY) % DAY;
  return { from: start, length: length === 0 ? DAY : length };
}

function ofDay(clock: string): number {
  const [hours, minutes] = clock.split(':').map(Number);
  return ((hours ?? 0) * 60 + (minutes ?? 0)) * 60_000;
}

/** Start of the window that a time lies in: windows are counted from local midnight (of 1970-01-01). */
export function windowStart(rule: Pick<Rule, 'windowMs'>, time: number, utcOffsetMs: number): number {
  return Math.floor((time + utcOffsetMs) / rule.windowMs) * rule.windowMs - utcOffsetMs;
}

/** Whether the rule holds over the whole of [from, to): in force, and within its hours. */
export function holdsOver(rule: Rule, from: number, to: number, utcOffsetMs: number): boolean {
  if (from < rule.from || to > rule.to) return false;
  if (rule.hours === null) return true;
  const since = (((from + utcOffsetMs - rule.hours.from) % DAY) + DAY) % DAY;
  return since + (to - from) <= rule.hours.length;
}

/**
 * How well it was found: holds what the product said against what was done. Pure.
 *
 * An alert belongs to a violation when it is about the same device, about a datastream that truly shows it, of its kind
 * or another that is true of it too, and was raised by what was observed while it lasted, its aftermath included. Then:
 *
 *   found        an alert of the violation's own kind belongs to it
 *   missed       none does, although it was `findableBy` before the end
 *   not due      none does, and it was not findable yet: counts neither way
 *   repeat       a further alert of a violation that has one: one happening, told twice
 *   false alarm  belongs to no violation
 */
import { type Alert, type DraftCase, parseDatastreamId } from '../contracts/index.ts';
import type { Oddity, Violation } from './scenarios/index.ts';

/** An alert as its observer first saw it, in its latest state. */
export interface SeenAlert {
  alert: Alert;
  /** Wall ms at which it arrived. */
  arrivedAt: number;
}

export interface ReportInput {
  seconds: number;
  /** Simulated time at the end of the observation. */
  until: number;
  truth: readonly Violation[];
  /** Lawful things out of the ordinary. */
  oddities: readonly Oddity[];
  alerts: readonly SeenAlert[];
  drafts: readonly DraftCase[];
  /** Observations, single values. */
  published: number;
  acknowledged: number;
  counts: ProductCounts;
  /** Wall ms at which a device published what it read at `time`. */
  publishedAt(device: string, time: number): number | undefined;
}

/** What the product says of itself: GET /api/counts. */
export interface ProductCounts {
  observations: { acknowledged: number; stored: number };
  frames: number;
  quarantined: number;
  findings: Record<string, number>;
  alerts: Record<string, number>;
  drafts: Record<string, number>;
  leads: { delivered: number; pending: number; failed: number };
}

/** The demo's report; fields as in figures.md, and more. */
export interface Report {
  seconds: number;
  published: number;
  acknowledged: number;
  stored: number;
  quarantined: number;
  findings: Record<string, number>;
  alerts: Record<string, number>;
  drafts: Record<string, number>;
  leads: { delivered: number; pending: number; failed: number };
  /** Publish of the trigger → arrival of the alert, real ms; null when no alert could be timed. */
  latencyMs: { p50: number | null; p99: number | null; count: number };
  truth: Score;
}

export interface Score {
  /** Those that were findable before the end, or were found anyway. */
  violations: number;
  found: number;
  missed: string[];
  falseAlarms: string[];
  /** Alerts that are true of something lawful: neither found nor false. */
  odd: string[];
  /** Alert ids. */
  repeats: string[];
  /** Violations under way that nobody can blame anyone for yet. */
  notDue: string[];
  /** Simulated ms from the beginning of a violation to the trigger of its first alert, by violation. */
  delaysMs: Record<string, number>;
  /** Draft cases of found violations on the right desk, and those on another. */
  routing: { right: number; wrong: { violation: string; expected: string; got: string | null }[] };
}

export function buildReport(input: ReportInput): Report {
  const { counts } = input;
  return {
    seconds: input.seconds,
    published: input.published,
    acknowledged: input.acknowledged,
    stored: counts.observations.stored,
    quarantined: counts.quarantined,
    findings: counts.findings,
    alerts: counts.alerts,
    drafts: counts.drafts,
    leads: counts.leads,
    latencyMs: latencies(input.alerts, input.publishedAt),
    truth: score(input),
  };
}

export function score({
  truth,
  oddities,
  alerts,
  drafts,
  until,
}: Pick<ReportInput, 'truth' | 'oddities' | 'alerts' | 'drafts' | 'until'>): Score {
  const matches = alerts.map(({ alert }) => ({ alert, violation: violationOf(alert, truth) }));
  const unmatched = matches.filter((m) => m.violation === undefined).map((m) => m.alert);
  const isOdd = (alert: Alert) => oddities.some((oddity) => isTrueOf(alert, oddity));
  const own = (v: Violation) =>
    matches.filter((m) => m.violation === v && m.alert.kind === v.kind).map((m) => m.alert);
  const found = truth
    .map((violation) => ({ violation, alerts: own(violation) }))
    .filter((f) => f.alerts.length > 0);
  const unseen = truth.filter((v) => v.from <= until && own(v).length === 0);
  const missed = unseen.filter((v) => v.findableBy <= until).map((v) => v.id);
  return {
    violations: found.length + missed.length,
    found: found.length,
    missed,
    falseAlarms: unmatched.filter((alert) => !isOdd(alert)).map((alert) => alert.id),
    odd: unmatched.filter(isOdd).map((alert) => alert.id),
    repeats: found.flatMap((f) => f.alerts.slice(1).map((a) => a.id)),
    notDue: unseen.filter((v) => v.findableBy > until).map((v) => v.id),
    delaysMs: Object.fromEntries(found.map((f) => [f.violation.id, delay(f)])),
    routing: routing(found, drafts),
  };
}

/** The violation that an alert is about. One of its own kind goes before one that it is merely true of as well. */
export function violationOf(alert: Alert, truth: readonly Violation[]): Violation | undefined {
  const fitting = truth.filter((v) => v.device === alert.device && raisedBy(alert, v) && showsIn(alert, v));
  return fitting.find((v) => v.kind === alert.kind) ?? fitting.find((v) => v.also.includes(alert.kind));
}

/** Two lost readings in a row, and one to go. */
const SLACK_MS = 90_000;

function isTrueOf(alert: Alert, oddity: Oddity): boolean {
  const { device, kinds, affected } = oddity;
  const here = alert.device === device && affected.includes(alert.datastream ?? '');
  return here && kinds.includes(alert.kind) && raisedBy(alert, oddity);
}

/** What raised the alert counts: one that was open already before anything was done is no discovery, but a false alarm. */
function raisedBy({ trigger }: Alert, { from, to, aftermathMs }: Violation | Oddity): boolean {
  return trigger.time >= from - SLACK_MS && trigger.time <= to + aftermathMs + SLACK_MS;
}

/** An alert about the device as a whole fits any violation of it; one about another datastream or zone does not. */
function showsIn({ datastream, zone }: Alert, violation: Violation): boolean {
  if (zone !== null && violation.zone !== null && zone !== violation.zone) return false;
  if (datastream === null || violation.affected.length === 0) return true;
  const { property } = parseDatastreamId(datastream);
  return violation.affected.some((a) => parseDatastreamId(a).property === property);
}

interface Found {
  violation: Violation;
  alerts: readonly Alert[];
}

function delay({ violation, alerts }: Found): number {
  return Math.min(...alerts.map((a) => a.trigger.time)) - violation.from;
}

function routing(found: readonly Found[], drafts: readonly DraftCase[]): Score['routing'] {
  const byAlert = new Map(drafts.map((d) => [d.alert, d]));
  const routed = found.flatMap(({ violation, alerts }) =>
    alerts.flatMap(({ id }) => {
      const draft = byAlert.get(id);
      return draft ? [{ violation: violation.id, expected: violation.unit, got: draft.route.unit }] : [];
    }),
  );
  const wrong = routed.filter((r) => r.got !== r.expected);
  return { right: routed.length - wrong.length, wrong };
}

function latencies(
  alerts: readonly SeenAlert[],
  publishedAt: ReportInput['publishedAt'],
): Report['latencyMs'] {
  const all = alerts
    .flatMap(({ alert: { trigger }, arrivedAt }) => {
      const published = publishedAt(trigger.device, trigger.time);
      return published === undefined ? [] : [arrivedAt - published];
    })
    .sort((a, b) => a - b);
  return { p50: percentile(all, 0.5), p99: percentile(all, 0.99), count: all.length };
}

/** Nearest rank; null of nothing. */
export function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

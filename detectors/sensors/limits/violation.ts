import type { Finding } from '../../../contracts/index.ts';
import type { Said } from '../detector.ts';
import { durationText, numberText, quantityText, spanText } from '../wording.ts';
import type { Rule } from './rules.ts';

/** One judged window (or instant value, where from = to − 1 ms). Values are in the limit's unit. */
export interface Judged {
  from: number;
  to: number;
  value: number;
  /** How many values counted. */
  valid: number;
}

/** A limit broken once or several times in a row: one happening. Plain JSON. */
export interface Violation {
  since: number;
  /** Violating windows so far. */
  windows: number;
  worst: Judged;
  latest: Judged;
  /** Judged windows under the limit since then. */
  under: number;
  /** Windows since then that could not be judged. */
  idle: number;
}

export function begin(judged: Judged): Violation {
  return { since: judged.from, windows: 1, worst: judged, latest: judged, under: 0, idle: 0 };
}

export function goOn(violation: Violation, judged: Judged): Violation {
  return {
    since: violation.since,
    windows: violation.windows + 1,
    worst: judged.value > violation.worst.value ? judged : violation.worst,
    latest: judged,
    under: 0,
    idle: 0,
  };
}

/**
 * Above the limit by more than floating point can blur: the mean of ten readings of exactly the limit must not break it
 * in the last bit.
 */
export function exceeds(value: number, max: number): boolean {
  return value - max > 1e-9 * Math.max(1, Math.abs(max));
}

export function wordsFor(
  rule: Rule,
  violation: Violation,
  state: Finding['state'],
  utcOffsetMs: number,
): Said {
  const { limit } = rule;
  const { since, worst, latest, windows } = violation;
  return {
    state,
    kind: 'limit-exceeded',
    reason: rule.word,
    severity: 'violation',
    matter: limit.matter,
    interval: { from: since, to: latest.to },
    measure: {
      statistic: rule.word,
      value: worst.value,
      unit: limit.unit,
      limit: limit.max,
      validCount: Math.min(worst.valid, rule.expected),
      expectedCount: rule.expected,
    },
    summary: summary(rule, violation, utcOffsetMs),
    clause: limit.clause,
    since,
    key: `${limit.id}@${limit.version}`,
    parameters: {
      rule: { id: limit.id, version: limit.version, certainty: limit.certainty },
      max: limit.max,
      unit: limit.unit,
      statistic: limit.statistic,
      ...(limit.hours === undefined ? {} : { hours: limit.hours }),
      windows,
      worst: { ...worst },
      latest: { ...latest },
    },
    input: { from: since, to: latest.to },
  };
}

function summary(
  rule: Rule,
  { worst, latest, windows, since }: Violation,
  utcOffsetMs: number,
): Said['summary'] {
  const { limit } = rule;
  const name = statisticText(rule);
  const value = quantityText(worst.value, limit.unit);
  const max = quantityText(limit.max, limit.unit);
  const over = numberText(worst.value - limit.max);
  const span = spanText(worst.from, worst.to, utcOffsetMs);
  const counted = `${Math.min(worst.valid, rule.expected)}/${rule.expected}`;
  const all = spanText(since, latest.to, utcOffsetMs);
  const manyZh = windows === 1 ? '' : `；${all} 共 ${windows} 次超标，以上为最高值`;
  const manyEn = windows === 1 ? '' : `; ${windows} times over it in ${all}, this being the highest`;
  return {
    zh: `${limit.property} ${name.zh} ${value}，超过限值 ${max}（超出 ${over}；${span}；有效数据 ${counted}；${limit.clause}）${manyZh}`,
    en: `${limit.property} ${name.en} ${value} is over the limit of ${max} (by ${over}; ${span}; valid ${counted}; ${limit.clause})${manyEn}`,
  };
}

function statisticText(rule: Rule): { zh: string; en: string } {
  if (rule.windowMs === 0) return { zh: '瞬时值', en: 'instant value' };
  const span = durationText(rule.windowMs);
  return rule.energy
    ? { zh: `${span.zh}等效声级`, en: `${span.en} equivalent level` }
    : { zh: `${span.zh}均值`, en: `${span.en} mean` };
}

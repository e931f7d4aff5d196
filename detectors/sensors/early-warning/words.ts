import type { Said } from '../detector.ts';
import type { Rule } from '../limits/rules.ts';
import { durationText, quantityText, spanText } from '../wording.ts';
import type { Outlook } from './outlook.ts';

/** A warning that is on: since when, what was last expected, and when that was. */
export interface Warning {
  since: number;
  outlook: Outlook;
  at: number;
}

export type Outcome = 'came-true' | 'receded' | 'no-data';

export function wordsFor(
  rule: Rule,
  warning: Warning,
  state: Said['state'],
  outcome: Outcome | null,
  warningAt: number,
  utcOffsetMs: number,
): Said {
  const { outlook, since, at } = warning;
  const { limit } = rule;
  return {
    state,
    kind: 'early-warning',
    reason: `${rule.word}-forecast`,
    severity: outlook.probability >= warningAt ? 'warning' : 'watch',
    matter: limit.matter,
    interval: { from: since, to: Math.max(at, since + 1) },
    measure: { statistic: `${rule.word}-forecast`, value: outlook.value, unit: limit.unit, limit: limit.max },
    summary: summary(rule, warning, outcome, utcOffsetMs),
    clause: limit.clause,
    since,
    key: `${limit.id}@${limit.version}`,
    parameters: {
      rule: { id: limit.id, version: limit.version, certainty: limit.certainty },
      probability: outlook.probability,
      expectedWindow: { from: outlook.windowFrom, to: outlook.windowTo },
      timeToLimitS: Math.max(0, outlook.windowTo - at) / 1000,
      ...(outcome === null ? {} : { outcome }),
    },
    input: { from: since, to: Math.max(at, since + 1) },
  };
}

const OUTCOMES: Record<Outcome, { zh: string; en: string }> = {
  'came-true': { zh: '预警应验：已超过限值', en: 'the warning came true: the limit was broken' },
  receded: { zh: '风险已解除', en: 'the risk has receded' },
  'no-data': { zh: '数据中断，预警结束', en: 'data stopped, the warning ends' },
};

function summary(rule: Rule, { outlook, at }: Warning, outcome: Outcome | null, utcOffsetMs: number) {
  const { limit } = rule;
  const value = quantityText(outlook.value, limit.unit);
  const max = quantityText(limit.max, limit.unit);
  if (outcome !== null) {
    const end = OUTCOMES[outcome];
    return {
      zh: `${limit.property} ${rule.word} ${end.zh}（限值 ${max}；${limit.clause}）`,
      en: `${limit.property} ${rule.word}: ${end.en} (limit ${max}; ${limit.clause})`,
    };
  }
  const percent = Math.round(outlook.probability * 100);
  const span = spanText(outlook.windowFrom, outlook.windowTo, utcOffsetMs);
  const left = durationText(Math.max(60_000, Math.round((outlook.windowTo - at) / 60_000) * 60_000));
  return {
    zh: `${limit.property} 预计约 ${left.zh}后超过限值 ${max}：${span} 的 ${rule.word} 预计为 ${value}（概率 ${percent}%；${limit.clause}）`,
    en: `${limit.property} is expected to break the limit of ${max} in about ${left.en}: ${rule.word} of ${span} at ${value} (probability ${percent} %; ${limit.clause})`,
  };
}

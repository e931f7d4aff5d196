import { z } from 'zod';
import type { Quality } from '../../../contracts/index.ts';
import type { DatastreamContext, DatastreamWatch, Said, Say, SensorDetector } from '../detector.ts';
import { InstantJudge, type Judge, type JudgeContext, type JudgeState, WindowJudge } from './judge.ts';
import { type Rule, rulesFor } from './rules.ts';
import { wordsFor } from './violation.ts';

/**
 * Limits, as the law measures them.
 *
 *   catalog limits ─rulesFor─▶ one judge a rule ─▶ windows (mean, LAeq) or single values ─▶ held against the limit
 *
 * Promises: a finding rests on enough valid values of the rule in force at that time, in the rule's hours and unit, and
 * carries value, limit, valid and expected count, clause and the rule's version. Windows are consecutive and aligned to
 * local time, not sliding: each value counts once, and anyone can make the same windows again. Not enough valid values,
 * or none: no finding, but a named reason (`not-enough-valid-data`). Does not promise to see a peak that two windows share.
 */
export const LimitsParams = z.strictObject({
  clearWindows: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('Judged windows in a row under the limit after which a violation is over'),
  idleWindows: z
    .int()
    .min(1)
    .max(1000)
    .default(12)
    .describe('Windows in a row without enough valid data after which a violation is no longer held open'),
  clearValues: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('Instant limits: valid values in a row under the limit after which a violation is over'),
  idleS: z
    .number()
    .min(10)
    .max(604_800)
    .default(1800)
    .describe('Instant limits: seconds without a valid value after which a violation is no longer held open'),
  graceS: z
    .number()
    .min(0)
    .max(86_400)
    .default(60)
    .describe('Seconds that the clock waits for the data of a window after its end'),
});
export type LimitsParams = z.infer<typeof LimitsParams>;

export const limitsDetector: SensorDetector<LimitsParams> = {
  name: 'limits',
  version: '1.0.0',
  params: LimitsParams,
  attach(context, params) {
    const rules = rulesFor(context);
    return rules.length === 0 ? null : new LimitsWatch(rules, context, params);
  },
  // A happening begins with its own first window: nothing before it has a part in it.
  lookbackMs: () => 0,
};

interface LimitsState {
  wake: number | null;
  /** By rule key; with the words that would end its happening, should the rule be gone when the state is taken up. */
  rules: Record<string, { judge: JudgeState; ending: Said | null }>;
}

class LimitsWatch implements DatastreamWatch {
  readonly #rules: readonly Rule[];
  readonly #judges: readonly Judge[];
  readonly #utcOffsetMs: number;
  #wake: number | null = null;
  /** What ends the happenings of rules that are no longer there. */
  #orphans: Said[] = [];

  constructor(rules: readonly Rule[], context: DatastreamContext, params: LimitsParams) {
    const judging = judgingOf(context, params);
    this.#rules = rules;
    this.#utcOffsetMs = context.utcOffsetMs;
    this.#judges = rules.map((rule) =>
      rule.windowMs === 0
        ? new InstantJudge(rule, context.id, judging)
        : new WindowJudge(rule, context.id, judging),
    );
  }

  observe(time: number, value: number, quality: Quality, say: Say): void {
    if (this.#orphans.length > 0) this.#endOrphans(say);
    for (const judge of this.#judges) judge.observe(time, value, quality, say);
    if (this.#wake === null) this.#wake = this.#nextWake();
  }

  tick(time: number, say: Say): void {
    if (this.#orphans.length > 0) this.#endOrphans(say);
    for (const judge of this.#judges) judge.tick(time, say);
    this.#wake = this.#nextWake();
  }

  wakeAt(): number | null {
    return this.#wake;
  }

  save(): LimitsState {
    const rules: LimitsState['rules'] = {};
    this.#rules.forEach((rule, i) => {
      const judge = this.#judges[i]?.save();
      if (judge === undefined) return;
      const { violation } = judge;
      const ending = violation === null ? null : wordsFor(rule, violation, 'closed', this.#utcOffsetMs);
      rules[rule.key] = { judge, ending };
    });
    return { wake: this.#wake, rules };
  }

  restore(state: LimitsState): void {
    const judges = new Map(this.#rules.map((rule, i) => [rule.key, this.#judges[i]]));
    for (const [key, { judge, ending }] of Object.entries(state.rules)) {
      const heir = judges.get(key);
      if (heir !== undefined) heir.restore(structuredClone(judge));
      else if (ending !== null) this.#orphans.push(ending);
    }
    this.#wake = state.wake;
  }

  #nextWake(): number | null {
    let wake: number | null = null;
    for (const judge of this.#judges) {
      const at = judge.pendingUntil();
      if (at !== null && (wake === null || at < wake)) wake = at;
    }
    return wake;
  }

  #endOrphans(say: Say): void {
    for (const said of this.#orphans) say(said);
    this.#orphans = [];
  }
}

/** By parameters, then by interval and note: a million judges share a few of these. */
const JUDGING = new WeakMap<LimitsParams, JudgeContext[]>();

function judgingOf(context: DatastreamContext, params: LimitsParams): JudgeContext {
  const intervalMs = context.datastream.intervalS * 1000;
  const { utcOffsetMs, note = ignore } = context;
  const known = JUDGING.get(params) ?? [];
  const same = known.find(
    (j) => j.intervalMs === intervalMs && j.note === note && j.utcOffsetMs === utcOffsetMs,
  );
  if (same !== undefined) return same;
  const { idleS, graceS, ...counts } = params;
  const made = { ...counts, idleMs: idleS * 1000, graceMs: graceS * 1000, intervalMs, utcOffsetMs, note };
  JUDGING.set(params, [...known.slice(-99), made]);
  return made;
}

const ignore = (): void => {};

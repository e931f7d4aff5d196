import { z } from 'zod';
import type { Quality } from '../../../contracts/index.ts';
import type { DatastreamContext, DatastreamWatch, Say, SensorDetector } from '../detector.ts';
import { type Rule, rulesFor } from '../limits/rules.ts';
import { Forecaster, type ForecasterState } from './forecaster.ts';

/**
 * Early warning: says that a mean or LAeq limit will probably be broken, before it is.
 *
 *   values ─▶ buckets (a fifth of the rule's window) ─▶ damped trend ─▶ outlook for each window up to the horizon
 *                                                          └ own past errors ─▶ probability ─▶ `watch` / `warning`
 *
 * Promises: probabilities come from the errors that the forecast itself made on this datastream; nothing is said while the
 * limit is broken already; a warning ends with its outcome (`came-true`, `receded`, `no-data`) and names the limit's id, as
 * the violation will. Does not promise to foresee steps (a machine that is switched on), nor anything beyond the horizon.
 */
export const EarlyWarningParams = z.strictObject({
  horizonS: z.number().min(300).max(86_400).default(3600).describe('How many seconds it looks ahead'),
  watchAt: z.number().min(0.05).max(0.99).default(0.6).describe('Probability from which it says `watch`'),
  warningAt: z
    .number()
    .min(0.05)
    .max(0.999)
    .default(0.85)
    .describe('Probability from which it says `warning`'),
  endBelow: z.number().min(0).max(0.95).default(0.3).describe('Probability below which a warning recedes'),
  confirmBuckets: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('Buckets (a fifth of the window) in a row that it takes to open, and to recede'),
  learnBuckets: z
    .int()
    .min(5)
    .max(10_000)
    .default(20)
    .describe('Buckets to learn from before anything is said'),
  restWindows: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe('Windows under the limit after a violation before it warns again'),
});
export type EarlyWarningParams = z.infer<typeof EarlyWarningParams>;

export const earlyWarningDetector: SensorDetector<EarlyWarningParams> = {
  name: 'early-warning',
  version: '1.0.0',
  params: EarlyWarningParams,
  attach(context, params) {
    // A single value cannot be foreseen by a trend of means.
    const rules = rulesFor({ ...context, note: () => {} }).filter((rule) => rule.windowMs > 0);
    return rules.length === 0 ? null : new EarlyWarningWatch(rules, context, params);
  },
};

interface EarlyWarningState {
  /** By rule key. */
  rules: Record<string, ForecasterState>;
}

class EarlyWarningWatch implements DatastreamWatch {
  readonly #rules: readonly Rule[];
  readonly #forecasters: readonly Forecaster[];

  constructor(rules: readonly Rule[], context: DatastreamContext, params: EarlyWarningParams) {
    const intervalMs = context.datastream.intervalS * 1000;
    this.#rules = rules;
    this.#forecasters = rules.map((rule) => new Forecaster(rule, intervalMs, params, context.utcOffsetMs));
  }

  observe(time: number, value: number, quality: Quality, say: Say): void {
    for (const forecaster of this.#forecasters) forecaster.observe(time, value, quality, say);
  }

  tick(time: number, say: Say): void {
    for (const forecaster of this.#forecasters) forecaster.tick(time, say);
  }

  wakeAt(): number | null {
    let wake: number | null = null;
    for (const forecaster of this.#forecasters) {
      const at = forecaster.pendingUntil();
      if (at !== null && (wake === null || at < wake)) wake = at;
    }
    return wake;
  }

  save(): EarlyWarningState {
    const rules: EarlyWarningState['rules'] = {};
    this.#rules.forEach((rule, i) => {
      const state = this.#forecasters[i]?.save();
      if (state !== undefined) rules[rule.key] = state;
    });
    return { rules };
  }

  restore(state: EarlyWarningState): void {
    this.#rules.forEach((rule, i) => {
      const own = state.rules[rule.key];
      if (own !== undefined) this.#forecasters[i]?.restore(own);
    });
  }
}

import { z } from 'zod';
import type { Quality } from '../../../contracts/index.ts';
import type { DatastreamContext, DatastreamWatch, Said, Say } from '../detector.ts';
import type { AnomalyParams } from './config.ts';
import { BRANCHES, createScorer, FULL_DIGITS, type Scorer, type Surprise } from './scorer.ts';
import { summarise } from './summary.ts';

/** What is known of an anomaly that is open. */
const Happening = z.strictObject({
  since: z.number(),
  until: z.number(),
  /** Observations since the last surprise. */
  quietRows: z.number(),
  score: z.number(),
  branch: z.enum(BRANCHES),
  digits: z.number(),
  found: z.number(),
  expected: z.number(),
  usual: z.number(),
});
type Happening = z.infer<typeof Happening>;

const State = z.strictObject({ scorer: z.string(), first: z.number(), happening: Happening.nullable() });

/**
 * The score at which a finding opens, so that a healthy datastream with a value every `intervalS` raises about
 * `falseAlarmsPerDay`: the score counts digits of improbability per observation, a day has 86,400 / intervalS of them.
 */
export function thresholdFor(falseAlarmsPerDay: number, intervalS: number): number {
  const digits = Math.log10(86_400 / intervalS / falseAlarmsPerDay);
  return Math.min(1, Math.max(3, digits) / FULL_DIGITS);
}

/**
 * Follows one datastream: opens a finding at the first score above the threshold, raises it when it gets worse, closes
 * it when nothing surprising came for `quietS` and `quietRows`. Values that are not valid are neither judged nor learnt.
 */
export class AnomalyWatch implements DatastreamWatch {
  private readonly params: AnomalyParams;
  private readonly threshold: number;
  private readonly unit: string;
  private readonly context: DatastreamContext;
  private readonly scorer: Scorer = createScorer();
  private first = 0;
  private happening: Happening | null = null;

  constructor(context: DatastreamContext, params: AnomalyParams) {
    this.context = context;
    this.params = params;
    this.unit = context.datastream.unit ?? '';
    this.threshold = thresholdFor(params.falseAlarmsPerDay, context.datastream.intervalS);
  }

  observe(time: number, value: number, quality: Quality, say: Say): void {
    if (quality !== 'valid' || !Number.isFinite(value)) return;
    if (this.first === 0) this.first = time;
    const score = this.scorer.step(time, value);
    const surprise = this.scorer.last;
    if (this.happening === null) {
      if (score >= this.threshold) this.open(time, score, surprise, say);
    } else this.goOn(this.happening, time, score, surprise, say);
  }

  tick(time: number, say: Say): void {
    if (this.happening !== null) this.closeWhenQuiet(this.happening, time, say);
  }

  save(): unknown {
    return { scorer: this.scorer.save(), first: this.first, happening: this.happening };
  }

  restore(state: unknown): void {
    const saved = State.parse(state);
    if (!this.scorer.restore(saved.scorer)) throw new Error('the saved state is of another anomaly scorer');
    this.first = saved.first;
    this.happening = saved.happening;
  }

  private open(time: number, score: number, surprise: Surprise, say: Say): void {
    this.happening = { since: time, until: time, quietRows: 0, score, ...surprise };
    say(this.said('open', this.happening));
  }

  private goOn(h: Happening, time: number, score: number, surprise: Surprise, say: Say): void {
    if (surprise.digits / FULL_DIGITS < this.threshold) {
      h.quietRows++;
      this.closeWhenQuiet(h, time, say);
      return;
    }
    h.until = time;
    h.quietRows = 0;
    if (score <= h.score) return;
    Object.assign(h, surprise, { score });
    say(this.said('update', h));
  }

  private closeWhenQuiet(h: Happening, time: number, say: Say): void {
    if (time - h.until < this.params.quietS * 1000 || h.quietRows < this.params.quietRows) return;
    say(this.said('closed', h));
    this.happening = null;
  }

  private said(state: Said['state'], h: Happening): Said {
    return {
      state,
      kind: 'anomaly',
      reason: h.branch,
      severity: 'watch',
      matter: this.params.matter,
      since: h.since,
      interval: { from: h.since, to: h.until + 1 },
      measure: { statistic: 'score', value: h.score, unit: '1', limit: this.threshold },
      summary: summarise(this.context.datastream.property, this.unit, h, h.until - this.first),
      parameters: { threshold: this.threshold, branch: h.branch, digits: h.digits },
      input: { from: this.first, to: h.until },
    };
  }
}

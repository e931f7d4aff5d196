import type { Quality } from '../../../contracts/index.ts';
import type { Say } from '../detector.ts';
import { holdsOver, type Rule, windowStart } from '../limits/rules.ts';
import { convert } from '../limits/units.ts';
import { exceeds } from '../limits/violation.ts';
import type { EarlyWarningParams } from './index.ts';
import { lookAhead, type Outlook } from './outlook.ts';
import { forecast, learn, newTrend, pass, restart, type TrendState } from './trend.ts';
import { type Warning, wordsFor } from './words.ts';

/** Buckets without a value that the trend bridges; after more it starts anew. */
const BRIDGE = 3;

export interface ForecasterState {
  trend: TrendState;
  /** The bucket in hand; values are in the limit's unit (energies for LAeq). */
  bucket: { from: number; sum: number; count: number } | null;
  /** The window in hand: its completed buckets. */
  window: { from: number; sum: number; buckets: number } | null;
  /** Completed windows in a row under the limit since it was last broken; null: not broken lately. */
  sinceBroken: number | null;
  /** Buckets in a row for (while a warning is open: against) a warning. */
  streak: number;
  warning: Warning | null;
  lastTime: number;
}

/** Forecasts one rule at one datastream, once a bucket. */
export class Forecaster {
  readonly #rule: Rule;
  readonly #params: EarlyWarningParams;
  readonly #utcOffsetMs: number;
  readonly #bucketMs: number;
  #state: ForecasterState = {
    trend: newTrend(),
    bucket: null,
    window: null,
    sinceBroken: null,
    streak: 0,
    warning: null,
    lastTime: 0,
  };

  constructor(rule: Rule, intervalMs: number, params: EarlyWarningParams, utcOffsetMs: number) {
    this.#rule = rule;
    this.#params = params;
    this.#utcOffsetMs = utcOffsetMs;
    this.#bucketMs = bucketOf(rule.windowMs, intervalMs);
  }

  observe(time: number, value: number, quality: Quality, say: Say): void {
    if (quality !== 'valid' || time >= this.#rule.to || time < this.#rule.from) return;
    const state = this.#state;
    state.lastTime = time;
    if (state.bucket !== null && time >= state.bucket.from + this.#bucketMs)
      this.#finish(state.bucket, time, say);
    state.bucket ??= {
      from: windowStart({ windowMs: this.#bucketMs }, time, this.#utcOffsetMs),
      sum: 0,
      count: 0,
    };
    const own = convert(value, this.#rule.convert);
    state.bucket.sum += this.#rule.energy ? 10 ** (own / 10) : own;
    state.bucket.count += 1;
  }

  /** Data stopped: a warning without data is no warning. */
  tick(time: number, say: Say): void {
    const until = this.pendingUntil();
    if (until !== null && time >= until) this.#close('no-data', time, say);
  }

  pendingUntil(): number | null {
    return this.#state.warning === null ? null : this.#state.lastTime + this.#params.horizonS * 1000;
  }

  save(): ForecasterState {
    return structuredClone(this.#state);
  }

  restore(state: ForecasterState): void {
    this.#state = structuredClone(state);
  }

  #finish(bucket: NonNullable<ForecasterState['bucket']>, time: number, say: Say): void {
    const state = this.#state;
    state.bucket = null;
    const mean = bucket.sum / bucket.count;
    const level = this.#rule.energy ? 10 * Math.log10(mean) : mean;
    learn(state.trend, level);
    this.#addToWindow(bucket.from, mean, time, say);
    const next = bucket.from + this.#bucketMs;
    const missed = Math.floor((time - next) / this.#bucketMs);
    if (missed > BRIDGE) {
      restart(state.trend, level);
      state.streak = 0;
      return;
    }
    pass(state.trend, missed);
    this.#decide(next + missed * this.#bucketMs, time, say);
  }

  #addToWindow(from: number, mean: number, time: number, say: Say): void {
    const start = windowStart(this.#rule, from, this.#utcOffsetMs);
    const state = this.#state;
    if (state.window !== null && state.window.from !== start) state.window = null;
    state.window ??= { from: start, sum: 0, buckets: 0 };
    state.window.sum += mean;
    state.window.buckets += 1;
    if (from + this.#bucketMs >= start + this.#rule.windowMs) this.#finishWindow(state.window, time, say);
  }

  #finishWindow(window: NonNullable<ForecasterState['window']>, time: number, say: Say): void {
    const state = this.#state;
    state.window = null;
    const mean = window.sum / window.buckets;
    const value = this.#rule.energy ? 10 * Math.log10(mean) : mean;
    if (!this.#holdsFrom(window.from)) return;
    if (exceeds(value, this.#rule.limit.max)) {
      state.sinceBroken = 0;
      this.#close('came-true', time, say);
    } else if (state.sinceBroken !== null) {
      state.sinceBroken += 1;
      if (state.sinceBroken >= this.#params.restWindows) state.sinceBroken = null;
    }
  }

  /** `from`: start of the first bucket that is not known yet. */
  #decide(from: number, time: number, say: Say): void {
    const state = this.#state;
    if (state.sinceBroken !== null || state.trend.count < this.#params.learnBuckets) return;
    const outlook = this.#outOfReach() ? null : this.#look(from, time);
    const probability = outlook?.probability ?? 0;
    if (state.warning === null) {
      state.streak = probability >= this.#params.watchAt ? state.streak + 1 : 0;
      if (outlook !== null && state.streak >= this.#params.confirmBuckets) this.#open(outlook, time, say);
      return;
    }
    state.streak = probability < this.#params.endBelow ? state.streak + 1 : 0;
    if (state.streak >= this.#params.confirmBuckets) this.#close('receded', time, say);
    else if (outlook !== null) this.#tell('update', outlook, time, say);
  }

  /**
   * Null outside the rule's hours: by day, every loud site would be told each evening that it breaks the night limit if it
   * goes on, and nearly all of them stop.
   */
  #look(from: number, time: number): Outlook | null {
    const { window, trend } = this.#state;
    const windowFrom = windowStart(this.#rule, from, this.#utcOffsetMs);
    if (!this.#holdsFrom(windowStart(this.#rule, time, this.#utcOffsetMs))) return null;
    const same = window !== null && window.from === windowFrom;
    const known = { windowFrom, from, sum: same ? window.sum : 0, buckets: same ? window.buckets : 0 };
    const { watchAt, horizonS } = this.#params;
    return lookAhead(this.#rule, trend, known, this.#bucketMs, horizonS * 1000, watchAt, this.#utcOffsetMs);
  }

  #holdsFrom(windowFrom: number): boolean {
    return holdsOver(this.#rule, windowFrom, windowFrom + this.#rule.windowMs, this.#utcOffsetMs);
  }

  /** Spares nearly all of the work nearly always: even far above its forecast the limit is not in sight. */
  #outOfReach(): boolean {
    const { trend, warning } = this.#state;
    if (warning !== null) return false;
    const steps = Math.ceil((this.#params.horizonS * 1000) / this.#bucketMs);
    const highest = Math.max(trend.level, forecast(trend, steps));
    return highest + 2 * Math.sqrt(trend.variance) < this.#rule.limit.max;
  }

  #open(outlook: Outlook, time: number, say: Say): void {
    this.#state.streak = 0;
    this.#state.warning = { since: time, outlook, at: time };
    this.#tell('open', outlook, time, say);
  }

  #tell(state: 'open' | 'update', outlook: Outlook, time: number, say: Say): void {
    const { warning } = this.#state;
    if (warning === null) return;
    this.#state.warning = { since: warning.since, outlook, at: time };
    say(wordsFor(this.#rule, this.#state.warning, state, null, this.#params.warningAt, this.#utcOffsetMs));
  }

  #close(outcome: 'came-true' | 'receded' | 'no-data', time: number, say: Say): void {
    const { warning } = this.#state;
    if (warning === null) return;
    this.#state.warning = null;
    this.#state.streak = 0;
    const ended = { ...warning, at: time };
    say(wordsFor(this.#rule, ended, 'closed', outcome, this.#params.warningAt, this.#utcOffsetMs));
  }
}

/** A fifth of the window, or as fine as the values come: always a whole part of the window. */
function bucketOf(windowMs: number, intervalMs: number): number {
  const parts = [5, 4, 3, 2].find((n) => windowMs / n >= intervalMs && windowMs % n === 0) ?? 1;
  return windowMs / parts;
}

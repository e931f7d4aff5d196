import type { Quality } from '../../../contracts/index.ts';
import type { Say } from '../detector.ts';
import { holdsOver, type Rule, windowStart } from './rules.ts';
import { convert } from './units.ts';
import { begin, exceeds, goOn, type Judged, type Violation, wordsFor } from './violation.ts';

/** When a happening is over, and how long data may be on the way. */
export interface Patience {
  /** Judged windows in a row under the limit that end a happening. */
  clearWindows: number;
  /** Windows in a row without a judgement after which a happening is no longer held open. */
  idleWindows: number;
  /** Instant limits: values in a row under the limit that end a happening, and silence that does. */
  clearValues: number;
  idleMs: number;
  /** How long after a window's end the clock waits for its data; the first value behind the window ends it at once. */
  graceMs: number;
}

/** Shared by all judges of datastreams of one interval. */
export interface JudgeContext extends Patience {
  intervalMs: number;
  utcOffsetMs: number;
  note: (reason: string, text?: string) => void;
}

/** One rule at one datastream. */
export interface Judge {
  observe(time: number, value: number, quality: Quality, say: Say): void;
  tick(time: number, say: Say): void;
  /** When the clock has to look again; null: nothing is pending. */
  pendingUntil(): number | null;
  save(): JudgeState;
  restore(state: JudgeState): void;
}

export interface JudgeState {
  /** End of the window in hand; null: none yet. */
  end: number | null;
  sum: number;
  /** What rounding took from the sum (Neumaier): the mean of ten times 1.2 is 1.2. */
  lost: number;
  /** Values in the sum. */
  count: number;
  /** Values that count towards a complete window: two within half an interval are one. */
  covered: number;
  /** Time of the latest of them; for an instant rule, of the latest valid value. */
  coveredAt: number;
  violation: Violation | null;
}

const fresh = (): JudgeState => ({
  end: null,
  sum: 0,
  lost: 0,
  count: 0,
  covered: 0,
  coveredAt: 0,
  violation: null,
});

/** What both kinds share: the happening's life. */
abstract class HappeningJudge implements Judge {
  protected readonly rule: Rule;
  protected readonly datastream: string;
  protected readonly context: JudgeContext;
  protected state: JudgeState = fresh();

  constructor(rule: Rule, datastream: string, context: JudgeContext) {
    this.rule = rule;
    this.datastream = datastream;
    this.context = context;
  }

  abstract observe(time: number, value: number, quality: Quality, say: Say): void;
  abstract tick(time: number, say: Say): void;
  abstract pendingUntil(): number | null;

  save(): JudgeState {
    return { ...this.state };
  }

  restore(state: JudgeState): void {
    this.state = { ...state };
  }

  protected broken(judged: Judged, say: Say): void {
    const before = this.state.violation;
    const violation = before === null ? begin(judged) : goOn(before, judged);
    this.state.violation = violation;
    say(wordsFor(this.rule, violation, before === null ? 'open' : 'update', this.context.utcOffsetMs));
  }

  protected kept(clearAfter: number, say: Say): void {
    const { violation } = this.state;
    if (violation === null) return;
    violation.under += 1;
    violation.idle = 0;
    if (violation.under >= clearAfter) this.over(say);
  }

  protected over(say: Say): void {
    const { violation } = this.state;
    if (violation === null) return;
    this.state.violation = null;
    say(wordsFor(this.rule, violation, 'closed', this.context.utcOffsetMs));
  }
}

/** Mean or energy mean over consecutive windows aligned to local time; each value counts in exactly one window. */
export class WindowJudge extends HappeningJudge {
  /** The rule holds over the whole window in hand. */
  #holds = false;

  observe(time: number, value: number, quality: Quality, say: Say): void {
    const { state } = this;
    if (state.end === null || time >= state.end) this.#moveTo(time, say);
    if (!this.#holds || quality !== 'valid') return;
    // A value behind a window that the clock has closed already: it came later than the grace allows.
    if (time < (state.end ?? 0) - this.rule.windowMs) {
      this.context.note('value-after-window-was-judged');
      return;
    }
    add(state, this.rule.energy ? 10 ** (value / 10) : value);
    state.count += 1;
    if (state.covered > 0 && time - state.coveredAt < this.context.intervalMs / 2) return;
    state.covered += 1;
    state.coveredAt = time;
  }

  tick(time: number, say: Say): void {
    const { end } = this.state;
    if (end !== null && time >= end + this.context.graceMs) this.#moveTo(time - this.context.graceMs, say);
  }

  pendingUntil(): number | null {
    const { end, count, violation } = this.state;
    return end !== null && (count > 0 || violation !== null) ? end + this.context.graceMs : null;
  }

  override restore(state: JudgeState): void {
    super.restore(state);
    if (state.end !== null) this.#holds = this.#holdsUntil(state.end);
  }

  /** Judges the window in hand and takes up the one that `time` lies in. */
  #moveTo(time: number, say: Say): void {
    const { state, rule } = this;
    const start = windowStart(rule, time, this.context.utcOffsetMs);
    if (state.end !== null) {
      this.#judge(state.end, say);
      this.#skip((start - state.end) / rule.windowMs, say);
    }
    state.end = start + rule.windowMs;
    state.sum = 0;
    state.lost = 0;
    state.count = 0;
    state.covered = 0;
    this.#holds = this.#holdsUntil(state.end);
    // Outside its hours or validity a rule cannot be broken, so neither can the happening go on.
    if (!this.#holds) this.over(say);
  }

  #holdsUntil(end: number): boolean {
    return holdsOver(this.rule, end - this.rule.windowMs, end, this.context.utcOffsetMs);
  }

  #judge(end: number, say: Say): void {
    const { state, rule } = this;
    if (!this.#holds) return;
    if (state.covered < rule.needed) {
      if (state.count > 0) this.#noteTooFew(end);
      this.#skip(1, say);
      return;
    }
    const mean = (state.sum + state.lost) / state.count;
    const value = convert(rule.energy ? 10 * Math.log10(mean) : mean, rule.convert);
    if (!exceeds(value, rule.limit.max)) this.kept(this.context.clearWindows, say);
    else this.broken({ from: end - rule.windowMs, to: end, value, valid: state.covered }, say);
  }

  #noteTooFew(end: number): void {
    const { limit, expected } = this.rule;
    const text = `${this.datastream}, ${limit.id}, window to ${new Date(end).toISOString()}: not enough valid data: ${this.state.covered} of ${expected}`;
    this.context.note('not-enough-valid-data', text);
  }

  #skip(windows: number, say: Say): void {
    const { violation } = this.state;
    if (violation === null || windows <= 0) return;
    violation.idle += windows;
    if (violation.idle >= this.context.idleWindows) this.over(say);
  }
}

/** Each single valid value is held against the limit. */
export class InstantJudge extends HappeningJudge {
  observe(time: number, value: number, quality: Quality, say: Say): void {
    const { rule, context } = this;
    if (quality !== 'valid') return;
    this.#endIfIdle(time, say);
    if (!holdsOver(rule, time, time + 1, context.utcOffsetMs)) {
      this.over(say);
      return;
    }
    this.state.coveredAt = time;
    const own = convert(value, rule.convert);
    if (exceeds(own, rule.limit.max)) this.broken({ from: time, to: time + 1, value: own, valid: 1 }, say);
    else this.kept(context.clearValues, say);
  }

  tick(time: number, say: Say): void {
    this.#endIfIdle(time, say);
  }

  pendingUntil(): number | null {
    return this.state.violation === null ? null : this.state.coveredAt + this.context.idleMs;
  }

  #endIfIdle(time: number, say: Say): void {
    if (this.state.violation !== null && time >= this.state.coveredAt + this.context.idleMs) this.over(say);
  }
}

function add(state: JudgeState, value: number): void {
  const sum = state.sum + value;
  state.lost += Math.abs(state.sum) >= Math.abs(value) ? state.sum - sum + value : value - sum + state.sum;
  state.sum = sum;
}

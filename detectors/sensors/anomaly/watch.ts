import { z } from 'zod';
import type { Quality, Severity } from '../../../contracts/index.ts';
import type { DatastreamContext, DatastreamWatch, Said, Say } from '../detector.ts';
import { rulesFor } from '../limits/rules.ts';
import type { AnomalyParams } from './config.ts';
import { BRANCHES, createScorer, FULL_DIGITS, type Scorer, type Surprise } from './scorer.ts';
import { summarise } from './summary.ts';
import { SUSPICION_DIGITS, thresholdFor } from './threshold.ts';

/** What is suspected, or known, of an anomaly: the surprise that stands for it, and since and until when it lasted. */
const Happening = z.strictObject({
  since: z.number(),
  until: z.number(),
  /** Observations that bore it out, while suspected; observations without it since, while open. */
  rows: z.number(),
  branch: z.enum(BRANCHES),
  digits: z.number(),
  found: z.number(),
  expected: z.number(),
  usual: z.number(),
  spread: z.number(),
});
type Happening = z.infer<typeof Happening>;

const State = z.strictObject({
  scorer: z.string(),
  first: z.number(),
  suspected: Happening.nullable(),
  open: Happening.nullable(),
});

/**
 * Until a whole week was seen, a level never seen may be that of the hour: the works that start on Monday at seven. So
 * long only what goes beyond three times the spread of all values so far opens a finding by lasting.
 */
const WHOLE_WEEK_MS = 7 * 86_400_000;
const FIRST_WEEK_SPREADS = 3;
/** A new level that lasts so long is the normal one. */
const NEW_NORMAL_MS = 86_400_000;

/**
 * Follows one datastream and says what a person should look at.
 *
 *          surprise ≥ threshold ───────────────────────────┐
 *   calm ──┤                                               ▼
 *          └ surprise ≥ 5 digits ─────▶ suspected ──▶ open ──▶ calm, once quiet for `quietS` and `quietRows`
 *                                            │  lasts for `confirmS` and `confirmRows`
 *                                            └─▶ calm, when a value comes back half-way, or the hour may explain it
 *
 * Values that are not valid are neither judged nor learnt.
 */
export class AnomalyWatch implements DatastreamWatch {
  private readonly context: DatastreamContext;
  private readonly params: AnomalyParams;
  private readonly certain: number;
  private readonly suspicious: number;
  /** Where a limit is set, that rule speaks of violations, and an anomaly is only worth watching. */
  private readonly severity: Severity;
  private readonly scorer: Scorer = createScorer();
  private first = 0;
  private suspected: Happening | null = null;
  private happening: Happening | null = null;

  constructor(context: DatastreamContext, params: AnomalyParams) {
    this.context = context;
    this.params = params;
    this.severity = rulesFor(context).length > 0 ? 'watch' : 'warning';
    this.certain = FULL_DIGITS * thresholdFor(params.falseAlarmsPerDay, context.datastream.intervalS);
    this.suspicious = Math.min(this.certain, SUSPICION_DIGITS);
  }

  observe(time: number, value: number, quality: Quality, say: Say): void {
    if (quality !== 'valid' || !Number.isFinite(value)) return;
    if (this.first === 0) this.first = time;
    this.scorer.step(time, value);
    const surprise = this.scorer.last;
    if (this.happening !== null) this.goOn(this.happening, time, value, surprise, say);
    else if (surprise.digits >= this.certain)
      this.open(begin(this.suspected?.since ?? time, time, surprise), say);
    else if (this.suspected !== null) this.bearOut(this.suspected, time, value, say);
    else if (surprise.digits >= this.suspicious && canLast(surprise)) {
      this.suspected = begin(time, time, surprise);
    }
  }

  save(): unknown {
    const { first, suspected, happening } = this;
    return { scorer: this.scorer.save(), first, suspected, open: happening };
  }

  restore(state: unknown): void {
    const saved = State.parse(state);
    if (!this.scorer.restore(saved.scorer)) throw new Error('the saved state is of another anomaly scorer');
    this.first = saved.first;
    this.suspected = saved.suspected;
    this.happening = saved.open;
  }

  /** A gust or a passing lorry surprises as much as a burst pipe; only the pipe stays. */
  private bearOut(h: Happening, time: number, value: number, say: Say): void {
    if (!lasts(h, value)) {
      this.suspected = null;
      return;
    }
    h.until = time;
    h.rows++;
    if (time - h.since < this.params.confirmS * 1000 || h.rows < this.params.confirmRows) return;
    const outside = Math.abs(value - h.expected) >= FIRST_WEEK_SPREADS * h.spread;
    if (outside || time - this.first >= WHOLE_WEEK_MS) this.open({ ...h, found: value }, say);
    else this.suspected = null;
  }

  private open(h: Happening, say: Say): void {
    this.suspected = null;
    this.happening = { ...h, rows: 0 };
    say(this.said('open', this.happening));
  }

  private goOn(h: Happening, time: number, value: number, surprise: Surprise, say: Say): void {
    const stays = canLast(h) && lasts(h, value) && time - h.since < NEW_NORMAL_MS;
    if (!stays && surprise.digits < this.suspicious) {
      h.rows++;
      this.closeWhenQuiet(h, time, say);
      return;
    }
    h.until = time;
    h.rows = 0;
    if (surprise.digits <= h.digits) return;
    Object.assign(h, surprise);
    say(this.said('update', h));
  }

  private closeWhenQuiet(h: Happening, time: number, say: Say): void {
    if (time - h.until < this.params.quietS * 1000 || h.rows < this.params.quietRows) return;
    say(this.said('closed', h));
    this.happening = null;
  }

  private said(state: Said['state'], h: Happening): Said {
    const { property, unit } = this.context.datastream;
    return {
      state,
      kind: 'anomaly',
      reason: h.branch,
      severity: this.severity,
      matter: this.params.matter,
      since: h.since,
      interval: { from: h.since, to: h.until + 1 },
      measure: {
        statistic: 'score',
        value: Math.min(1, h.digits / FULL_DIGITS),
        unit: '1',
        limit: (h.digits >= this.certain ? this.certain : this.suspicious) / FULL_DIGITS,
      },
      summary: summarise(property, unit ?? '', h, h.since - this.first),
      parameters: { digits: h.digits, found: h.found, expected: h.expected },
      input: { from: this.first, to: h.until },
    };
  }
}

function begin(since: number, until: number, surprise: Surprise): Happening {
  return { since, until, rows: 0, ...surprise };
}

/** What is said of the last hours as a whole cannot be borne out by the next value. */
function canLast(surprise: Surprise): boolean {
  return surprise.branch !== 'unlike-other-days';
}

/** Whether a value still lies at least half as far from what was expected as the one that surprised. */
function lasts(h: Happening, value: number): boolean {
  const off = h.found - h.expected;
  return (value - h.expected) * Math.sign(off) >= Math.abs(off) / 2;
}

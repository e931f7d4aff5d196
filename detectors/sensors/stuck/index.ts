import { z } from 'zod';
import type { Quality } from '../../../contracts/index.ts';
import type { DatastreamContext, DatastreamWatch, Said, Say, SensorDetector } from '../detector.ts';
import { durationText, numberText, quantityText, spanText } from '../wording.ts';
import { interrupt, learn, newQuiet, type QuietState } from './quiet.ts';

/**
 * Stuck: a datastream that moves far less than it ever did at its calmest.
 *
 *   value ─▶ run: the stretch up to now that stays within the tolerance ─▶ long enough, values enough ─▶ `stuck`
 *      └───▶ quiet: swing of earlier blocks ─calm × ratio▶ tolerance
 *
 * Promises: nothing is said before variation was learnt; nothing is said of datastreams that are constant by nature, or so
 * coarse that their calm swing is only a few steps of their resolution (a rain gauge, a level to the centimetre at
 * night); nothing of a constant zero, which is what a source that is off reads. A finding is a lead (线索), never
 * proof. Does not promise to see a value that was stuck from the first day, or one with artificial noise on it.
 */
export const StuckParams = z.strictObject({
  minDurationS: z
    .number()
    .min(60)
    .max(604_800)
    .default(1800)
    .describe('Seconds that it must have been too constant'),
  minSamples: z
    .int()
    .min(5)
    .max(100_000)
    .default(20)
    .describe('Valid values that the constant stretch must hold'),
  ratio: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.05)
    .describe(
      'Too constant: swing of the stretch is at most so much of the swing of the calmest earlier blocks',
    ),
  learnS: z
    .number()
    .min(300)
    .max(2_592_000)
    .default(3600)
    .describe('Seconds of valid data to learn from before anything is said'),
  minSteps: z
    .number()
    .min(1)
    .max(1000)
    .default(4)
    .describe('Calm swing must be at least so many steps of the resolution, else it is too coarse to tell'),
  zeroIsNatural: z
    .boolean()
    .default(true)
    .describe('Nothing is said of a constant zero: a source that is off reads zero'),
  matter: z
    .string()
    .default('m-monitoring-data')
    .describe('Matter of the finding; left out if not in the catalog'),
});
export type StuckParams = z.infer<typeof StuckParams>;

/** A block is so much of the shortest stuck stretch, and so many values at least: of fewer, a swing says nothing. */
const BLOCKS_PER_STRETCH = 6;
const VALUES_PER_BLOCK = 5;

export const stuckDetector: SensorDetector<StuckParams> = {
  name: 'stuck',
  version: '1.0.0',
  params: StuckParams,
  attach: (context, params) => new StuckWatch(context, params),
};

interface StuckState {
  quiet: QuietState;
  /** The stretch in hand. */
  run: { from: number; min: number; max: number; count: number } | null;
  last: { time: number; value: number } | null;
  /** Tolerance when the finding in hand was opened; null: nothing open. */
  open: { tolerance: number; calm: number } | null;
}

class StuckWatch implements DatastreamWatch {
  readonly #context: DatastreamContext;
  readonly #params: StuckParams;
  readonly #blockMs: number;
  readonly #longestGapMs: number;
  #state: StuckState = { quiet: newQuiet(), run: null, last: null, open: null };

  constructor(context: DatastreamContext, params: StuckParams) {
    this.#context = context;
    this.#params = params;
    const intervalMs = context.datastream.intervalS * 1000;
    const part = (params.minDurationS * 1000) / BLOCKS_PER_STRETCH;
    this.#blockMs = Math.max(part, VALUES_PER_BLOCK * intervalMs);
    this.#longestGapMs = Math.max(3 * intervalMs, part);
  }

  observe(time: number, value: number, quality: Quality, say: Say): void {
    const { last } = this.#state;
    if (quality !== 'valid' || (last !== null && time - last.time > this.#longestGapMs)) {
      this.#end(say);
      this.#state.run = null;
      this.#state.last = null;
      interrupt(this.#state.quiet);
      if (quality !== 'valid') return;
    }
    const tolerance = this.#tolerance();
    this.#extend(time, value, tolerance ?? 0, say);
    this.#judge(time, tolerance, say);
    const before = this.#state.last;
    learn(
      this.#state.quiet,
      time,
      value,
      before === null ? null : before.value,
      this.#blockMs,
      tolerance ?? -1,
    );
    if (before === null) this.#state.last = { time, value };
    else {
      before.time = time;
      before.value = value;
    }
  }

  save(): StuckState {
    return structuredClone(this.#state);
  }

  restore(state: StuckState): void {
    this.#state = structuredClone(state);
  }

  /** How far a stretch may swing and still be too constant; null: nothing can be said (yet). */
  #tolerance(): number | null {
    const { quiet, open } = this.#state;
    if (open !== null) return open.tolerance;
    const learntMs = quiet.blocks * this.#blockMs;
    if (learntMs < this.#params.learnS * 1000 || quiet.calm <= 0) return null;
    if (quiet.step !== null && quiet.calm < this.#params.minSteps * quiet.step) return null;
    return this.#params.ratio * quiet.calm;
  }

  #extend(time: number, value: number, tolerance: number, say: Say): void {
    const { run } = this.#state;
    if (run === null) {
      this.#state.run = { from: time, min: value, max: value, count: 1 };
      return;
    }
    const min = Math.min(value, run.min);
    const max = Math.max(value, run.max);
    if (max - min > tolerance) {
      this.#end(say);
      run.from = time;
      run.min = value;
      run.max = value;
      run.count = 1;
      return;
    }
    run.min = min;
    run.max = max;
    run.count += 1;
  }

  #judge(time: number, tolerance: number | null, say: Say): void {
    const { run, open, quiet } = this.#state;
    if (run === null || tolerance === null) return;
    if (open !== null) {
      say(this.#words('update', run, time));
      return;
    }
    if (time - run.from < this.#params.minDurationS * 1000 || run.count < this.#params.minSamples) return;
    if (this.#params.zeroIsNatural && run.min === 0 && run.max === 0) return;
    this.#state.open = { tolerance, calm: quiet.calm };
    say(this.#words('open', run, time));
  }

  #end(say: Say): void {
    const { run, open, last } = this.#state;
    if (open === null || run === null || last === null) return;
    say(this.#words('closed', run, last.time));
    this.#state.open = null;
  }

  #words(state: Said['state'], run: NonNullable<StuckState['run']>, to: number): Said {
    const { datastream, catalog } = this.#context;
    const calm = this.#state.open?.calm ?? this.#state.quiet.calm;
    const swing = run.max - run.min;
    return {
      state,
      kind: 'falsification',
      reason: 'stuck',
      severity: 'warning',
      ...(catalog.matters.has(this.#params.matter) ? { matter: this.#params.matter } : {}),
      interval: { from: run.from, to },
      measure: {
        statistic: 'swing',
        value: swing,
        unit: datastream.unit ?? '1',
        limit: this.#state.open?.tolerance ?? this.#params.ratio * calm,
        validCount: run.count,
      },
      summary: this.#summary(run, to, swing, calm),
      since: run.from,
      parameters: { calmSwing: calm, min: run.min, max: run.max },
      input: { from: run.from, to },
    };
  }

  #summary(run: { from: number; min: number; count: number }, to: number, swing: number, calm: number) {
    const { datastream, utcOffsetMs } = this.#context;
    const at = quantityText(run.min, datastream.unit);
    const span = spanText(run.from, to, utcOffsetMs);
    const block = durationText(this.#blockMs);
    const [s, c] = [numberText(swing), quantityText(calm, datastream.unit)];
    return {
      zh: `${datastream.property} 在 ${span} 的 ${run.count} 个数据几乎不变（约 ${at}，变幅 ${s}；此前最平稳时 ${block.zh}变幅为 ${c}）。疑似数据恒定不变，作为线索，须人工核查`,
      en: `${datastream.property} hardly moved over ${span}: ${run.count} values at about ${at}, swing ${s} (at its calmest before: ${c} in ${block.en}). A lead for a person to check, not proof`,
    };
  }
}

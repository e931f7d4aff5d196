import { FORECAST_CELLS, forecastForget, forecastPredicted, forecastStep } from './branches/forecast.ts';
import { NOVELTY_CELLS, noveltyNearest, noveltyStep } from './branches/novelty.ts';
import { TAIL_CELLS, tailDigits, tailLearn, tailThreshold } from './branches/tail.ts';
import { cell, cellsFromText, cellsToText } from './cells.ts';

/**
 * The scorer: timestamps and values of one datastream in order, in; one anomaly score in [0, 1] per value, out.
 *
 * Promises: one pass, no look-ahead, one parameter set for every datastream; state of fixed size that continues bit
 * for bit; the same input gives the same scores. A score is digits of improbability over {@link FULL_DIGITS}: 0.5
 * stands for 1 in 10^6 observations of this datastream's own past. After a peak it rests: until {@link REST_ROWS}
 * values have passed only a higher peak scores again, so that one happening is one alert.
 * Does not promise: a score during the first {@link PROBATION_ROWS} values; independence of neighbouring scores.
 */
export interface Scorer {
  /** @param time epoch ms, not decreasing  @param value finite */
  step(time: number, value: number): number;
  /** What lies behind the last step, before the rest: for explanations, and to see that it still goes on. */
  readonly last: Surprise;
  save(): string;
  /** False when the text is not a state of this scorer; then nothing is changed. */
  restore(state: string): boolean;
}

export type Branch = 'value-never-seen' | 'sudden-change';

export interface Surprise {
  branch: Branch;
  /** −log10 of the probability under the datastream's own past. */
  digits: number;
  /** Nearest value ever seen, or the forecast. */
  expected: number;
  /** How far from it. */
  distance: number;
  /** Distance that about one value in twenty reaches; 0 when the branch has none. */
  usual: number;
}

/** Digits that count as a score of 1. */
export const FULL_DIGITS = 12;
/** Values that are only learnt. */
export const PROBATION_ROWS = 60;
/** Values during which only a higher peak scores again. */
export const REST_ROWS = 100;
/** A pause of more than so many usual intervals is a gap: what comes after it is not compared with what came before. */
const GAP_INTERVALS = 4;
/** The usual interval moves by at most this factor a value, so that a single gap does not change it. */
const INTERVAL_STRIDE = 1.05;

/** Beyond this differences would overflow; no sensor gets there. */
const LARGEST = 1e100;

/** Cells: rows, last time, usual interval, peak, rows since the peak. */
const HEAD = 5;
const ROWS = 0;
const TIME = 1;
const INTERVAL = 2;
const PEAK = 3;
const AGE = 4;
const NOVELTY = HEAD;
const FORECAST = NOVELTY + NOVELTY_CELLS;
const TAIL = FORECAST + FORECAST_CELLS;
export const SCORER_CELLS = TAIL + TAIL_CELLS;

export function createScorer(): Scorer {
  const cells = new Float64Array(SCORER_CELLS);
  const last: Surprise = { branch: 'value-never-seen', digits: 0, expected: 0, distance: 0, usual: 0 };
  return {
    step(time, value) {
      observe(cells, last, time, Math.min(LARGEST, Math.max(-LARGEST, value)));
      return rest(cells, last.digits) / FULL_DIGITS;
    },
    last,
    save: () => cellsToText(cells),
    restore: (state) => cellsFromText(cells, state),
  };
}

function observe(cells: Float64Array, last: Surprise, time: number, value: number): void {
  if (behindGap(cells, time)) forecastForget(cells, FORECAST);
  const rows = cell(cells, ROWS) + 1;
  cells[ROWS] = rows;
  const novelty = noveltyStep(cells, NOVELTY, value);
  const miss = forecastStep(cells, FORECAST, value);
  const change = miss < 0 ? 0 : tailDigits(cells, TAIL, miss);
  const usual = tailThreshold(cells, TAIL);
  if (miss >= 0) tailLearn(cells, TAIL, miss);
  if (novelty >= change) {
    tell(last, 'value-never-seen', novelty, noveltyNearest(cells, NOVELTY), value, 0);
  } else tell(last, 'sudden-change', change, forecastPredicted(cells, FORECAST), value, usual);
  if (rows <= PROBATION_ROWS) last.digits = 0;
}

function tell(
  last: Surprise,
  branch: Branch,
  digits: number,
  expected: number,
  value: number,
  usual: number,
): void {
  last.branch = branch;
  last.digits = digits;
  last.expected = expected;
  last.distance = Math.abs(value - expected);
  last.usual = usual;
}

/** Whether the time since the last value is out of proportion; follows the usual interval when the sampling changes. */
function behindGap(cells: Float64Array, time: number): boolean {
  const passed = cell(cells, ROWS) === 0 ? 0 : time - cell(cells, TIME);
  cells[TIME] = time;
  if (passed <= 0) return false;
  const usual = cell(cells, INTERVAL);
  if (usual === 0) {
    cells[INTERVAL] = passed;
    return false;
  }
  const factor = Math.min(INTERVAL_STRIDE, Math.max(1 / INTERVAL_STRIDE, passed / usual));
  cells[INTERVAL] = usual * factor;
  return passed > GAP_INTERVALS * usual;
}

/** One happening, one alert: repeats below the peak of the last {@link REST_ROWS} values score nothing. */
function rest(cells: Float64Array, digits: number): number {
  const age = cell(cells, AGE) + 1;
  cells[AGE] = age;
  if (age > REST_ROWS) cells[PEAK] = 0;
  const capped = Math.min(digits, FULL_DIGITS);
  if (capped <= cell(cells, PEAK)) return 0;
  cells[PEAK] = capped;
  cells[AGE] = 0;
  return capped;
}

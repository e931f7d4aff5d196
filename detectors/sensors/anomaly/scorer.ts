import { DAILY_NARROW, DAILY_WIDE, dailyMeans, dailyStep } from './branches/daily.ts';
import { FORECAST_CELLS, forecastForget, forecastPredicted, forecastStep } from './branches/forecast.ts';
import {
  NOVELTY_NARROW,
  NOVELTY_WIDE,
  noveltyNearest,
  noveltySpread,
  noveltyStep,
} from './branches/novelty.ts';
import { TAIL_CELLS, tailDigits, tailLearn, tailThreshold } from './branches/tail.ts';
import { missScale, relativeMiss, VOLATILITY_CELLS } from './branches/volatility.ts';
import { at, createMemory, type Memory, memoryFromText, memoryToText } from './memory.ts';

/**
 * The scorer: timestamps and values of one datastream in order, in; one anomaly score in [0, 1] per value, out.
 *
 * Promises: one pass, no look-ahead, one parameter set for every datastream; state of {@link SCORER_BYTES} bytes that
 * continues bit for bit; the same input gives the same scores. A score is digits of improbability over
 * {@link FULL_DIGITS}: 0.5 stands for 1 in 10^6 observations of this datastream's own past. After a peak it rests:
 * until {@link REST_ROWS} values have passed only a higher peak scores again, so that one happening is one alert.
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

export const BRANCHES = ['value-never-seen', 'sudden-change', 'unlike-other-days'] as const;
export type Branch = (typeof BRANCHES)[number];

export interface Surprise {
  /** The branch that is most surprised. */
  branch: Branch;
  /** −log10 of the probability under the datastream's own past, all branches together. */
  digits: number;
  /** What was held against `expected`: the value itself, or the mean of the last hours. */
  found: number;
  /** Nearest value ever seen, the forecast, or the mean of the same hours of the most similar day. */
  expected: number;
  /** Distance that about one value in twenty reaches; 0 when the branch has no such number. */
  usual: number;
  /** Between the 5 % and the 95 % quantile of the values so far. */
  spread: number;
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
/** Beyond this differences would overflow the narrow cells; no sensor gets there. */
const LARGEST = 1e30;

const ROWS = 0;
const TIME = 1;
const INTERVAL = 2;
const PEAK = 3;
const AGE = 4;
const HEAD = 5;
/** Where each branch's cells begin. */
const NOVELTY = HEAD;
const FORECAST = NOVELTY + NOVELTY_WIDE;
const VOLATILITY = FORECAST + FORECAST_CELLS;
const CHANGE = VOLATILITY + VOLATILITY_CELLS;
const DAILY = CHANGE + TAIL_CELLS;
const WIDE = DAILY + DAILY_WIDE;
const DAYS = NOVELTY_NARROW;
const NARROW = DAYS + DAILY_NARROW;
export const SCORER_BYTES = 8 * WIDE + 4 * NARROW;

export function createScorer(): Scorer {
  const memory = createMemory(WIDE, NARROW);
  const last: Surprise = {
    branch: 'value-never-seen',
    digits: 0,
    found: 0,
    expected: 0,
    usual: 0,
    spread: 0,
  };
  return {
    step(time, value) {
      observe(memory, last, time, Math.min(LARGEST, Math.max(-LARGEST, value)));
      return rest(memory.wide, last.digits) / FULL_DIGITS;
    },
    last,
    save: () => memoryToText(memory),
    restore: (state) => memoryFromText(memory, state),
  };
}

function observe(memory: Memory, last: Surprise, time: number, value: number): void {
  const cells = memory.wide;
  if (behindGap(cells, time)) forecastForget(cells, FORECAST);
  const usual = missScale(cells, VOLATILITY) * tailThreshold(cells, CHANGE);
  const novelty = noveltyStep(memory, NOVELTY, 0, value);
  const change = changeDigits(cells, value);
  const daily = dailyStep(memory, DAILY, DAYS, time, value);
  const rows = at(cells, ROWS) + 1;
  cells[ROWS] = rows;
  last.digits = rows <= PROBATION_ROWS ? 0 : together(novelty, change, daily);
  if (last.digits > 0) explain(memory, last, value, usual, novelty, change, daily);
}

/** The miss of the forecast in units of the present restlessness, on the tail of its own past. */
function changeDigits(cells: Float64Array, value: number): number {
  const miss = forecastStep(cells, FORECAST, value);
  if (miss < 0) return 0;
  const relative = relativeMiss(cells, VOLATILITY, miss);
  const digits = tailDigits(cells, CHANGE, relative);
  tailLearn(cells, CHANGE, relative);
  return digits;
}

/**
 * Cubic norm: the strongest branch decides, and a second one that agrees adds a little. On the development sets any
 * exponent from 2 to 8 gives the same within a point.
 */
function together(a: number, b: number, c: number): number {
  return a === 0 && b === 0 && c === 0 ? 0 : Math.cbrt(a * a * a + b * b * b + c * c * c);
}

function explain(
  memory: Memory,
  last: Surprise,
  value: number,
  usual: number,
  novelty: number,
  change: number,
  daily: number,
): void {
  last.found = value;
  last.usual = 0;
  last.spread = noveltySpread(memory, NOVELTY);
  if (daily > novelty && daily > change) {
    const { today, similar } = dailyMeans(memory, DAILY);
    last.branch = 'unlike-other-days';
    last.found = today;
    last.expected = similar;
  } else if (novelty >= change) {
    last.branch = 'value-never-seen';
    last.expected = noveltyNearest(memory, NOVELTY);
  } else {
    last.branch = 'sudden-change';
    last.expected = forecastPredicted(memory.wide, FORECAST);
    last.usual = usual;
  }
}

/** Whether the time since the last value is out of proportion; follows the usual interval when the sampling changes. */
function behindGap(cells: Float64Array, time: number): boolean {
  const passed = at(cells, ROWS) === 0 ? 0 : time - at(cells, TIME);
  cells[TIME] = time;
  if (passed <= 0) return false;
  const usual = at(cells, INTERVAL);
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
  const age = at(cells, AGE) + 1;
  cells[AGE] = age;
  if (age > REST_ROWS) cells[PEAK] = 0;
  const capped = Math.min(digits, FULL_DIGITS);
  if (capped <= at(cells, PEAK)) return 0;
  cells[PEAK] = capped;
  cells[AGE] = 0;
  return capped;
}

import { at } from '../memory.ts';

/**
 * Short forecast: five simple predictors run side by side, and the one that has erred least of late says what the next
 * value should be. The size of its miss is the residual that the tail judges.
 *
 * A level that wanders is best predicted by its last value, a smooth curve by carrying on its slope, noise about a
 * level by a mean: choosing among them fits the datastream without fitting anything, and one wild value cannot spoil
 * coefficients that do not exist.
 *
 * Promises: O(1) time, {@link FORECAST_CELLS} cells.
 */

const PREDICTORS = 5;
/** Cells: rows since the start or a gap, three last values, fast and slow mean, prediction, error of each predictor. */
export const FORECAST_CELLS = 7 + PREDICTORS;
const ROWS = 0;
const LAST = 1;
const BEFORE = 2;
const FAST = 3;
const SLOW = 4;
const PREDICTED = 5;
const BEST = 6;
const ERRORS = 7;

/** Weight of the newest value in the two means, and of the newest error in each predictor's record. */
const FAST_WEIGHT = 0.3;
const SLOW_WEIGHT = 0.03;
const ERROR_WEIGHT = 0.01;
/** An error counts up to so many times the usual one. */
const CLIP = 6;

/** The miss |value − forecast|, or −1 when there is no forecast yet. */
export function forecastStep(cells: Float64Array, base: number, value: number): number {
  const rows = at(cells, base + ROWS);
  cells[base + ROWS] = rows + 1;
  const miss = rows < 2 ? -1 : judge(cells, base, value);
  remember(cells, base, value, rows);
  return miss;
}

/** What was expected of the last value. */
export function forecastPredicted(cells: Float64Array, base: number): number {
  return at(cells, base + PREDICTED);
}

/** Behind a gap the last values say nothing about the next one. */
export function forecastForget(cells: Float64Array, base: number): void {
  cells[base + ROWS] = 0;
}

function judge(cells: Float64Array, base: number, value: number): number {
  const best = at(cells, base + BEST);
  const predicted = predict(cells, base, best);
  cells[base + PREDICTED] = predicted;
  let least = Infinity;
  for (let i = 0; i < PREDICTORS; i++) {
    const error = learnError(cells, base + ERRORS + i, Math.abs(value - predict(cells, base, i)));
    if (error < least) {
      least = error;
      cells[base + BEST] = i;
    }
  }
  return Math.abs(value - predicted);
}

function predict(cells: Float64Array, base: number, predictor: number): number {
  const last = at(cells, base + LAST);
  const slope = last - at(cells, base + BEFORE);
  switch (predictor) {
    case 0:
      return last;
    case 1:
      return last + slope;
    case 2:
      return last + slope / 2;
    case 3:
      return at(cells, base + FAST);
    default:
      return at(cells, base + SLOW);
  }
}

function learnError(cells: Float64Array, i: number, miss: number): number {
  const usual = at(cells, i);
  const counted = usual > 0 ? Math.min(miss, CLIP * usual) : miss;
  const error = usual + ERROR_WEIGHT * (counted - usual);
  cells[i] = error;
  return error;
}

function remember(cells: Float64Array, base: number, value: number, rows: number): void {
  cells[base + BEFORE] = rows === 0 ? value : at(cells, base + LAST);
  cells[base + LAST] = value;
  cells[base + FAST] = rows === 0 ? value : mix(at(cells, base + FAST), value, FAST_WEIGHT);
  cells[base + SLOW] = rows === 0 ? value : mix(at(cells, base + SLOW), value, SLOW_WEIGHT);
}

function mix(mean: number, value: number, weight: number): number {
  return mean + weight * (value - mean);
}

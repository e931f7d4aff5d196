import { cell } from '../cells.ts';

/**
 * Calibrated tail: how improbable is a number, judged by the numbers of the same kind that came before it?
 *
 * Promises: O(1) time, {@link TAIL_CELLS} cells, no distribution assumed near the middle, a power law beyond the
 * threshold `u` (Hill's estimator on the log excess, shrunk towards a prior while few excesses are known). A power law
 * gives heavy-tailed series (counts, traffic) the long tail that they have, and is conservative for light tails.
 * Does not promise: independence of neighbouring values, so the probability is per observation, not per happening.
 *
 *   log x                     p(X > x) = rate · (x/u)^(-1/g)
 *     u ─────────── share `rate` (about 5 %) of what came lies above
 *     │ excess: mean g
 */

/** Cells: n, u, spread, rate, g, excesses seen. */
export const TAIL_CELLS = 6;
const N = 0;
const U = 1;
const SPREAD = 2;
const RATE = 3;
const G = 4;
const EXCESSES = 5;

/** Share of values above the threshold `u`: far enough out for a tail, and often enough to be learnt. */
const SHARE = 0.05;
/** Observations remembered, in rows; older ones fade. */
const MEMORY = 4000;
/** Values before the tail says anything. */
const WARM = 20;
/** Prior mean log excess and its weight in excesses: a tail index of 2, as heavy as real sensors get. */
const PRIOR_G = 0.5;
const PRIOR_WEIGHT = 10;
/** One event must not make the tail fat: a log excess counts up to e^3 ≈ 20 times the threshold. */
const CLIP = 3;
/** What counts as nothing. */
const TINY = 1e-12;

/** −log10 of the tail probability of `x` ≥ 0; 0 while not warm or below the threshold. */
export function tailDigits(cells: Float64Array, at: number, x: number): number {
  if (cell(cells, at + N) < WARM || x <= TINY) return 0;
  const excess = Math.log(x) - cell(cells, at + U);
  if (excess <= 0) return 0;
  const k = cell(cells, at + EXCESSES);
  const g = (cell(cells, at + G) * k + PRIOR_G * PRIOR_WEIGHT) / (k + PRIOR_WEIGHT);
  return (excess / g - Math.log(cell(cells, at + RATE))) / Math.LN10;
}

/** Takes `x` ≥ 0 into the tail's past. */
export function tailLearn(cells: Float64Array, at: number, x: number): void {
  const log = Math.log(Math.max(x, TINY));
  const n = cell(cells, at + N) + 1;
  cells[at + N] = n;
  if (n <= WARM) begin(cells, at, log, n);
  else follow(cells, at, log, n);
}

/** The first values: a running mean and mean deviation place the threshold roughly; it moves on from there. */
function begin(cells: Float64Array, at: number, log: number, n: number): void {
  if (n === 1) cells[at + U] = log;
  const away = log - cell(cells, at + U);
  cells[at + U] = cell(cells, at + U) + away / n;
  cells[at + SPREAD] = cell(cells, at + SPREAD) + (Math.abs(away) - cell(cells, at + SPREAD)) / n;
  if (n < WARM) return;
  cells[at + SPREAD] = Math.max(0.1, cell(cells, at + SPREAD));
  cells[at + U] = cell(cells, at + U) + 2 * cell(cells, at + SPREAD);
  cells[at + RATE] = SHARE;
  cells[at + G] = PRIOR_G;
}

function follow(cells: Float64Array, at: number, log: number, n: number): void {
  const remembered = Math.min(n, MEMORY);
  const excess = log - cell(cells, at + U);
  const above = excess > 0 ? 1 : 0;
  cells[at + RATE] = cell(cells, at + RATE) + (above - cell(cells, at + RATE)) / remembered;
  if (above) {
    const k = Math.min(cell(cells, at + EXCESSES) + 1, SHARE * MEMORY);
    cells[at + EXCESSES] = k;
    cells[at + G] = cell(cells, at + G) + (Math.min(excess, CLIP) - cell(cells, at + G)) / k;
  }
  const stride = cell(cells, at + SPREAD) * Math.max(0.01, 0.6 / Math.sqrt(remembered));
  cells[at + U] = cell(cells, at + U) + stride * (above - SHARE);
}

/** The threshold in the units of x, for explanations. */
export function tailThreshold(cells: Float64Array, at: number): number {
  return Math.exp(cell(cells, at + U));
}

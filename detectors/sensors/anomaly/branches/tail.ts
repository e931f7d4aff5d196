import { at } from '../memory.ts';

/**
 * Calibrated tail: how improbable is a number, judged by the numbers of the same kind that came before it?
 *
 * Promises: O(1) time, {@link TAIL_CELLS} wide cells, nothing assumed about the middle of the distribution, a power law
 * beyond the threshold `u` (Hill's estimator on the log excess, shrunk towards a prior while few excesses are known). A
 * power law gives heavy-tailed series (counts, traffic) the long tail that they have, and is cautious for light ones.
 * Does not promise: independence of neighbouring values, so the probability is per observation, not per happening.
 *
 *   p(X > x) = rate · (x/u)^(−1/g)      u: about 5 % of what came lies above it, exactly `rate`
 *                                       g: mean of log(x/u) above it
 *
 * Source: B. M. Hill, A simple general approach to inference about the tail of a distribution, Ann. Statist. 3 (1975).
 */
export const TAIL_CELLS = 6;
const COUNT = 0;
const U = 1;
const LARGEST = 2;
const RATE = 3;
const G = 4;
const EXCESSES = 5;

/** Share of values above the threshold `u`: far enough out to be a tail, often enough to be learnt. */
const SHARE = 0.05;
/** Values remembered; older ones fade. */
const MEMORY = 4000;
/** Values before the tail says anything. */
const WARM = 20;
/** Prior mean log excess and its weight in excesses: a tail index of 2, about as heavy as real sensors get. */
const PRIOR_G = 0.5;
const PRIOR_WEIGHT = 10;
/** One event must not make the tail fat: a value counts up to e^3 ≈ 20 times the threshold. */
const CLIP = 3;
/** What counts as nothing. */
const TINY = 1e-12;
const TINY_LOG = Math.log(TINY);
/** Steps of the threshold, in log units: large at first, then fine; it crosses a doubling in about 70 exceedances. */
const FIRST_STRIDE = 0.6;
const LEAST_STRIDE = 0.01;

/** −log10 of the tail probability of `x` ≥ 0; 0 while not warm or below the threshold. */
export function tailDigits(cells: Float64Array, base: number, x: number): number {
  if (at(cells, base + COUNT) < WARM || x <= TINY) return 0;
  const excess = Math.log(x) - at(cells, base + U);
  if (excess <= 0) return 0;
  const k = at(cells, base + EXCESSES);
  const g = (at(cells, base + G) * k + PRIOR_G * PRIOR_WEIGHT) / (k + PRIOR_WEIGHT);
  return (excess / g - Math.log(at(cells, base + RATE))) / Math.LN10;
}

/** Takes `x` ≥ 0 into the past. */
export function tailLearn(cells: Float64Array, base: number, x: number): void {
  const log = Math.log(Math.max(x, TINY));
  const count = at(cells, base + COUNT) + 1;
  cells[base + COUNT] = Math.min(count, MEMORY);
  if (count <= WARM) begin(cells, base, log, count);
  else follow(cells, base, log, Math.min(count, MEMORY));
}

/** The value that about one in twenty exceeds, for explanations. */
export function tailThreshold(cells: Float64Array, base: number): number {
  return Math.exp(at(cells, base + U));
}

/** Of the first twenty values the second largest is the 95 % quantile; wild or absent numbers among them do no harm. */
function begin(cells: Float64Array, base: number, log: number, count: number): void {
  const largest = count === 1 ? log : at(cells, base + LARGEST);
  const second = count === 1 ? TINY_LOG : at(cells, base + U);
  cells[base + LARGEST] = Math.max(largest, log);
  cells[base + U] = Math.max(second, count === 1 ? TINY_LOG : Math.min(largest, log));
  if (count < WARM) return;
  cells[base + RATE] = SHARE;
  cells[base + G] = PRIOR_G;
}

/** Stochastic approximation of the quantile; running means of how often and by how much it is exceeded. */
function follow(cells: Float64Array, base: number, log: number, remembered: number): void {
  const excess = log - at(cells, base + U);
  const above = excess > 0 ? 1 : 0;
  cells[base + RATE] = at(cells, base + RATE) + (above - at(cells, base + RATE)) / remembered;
  if (above) {
    const k = Math.min(at(cells, base + EXCESSES) + 1, SHARE * MEMORY);
    cells[base + EXCESSES] = k;
    cells[base + G] = at(cells, base + G) + (Math.min(excess, CLIP) - at(cells, base + G)) / k;
  }
  const stride = Math.max(LEAST_STRIDE, FIRST_STRIDE / Math.sqrt(remembered));
  cells[base + U] = at(cells, base + U) + stride * (above - SHARE);
}

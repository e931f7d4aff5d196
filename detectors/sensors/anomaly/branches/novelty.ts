import { cell } from '../cells.ts';

/**
 * Value novelty: how far is a value from everything that this datastream has ever shown?
 *
 * Past values are kept as at most {@link SPANS} disjoint spans [low, high]; when one too many is there, the two spans
 * with the smallest gap between them are joined, so that the wide gaps (the ones that matter) survive. A value inside
 * a span is known. Distances are in units of the datastream's own spread, which two slow quantiles follow.
 *
 * Promises: O(SPANS) time, {@link NOVELTY_CELLS} cells. Does not forget: a span once seen stays known.
 */

/** Disjoint spans kept. */
export const SPANS = 32;
/** Cells: n, used spans, q05, q95, step, nearest known value, then low and high of each span in order. */
const HEAD = 6;
export const NOVELTY_CELLS = HEAD + 2 * (SPANS + 1);
const N = 0;
const USED = 1;
const Q05 = 2;
const Q95 = 3;
const DEVIATION = 4;
const NEAREST = 5;

/** Distance, in spreads, at which a value begins to be new; and digits per tenfold distance beyond it. */
const NEAR = 0.01;
const DIGITS_PER_DECADE = 4;
/** Rows until the spread can be trusted half: early on, everything is new. */
const HALF_TRUST = 50;

/** Digits of surprise for `value`, which is then known. */
export function noveltyStep(cells: Float64Array, at: number, value: number): number {
  const n = cell(cells, at + N);
  const place = firstSpanNotBelow(cells, at, value);
  const distance = n === 0 ? 0 : distanceAt(cells, at, place, value);
  const spread = cell(cells, at + Q95) - cell(cells, at + Q05);
  if (distance > 0 || n === 0) insert(cells, at, place, value);
  followSpread(cells, at, value, n);
  if (distance <= 0 || !(spread > 0)) return 0;
  const digits = DIGITS_PER_DECADE * Math.log10(1 + distance / spread / NEAR);
  return (digits * n) / (n + HALF_TRUST);
}

/** The known value that was nearest to the last new one. */
export function noveltyNearest(cells: Float64Array, at: number): number {
  return cell(cells, at + NEAREST);
}

/** Index of the first span whose high end is not below the value. */
function firstSpanNotBelow(cells: Float64Array, at: number, value: number): number {
  let from = 0;
  let to = cell(cells, at + USED);
  while (from < to) {
    const middle = (from + to) >> 1;
    if (cell(cells, at + HEAD + 2 * middle + 1) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

function distanceAt(cells: Float64Array, at: number, place: number, value: number): number {
  const above = place < cell(cells, at + USED) ? cell(cells, at + HEAD + 2 * place) : Infinity;
  const below = place > 0 ? cell(cells, at + HEAD + 2 * place - 1) : -Infinity;
  if (above <= value) return 0;
  cells[at + NEAREST] = above - value < value - below ? above : below;
  return Math.min(above - value, value - below);
}

function insert(cells: Float64Array, at: number, place: number, value: number): void {
  const spans = at + HEAD;
  const used = cell(cells, at + USED);
  cells.copyWithin(spans + 2 * place + 2, spans + 2 * place, spans + 2 * used);
  cells[spans + 2 * place] = value;
  cells[spans + 2 * place + 1] = value;
  cells[at + USED] = used + 1;
  if (used + 1 > SPANS) joinClosest(cells, at);
}

function joinClosest(cells: Float64Array, at: number): void {
  const spans = at + HEAD;
  const used = cell(cells, at + USED);
  let closest = 0;
  let smallest = Infinity;
  for (let i = 0; i + 1 < used; i++) {
    const gap = cell(cells, spans + 2 * i + 2) - cell(cells, spans + 2 * i + 1);
    if (gap < smallest) {
      smallest = gap;
      closest = i;
    }
  }
  cells[spans + 2 * closest + 1] = cell(cells, spans + 2 * closest + 3);
  cells.copyWithin(spans + 2 * closest + 2, spans + 2 * closest + 4, spans + 2 * used);
  cells[at + USED] = used - 1;
}

/** 5 % and 95 % quantiles by small steps in proportion to the mean deviation; no value moves them far. */
function followSpread(cells: Float64Array, at: number, value: number, n: number): void {
  if (n === 0) {
    cells[at + Q05] = value;
    cells[at + Q95] = value;
    cells[at + N] = 1;
    return;
  }
  cells[at + N] = n + 1;
  const remembered = Math.min(n + 1, 4000);
  const middle = (cell(cells, at + Q05) + cell(cells, at + Q95)) / 2;
  const away = Math.abs(value - middle);
  const limit = n < 20 ? away : Math.min(away, 6 * cell(cells, at + DEVIATION) + 1e-12);
  const deviation = cell(cells, at + DEVIATION) + (limit - cell(cells, at + DEVIATION)) / remembered;
  cells[at + DEVIATION] = deviation;
  const stride = deviation * Math.max(0.02, 2 / Math.sqrt(remembered));
  cells[at + Q05] = cell(cells, at + Q05) + stride * (0.05 - (value < cell(cells, at + Q05) ? 1 : 0));
  cells[at + Q95] = cell(cells, at + Q95) + stride * ((value > cell(cells, at + Q95) ? 1 : 0) - 0.05);
  if (cell(cells, at + Q95) < cell(cells, at + Q05)) cells[at + Q95] = cell(cells, at + Q05);
}

import { at, type Memory } from '../memory.ts';

/**
 * Value novelty: how far is a value from everything that this datastream has ever shown?
 *
 * Past values are kept as at most {@link SPANS} disjoint spans [low, high]; when one too many is there, the two with the
 * smallest gap between them are joined, so that the wide gaps (the ones that matter) survive. A value inside a span is
 * known. The distance to the nearest span is held against the datastream's own reach: its spread (5 % to 95 %), how far
 * its outliers usually go, and how far out the value itself lies, so that the hundredth burst of a bursty datastream is
 * no news although no burst was ever exactly as high.
 *
 *   ──[ known ]──gap──[ known ]─────────── distance ───────────● value      digits = 3.5·log10(1 + 100·distance/reach)
 *
 * Promises: O(SPANS) time at worst and O(log SPANS) for known values; fixed memory. Never forgets a span.
 */
export const SPANS = 16;
export const NOVELTY_WIDE = 9;
export const NOVELTY_NARROW = 2 * (SPANS + 1);
const COUNT = 0;
const USED = 1;
const LOW = 2;
const HIGH = 3;
const DEVIATION = 4;
const NEAREST = 5;
const OUT_BELOW = 6;
const OUT_ABOVE = 7;
const DISTANCE = 8;

/** A distance of so many reaches is where newness begins; each tenfold beyond it is worth so many digits. */
const NEAR = 0.01;
const DIGITS_PER_TENFOLD = 3.5;
/** Values until the spread is trusted by half: early on, everything is new. */
const HALF_TRUST = 50;
/** Weight of the usual outliers' mean distance beyond the quantiles; 4 of them cover nearly all of an exponential tail. */
const OUTLIER_REACH = 4;
/** Quantiles that bound the spread, and values remembered for them. */
const QUANTILE = 0.05;
const MEMORY = 4000;
/** Values before outliers are told from the rest, outliers remembered, and the weight of "none so far". */
const OUTLIERS_FROM = 50;
const OUTLIERS_REMEMBERED = 200;
const OUTLIERS_PRIOR = 5;

/** Digits of surprise about `value`, which is known from then on. */
export function noveltyStep(memory: Memory, wide: number, narrow: number, value: number): number {
  const cells = memory.wide;
  const rounded = Math.fround(value);
  const count = at(cells, wide + COUNT);
  const place = firstSpanNotBelow(memory, wide, narrow, rounded);
  const distance = count === 0 ? 0 : distanceAt(memory, wide, narrow, place, rounded);
  cells[wide + DISTANCE] = distance;
  if (distance > 0 || count === 0) insert(memory, wide, narrow, place, rounded);
  const digits = distance > 0 ? digitsOf(cells, wide, distance, value, count) : 0;
  followOutliers(cells, wide, value, count);
  followSpread(cells, wide, value, count);
  return digits;
}

/** The known value that was nearest to the last new one. */
export function noveltyNearest(memory: Memory, wide: number): number {
  return at(memory.wide, wide + NEAREST);
}

/** From the 5 % to the 95 % quantile of the values so far. */
export function noveltySpread(memory: Memory, wide: number): number {
  return at(memory.wide, wide + HIGH) - at(memory.wide, wide + LOW);
}

function digitsOf(cells: Float64Array, wide: number, distance: number, value: number, count: number): number {
  const low = at(cells, wide + LOW);
  const high = at(cells, wide + HIGH);
  const out = Math.max(value - high, low - value, 0);
  const usualOut = at(cells, wide + (value > high ? OUT_ABOVE : OUT_BELOW));
  const reach = high - low + out + OUTLIER_REACH * usualOut;
  if (!(reach > 0)) return 0;
  return (DIGITS_PER_TENFOLD * Math.log10(1 + distance / reach / NEAR) * count) / (count + HALF_TRUST);
}

/** Index of the first span whose high end is not below the value. */
function firstSpanNotBelow(memory: Memory, wide: number, narrow: number, value: number): number {
  let from = 0;
  let to = at(memory.wide, wide + USED);
  while (from < to) {
    const middle = (from + to) >> 1;
    if (at(memory.narrow, narrow + 2 * middle + 1) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

function distanceAt(memory: Memory, wide: number, narrow: number, place: number, value: number): number {
  const spans = memory.narrow;
  const above =
    place < at(memory.wide, wide + USED) ? at(spans, narrow + 2 * place) : Number.POSITIVE_INFINITY;
  const below = place > 0 ? at(spans, narrow + 2 * place - 1) : Number.NEGATIVE_INFINITY;
  if (above <= value) return 0;
  memory.wide[wide + NEAREST] = above - value < value - below ? above : below;
  return Math.min(above - value, value - below);
}

function insert(memory: Memory, wide: number, narrow: number, place: number, value: number): void {
  const used = at(memory.wide, wide + USED);
  const gap = narrow + 2 * place;
  memory.narrow.copyWithin(gap + 2, gap, narrow + 2 * used);
  memory.narrow[gap] = value;
  memory.narrow[gap + 1] = value;
  memory.wide[wide + USED] = used + 1;
  if (used + 1 > SPANS) joinClosest(memory, wide, narrow);
}

function joinClosest(memory: Memory, wide: number, narrow: number): void {
  const spans = memory.narrow;
  const used = at(memory.wide, wide + USED);
  let closest = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i + 1 < used; i++) {
    const gap = at(spans, narrow + 2 * i + 2) - at(spans, narrow + 2 * i + 1);
    if (gap < smallest) {
      smallest = gap;
      closest = i;
    }
  }
  const span = narrow + 2 * closest;
  spans[span + 1] = at(spans, span + 3);
  spans.copyWithin(span + 2, span + 4, narrow + 2 * used);
  memory.wide[wide + USED] = used - 1;
}

/** Mean distance beyond the quantile, of the values that lie beyond it, for each side. */
function followOutliers(cells: Float64Array, wide: number, value: number, count: number): void {
  if (count <= OUTLIERS_FROM) return;
  const above = value - at(cells, wide + HIGH);
  const below = at(cells, wide + LOW) - value;
  const out = Math.max(above, below);
  if (!(out > 0)) return;
  const cell = wide + (above > 0 ? OUT_ABOVE : OUT_BELOW);
  const seen = Math.min(OUTLIERS_PRIOR + count * QUANTILE, OUTLIERS_REMEMBERED);
  cells[cell] = at(cells, cell) + (out - at(cells, cell)) / seen;
}

/** Two quantiles by small steps in proportion to the mean deviation; no value moves them far. */
function followSpread(cells: Float64Array, wide: number, value: number, count: number): void {
  const remembered = Math.min(count + 1, MEMORY);
  cells[wide + COUNT] = remembered;
  if (count === 0) {
    cells[wide + LOW] = value;
    cells[wide + HIGH] = value;
    return;
  }
  const low = at(cells, wide + LOW);
  const high = at(cells, wide + HIGH);
  const usual = at(cells, wide + DEVIATION);
  const away = Math.abs(value - (low + high) / 2);
  const counted = count < 20 ? away : Math.min(away, 6 * usual + 1e-12);
  const deviation = usual + (counted - usual) / remembered;
  const stride = deviation * Math.max(0.02, 2 / Math.sqrt(remembered));
  const newLow = low + stride * (QUANTILE - (value < low ? 1 : 0));
  cells[wide + DEVIATION] = deviation;
  cells[wide + LOW] = newLow;
  cells[wide + HIGH] = Math.max(newLow, high + stride * ((value > high ? 1 : 0) - QUANTILE));
}

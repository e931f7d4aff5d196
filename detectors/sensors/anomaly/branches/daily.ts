import { at, type Memory } from '../memory.ts';
import { TAIL_CELLS, tailDigits, tailLearn } from './tail.ts';

/**
 * Time of day: has any of the last days looked like the last eight hours?
 *
 * Values are gathered into means of two hours of the day, kept for a week and a bit. Whenever two hours are complete,
 * the last eight are laid beside the same hours of each day before; the distance to the most similar day is judged by
 * the tail of its own past. The minimum over days makes weekends, holidays and slow drift of the level harmless, and
 * what fails to happen (the works that do not start, the dip that stays out) is seen as well as what happens.
 *
 *   today      ▂▂▂█      mean |today − that day| over the four bins, least of seven days
 *   yesterday  ▂▇██
 *   −2 …       ▂▂▇█
 *
 * Promises: O(1) time but for one step in two hours; fixed memory; says nothing before {@link LEAST_DAYS} days, nor
 * where the sampling is slower than the bins. Does not promise: periods other than a day.
 */
const BIN_MS = 7_200_000;
const BINS_A_DAY = 12;
/** Bins that are compared, and how many of them must be there. */
const COMPARED = 4;
const LEAST_COMPARED = 3;
/** Days kept, and days before the first comparison. */
const DAYS = 7;
const LEAST_DAYS = 2;

const RING = DAYS * BINS_A_DAY + COMPARED;
const BIN = 0;
const SUM = 1;
const COUNT = 2;
const FIRST = 3;
const BINS_SEEN = 4;
const ROWS_SEEN = 5;
const SIMILAR = 6;
const TODAY = 7;
const TAIL = 8;
export const DAILY_WIDE = TAIL + TAIL_CELLS;
export const DAILY_NARROW = RING;

/** Bins and rows remembered for how many rows a bin has. */
const BINS_REMEMBERED = 200;

/** Digits of surprise; above 0 only at the first value behind a complete bin. */
export function dailyStep(memory: Memory, wide: number, narrow: number, time: number, value: number): number {
  const cells = memory.wide;
  const bin = Math.floor(time / BIN_MS);
  let digits = 0;
  if (at(cells, wide + BIN) === 0) begin(memory, wide, narrow, bin);
  else if (bin > at(cells, wide + BIN)) {
    digits = closeBin(memory, wide, narrow);
    openBin(memory, wide, narrow, bin);
  }
  cells[wide + SUM] = at(cells, wide + SUM) + value;
  cells[wide + COUNT] = at(cells, wide + COUNT) + 1;
  return digits;
}

/** Mean of the last complete bins, and of the same hours of the most similar day. */
export function dailyMeans(memory: Memory, wide: number): { today: number; similar: number } {
  return { today: at(memory.wide, wide + TODAY), similar: at(memory.wide, wide + SIMILAR) };
}

function begin(memory: Memory, wide: number, narrow: number, bin: number): void {
  memory.narrow.fill(Number.NaN, narrow, narrow + RING);
  memory.wide[wide + BIN] = bin;
  memory.wide[wide + FIRST] = bin;
}

/** Writes the finished bin's mean into the ring and judges the hours that end with it. */
function closeBin(memory: Memory, wide: number, narrow: number): number {
  const cells = memory.wide;
  const bin = at(cells, wide + BIN);
  const rows = at(cells, wide + COUNT);
  memory.narrow[narrow + (bin % RING)] = at(cells, wide + SUM) / rows;
  countRows(cells, wide, rows);
  if (bin - at(cells, wide + FIRST) < LEAST_DAYS * BINS_A_DAY) return 0;
  const distance = distanceToMostSimilarDay(memory, wide, narrow, bin);
  if (distance < 0) return 0;
  const digits = tailDigits(cells, wide + TAIL, distance);
  tailLearn(cells, wide + TAIL, distance);
  return digits > 0 ? digits + digitsOfPace(cells, wide) : 0;
}

/** Bins that nothing fell into are unknown, not zero. */
function openBin(memory: Memory, wide: number, narrow: number, bin: number): void {
  const from = at(memory.wide, wide + BIN) + 1;
  for (let b = Math.max(from, bin - RING); b < bin; b++) memory.narrow[narrow + (b % RING)] = Number.NaN;
  memory.wide[wide + BIN] = bin;
  memory.wide[wide + SUM] = 0;
  memory.wide[wide + COUNT] = 0;
}

/** −1 when no day has enough of these hours. */
function distanceToMostSimilarDay(memory: Memory, wide: number, narrow: number, bin: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let day = 1; day <= DAYS; day++) {
    const distance = distanceToDay(memory, narrow, bin, day);
    if (distance >= least) continue;
    least = distance;
    memory.wide[wide + SIMILAR] = meanOf(memory, narrow, bin - day * BINS_A_DAY);
  }
  memory.wide[wide + TODAY] = meanOf(memory, narrow, bin);
  return least === Number.POSITIVE_INFINITY ? -1 : least;
}

function distanceToDay(memory: Memory, narrow: number, bin: number, day: number): number {
  let sum = 0;
  let compared = 0;
  for (let j = 0; j < COMPARED; j++) {
    const now = at(memory.narrow, narrow + ((bin - j) % RING));
    const then = at(memory.narrow, narrow + ((bin - j - day * BINS_A_DAY) % RING));
    const apart = Math.abs(now - then);
    if (Number.isNaN(apart)) continue;
    sum += apart;
    compared++;
  }
  return compared < LEAST_COMPARED ? Number.POSITIVE_INFINITY : sum / compared;
}

function meanOf(memory: Memory, narrow: number, bin: number): number {
  let sum = 0;
  let known = 0;
  for (let j = 0; j < COMPARED; j++) {
    const mean = at(memory.narrow, narrow + ((bin - j) % RING));
    if (Number.isNaN(mean)) continue;
    sum += mean;
    known++;
  }
  return known === 0 ? 0 : sum / known;
}

/** Rows and bins seen, fading together so that a change of sampling is followed. */
function countRows(cells: Float64Array, wide: number, rows: number): void {
  const bins = at(cells, wide + BINS_SEEN) + 1;
  const fade = bins > BINS_REMEMBERED ? BINS_REMEMBERED / bins : 1;
  cells[wide + BINS_SEEN] = bins * fade;
  cells[wide + ROWS_SEEN] = (at(cells, wide + ROWS_SEEN) + rows) * fade;
}

/** The other branches are asked at every value, this one once a bin: so seldom asked, it may be believed sooner. */
function digitsOfPace(cells: Float64Array, wide: number): number {
  return Math.log10(Math.max(1, at(cells, wide + ROWS_SEEN) / at(cells, wide + BINS_SEEN)));
}

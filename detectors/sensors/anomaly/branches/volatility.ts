import { at } from '../memory.ts';

/**
 * Holds a forecast's miss against how restless the datastream is just now. A storm makes large misses usual for an
 * hour; on a calm night a tenth of that is news.
 *
 * Promises: O(1) time, {@link VOLATILITY_CELLS} wide cells; one wild miss raises the scale only a little.
 */
export const VOLATILITY_CELLS = 3;
const COUNT = 0;
const LOCAL = 1;
const LONG = 2;

/** Values remembered by the local and by the long mean of misses. */
const LOCAL_MEMORY = 60;
const LONG_MEMORY = 2000;
/** A miss counts up to so many times the usual one, plus a little of the long mean, so that the scale can always rise. */
const CLIP = 16;
const LEAST_SHARE = 0.05;
/** Where a constant datastream moves at last, the scale is next to nothing; beyond this it is all the same. */
const LARGEST = 1e9;

/** The miss in units of the local scale; 0 as long as there is none. */
export function relativeMiss(cells: Float64Array, base: number, miss: number): number {
  const count = Math.min(at(cells, base + COUNT) + 1, LONG_MEMORY);
  cells[base + COUNT] = count;
  const local = at(cells, base + LOCAL);
  const long = at(cells, base + LONG);
  if (!(long > 0)) {
    cells[base + LOCAL] = miss;
    cells[base + LONG] = miss;
    return 0;
  }
  const counted = Math.min(miss, CLIP * local + LEAST_SHARE * long);
  cells[base + LOCAL] = local + (counted - local) / Math.min(LOCAL_MEMORY, count);
  cells[base + LONG] = long + (Math.min(miss, CLIP * long) - long) / count;
  return Math.min(LARGEST, miss / Math.max(local, LEAST_SHARE * long));
}

/** The scale that the next miss will be held against, in the datastream's unit. */
export function missScale(cells: Float64Array, base: number): number {
  return Math.max(at(cells, base + LOCAL), LEAST_SHARE * at(cells, base + LONG));
}

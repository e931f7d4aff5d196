import type { PointColumns } from './columns.ts';

/**
 * Sorts a batch into what is new and what repeats. Pure; the store is asked only for the few points that could be in it.
 */

export interface Sifted {
  /** Rows to write, in order: the first of each (series, time). */
  fresh: number[];
  /** Those of `fresh` that may be stored already: not newer than the newest stored point of their series. */
  suspects: number[];
  /** Rows that repeat a row of the same batch, with that first row. */
  repeats: { row: number; of: number }[];
}

/** @param newestStored newest stored time of a series; -Infinity when it has none */
export function sift(points: PointColumns, newestStored: (series: number) => number): Sifted {
  const sifted: Sifted = { fresh: [], suspects: [], repeats: [] };
  /** series → newest time seen, stored or in this batch. */
  const newest = new Map<number, number>();
  /** `series:time` → first row; made only when a batch goes back in time. */
  let firstRows: Map<string, number> | null = null;
  for (let row = 0; row < points.time.length; row++) {
    const series = points.series[row] ?? 0;
    const time = points.time[row] ?? 0;
    const seen = newest.get(series) ?? newestStored(series);
    if (time > seen) {
      newest.set(series, time);
    } else {
      firstRows ??= indexRows(points, sifted.fresh);
      const of = firstRows.get(`${series}:${time}`);
      if (of !== undefined) {
        sifted.repeats.push({ row, of });
        continue;
      }
      if (time <= newestStored(series)) sifted.suspects.push(row);
    }
    firstRows?.set(`${series}:${time}`, row);
    sifted.fresh.push(row);
  }
  return sifted;
}

function indexRows(points: PointColumns, rows: readonly number[]): Map<string, number> {
  return new Map(rows.map((row) => [`${points.series[row]}:${points.time[row]}`, row]));
}

/** Spans of time that hold all suspects, so that a few very late points do not make one wide scan of it all. */
export function spansOf(
  times: readonly number[],
  maxGapMs: number,
  maxSpans: number,
): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = [];
  for (const time of times.toSorted((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && time - last.to <= maxGapMs) last.to = time;
    else spans.push({ from: time, to: time });
  }
  while (spans.length > maxSpans) closeSmallestGap(spans);
  return spans;
}

function closeSmallestGap(spans: { from: number; to: number }[]): void {
  let smallest = 1;
  let width = Number.POSITIVE_INFINITY;
  for (let i = 1; i < spans.length; i++) {
    const gap = (spans[i]?.from ?? 0) - (spans[i - 1]?.to ?? 0);
    if (gap < width) [smallest, width] = [i, gap];
  }
  const [closed] = spans.splice(smallest, 1);
  const before = spans[smallest - 1];
  if (closed !== undefined && before !== undefined) before.to = closed.to;
}

import type { RangeQuery, Series, SeriesPoint, WindowRow, WriteResult } from '../../backbone/index.ts';

/** Readings in memory, for tests that are about something else. */
export class MemorySeries implements Series {
  readonly #points: SeriesPoint[] = [];

  async write(points: readonly SeriesPoint[]): Promise<WriteResult> {
    this.#points.push(...points);
    return { written: points.length, duplicates: 0, conflicts: [] };
  }

  async range({ datastream, from, to, limit = 10_000 }: RangeQuery): Promise<SeriesPoint[]> {
    return this.#points
      .filter((p) => p.datastream === datastream && p.time >= from && p.time < to)
      .sort((a, b) => a.time - b.time)
      .slice(0, limit);
  }

  async position(): Promise<null> {
    return null;
  }

  async latest(): Promise<Map<string, SeriesPoint>> {
    return new Map(this.#points.map((p) => [p.datastream, p]));
  }

  async windows(): Promise<WindowRow[]> {
    return [];
  }

  async totals(): Promise<{ points: number; duplicates: number }> {
    return { points: this.#points.length, duplicates: 0 };
  }

  async deleteBefore(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}

import type { PointColumns } from './columns.ts';
import type { StoreRange, StoreWindows } from './duckdb-queries.ts';
import type { StoredNames, StoreWrite, StoreWriteResult } from './duckdb-store.ts';

/** What the product's thread asks of the series thread, and what it answers. */
export interface SeriesCalls {
  names(): StoredNames;
  write(batch: StoreWrite): StoreWriteResult;
  position(at: { topic: string; partition: number }): number | null;
  latest(series: Int32Array): PointColumns;
  range(query: StoreRange): PointColumns;
  windows(query: StoreWindows): number[][];
  totals(): { points: number; duplicates: number };
  deleteBefore(time: number): number;
  close(): null;
}

export type SeriesCall = keyof SeriesCalls;
export type Argument<C extends SeriesCall> = Parameters<SeriesCalls[C]>[0];
export type Answer<C extends SeriesCall> = ReturnType<SeriesCalls[C]>;

export interface Question {
  id: number;
  call: SeriesCall;
  argument: unknown;
}

export type Reply = { id: number; answer: unknown } | { id: number; error: string };

export interface WorkerData {
  file: string;
  memoryLimit: string;
}

import type { Quality } from '../../contracts/index.ts';
import type { PointTable } from './point-table.ts';

/**
 * Series port: numbers over time, one series a datastream. A point is unique by (datastream, time): the first one
 * written stays, a second one with the same key changes nothing and is counted as a duplicate.
 */

export interface SeriesPoint {
  datastream: string;
  /** Epoch ms. */
  time: number;
  value: number;
  quality: Quality;
  /** When ingest had it, epoch ms. */
  receivedAt: number;
  /** How it came, where that was not native JSON: see ObservationBatch. */
  source?: string;
}

/** A place in the stream, stored in one transaction with the points that came before it. */
export interface SeriesPosition {
  topic: string;
  partition: number;
  nextOffset: number;
}

export interface WriteResult {
  written: number;
  duplicates: number;
  /** Same key, other value: kept out, for the integrity record. At most 100 are named. */
  conflicts: SeriesPoint[];
}

export interface RangeQuery {
  datastream: string;
  from: number;
  to: number;
  /** Default 10,000. */
  limit?: number;
  order?: 'asc' | 'desc';
}

export interface WindowQuery {
  datastream: string;
  from: number;
  to: number;
  /** Windows begin at whole multiples in local time, which is UTC + `offsetMs`: 8 h gives the days of Beijing. */
  windowMs: number;
  offsetMs?: number;
  /** Only points of these qualities count. Default: all. */
  qualities?: readonly Quality[];
}

export interface WindowRow {
  from: number;
  count: number;
  mean: number;
  min: number;
  max: number;
  /** Energy mean of levels in dB: 10·lg(mean(10^(v/10))). */
  leq: number;
}

export interface Series {
  /**
   * Atomic, idempotent, durable when it resolves. Given a position, exactly once per position. A table must stay as it is
   * until then.
   */
  write(points: readonly SeriesPoint[] | PointTable, position?: SeriesPosition): Promise<WriteResult>;
  position(topic: string, partition: number): Promise<number | null>;
  /** from ≤ time < to. */
  range(query: RangeQuery): Promise<SeriesPoint[]>;
  latest(datastreams: readonly string[]): Promise<Map<string, SeriesPoint>>;
  windows(query: WindowQuery): Promise<WindowRow[]>;
  /** Ever written: retention does not lower `points`, so that it can be held against what was acknowledged. */
  totals(): Promise<{ points: number; duplicates: number }>;
  /** Retention. Returns how many points went. */
  deleteBefore(time: number): Promise<number>;
  close(): Promise<void>;
}

import { BIGINT, type DuckDBConnection, type DuckDBType, type DuckDBValue, INTEGER } from '@duckdb/node-api';
import { emptyColumns, type PointColumns } from './columns.ts';

/** What is read from the tables of duckdb-schema.ts, beside the one who writes them. */

export interface StoreRange {
  series: number;
  from: number;
  to: number;
  limit: number;
  descending: boolean;
}

export interface StoreWindows {
  series: number;
  from: number;
  to: number;
  windowMs: number;
  offsetMs: number;
  qualities: readonly number[] | null;
}

/** Connections for reading; the queries of one run one after the other. */
export class Readers {
  readonly #readers: { connection: DuckDBConnection; last: Promise<unknown> }[];
  #next = 0;

  constructor(connections: readonly DuckDBConnection[]) {
    this.#readers = connections.map((connection) => ({ connection, last: Promise.resolve() }));
  }

  use<T>(query: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const reader = this.#readers[this.#next++ % this.#readers.length];
    if (reader === undefined) throw new Error('no reader');
    const result = reader.last.then(() => query(reader.connection));
    reader.last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#readers.map(({ last }) => last));
    for (const { connection } of this.#readers) connection.closeSync();
  }
}

export class Queries {
  readonly #readers: Readers;

  constructor(readers: Readers) {
    this.#readers = readers;
  }

  range({ series, from, to, limit, descending }: StoreRange): Promise<PointColumns> {
    const order = descending ? 'DESC' : 'ASC';
    return this.#readers.use((connection) =>
      pointsOf(
        connection,
        `SELECT series, time::DOUBLE, value, quality, received_at::DOUBLE, source FROM points
         WHERE series = $1 AND time >= $2 AND time < $3 ORDER BY time ${order} LIMIT $4`,
        [series, BigInt(from), BigInt(to), BigInt(limit)],
        [INTEGER, BIGINT, BIGINT, BIGINT],
      ),
    );
  }

  /** Columns from, count, mean, min, max, leq. */
  windows({ series, from, to, windowMs, offsetMs, qualities }: StoreWindows): Promise<number[][]> {
    // Codes are our own numbers, not input.
    const only = qualities === null ? '' : `AND quality IN (${qualities.map(Number).join(', ') || 'NULL'})`;
    return this.#readers.use(async (connection) => {
      const columns = await columnsOf(
        connection,
        // The level of the loudest point is taken out before and put back after, so that 10^(v/10) cannot overflow.
        `WITH windowed AS (
           SELECT ((time + $4) // $5) * $5 - $4 AS start, value FROM points
           WHERE series = $1 AND time >= $2 AND time < $3 ${only}),
         peaked AS (SELECT start, value, max(value) OVER (PARTITION BY start) AS peak FROM windowed)
         SELECT start::DOUBLE, count(*)::DOUBLE, avg(value), min(value), max(value),
                max(peak) + 10 * log10(avg(pow(10::DOUBLE, (value - peak) / 10)))
         FROM peaked GROUP BY start ORDER BY start`,
        [series, BigInt(from), BigInt(to), BigInt(offsetMs), BigInt(windowMs)],
        [INTEGER, BIGINT, BIGINT, BIGINT, BIGINT],
      );
      return columns.map((column) => column.map(Number));
    });
  }

  /** Points ever written: those that lie there, counted, and those that retention took. */
  totals(): Promise<{ points: number; duplicates: number }> {
    return this.#readers.use(async (connection) => {
      const sql = 'SELECT (SELECT count(*) FROM points)::DOUBLE + deleted, duplicates::DOUBLE FROM totals';
      const [points = [], duplicates = []] = await columnsOf(connection, sql);
      return { points: Number(points[0]), duplicates: Number(duplicates[0]) };
    });
  }
}

export async function columnsOf(
  connection: DuckDBConnection,
  sql: string,
  values: DuckDBValue[] = [],
  types: DuckDBType[] = [],
): Promise<DuckDBValue[][]> {
  const reader = await connection.runAndReadAll(sql, values, types);
  return reader.getColumns();
}

/** Of a query with the columns series, time, value, quality, received_at, source. */
export async function pointsOf(
  connection: DuckDBConnection,
  sql: string,
  values: DuckDBValue[] = [],
  types: DuckDBType[] = [],
): Promise<PointColumns> {
  const [series = [], times = [], numbers = [], qualities = [], receivedAt = [], sources = []] =
    await columnsOf(connection, sql, values, types);
  const points = emptyColumns(times.length);
  points.series.set(series.map(Number));
  points.time.set(times.map(Number));
  points.value.set(numbers.map(Number));
  points.quality.set(qualities.map(Number));
  points.receivedAt.set(receivedAt.map(Number));
  points.source.set(sources.map(Number));
  return points;
}

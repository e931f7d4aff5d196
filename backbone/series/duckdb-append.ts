import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  INTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import type { PointColumns } from './columns.ts';
import type { NewNames } from './dictionary.ts';

/** Appends to the tables of duckdb-schema.ts, in chunks of typed arrays; the caller has begun a transaction. */

/** DuckDB's vector size: rows in one chunk. */
const CHUNK_ROWS = 2_048;

/** Fills rows [from, from + count) of what is appended into a chunk's columns. */
type Fill = (chunk: Columns, from: number, count: number) => void;

export async function appendPoints(
  connection: DuckDBConnection,
  points: PointColumns,
  rows: readonly number[],
): Promise<void> {
  const types = [INTEGER, BIGINT, DOUBLE, UTINYINT, BIGINT, USMALLINT];
  await append(connection, 'points', types, rows.length, (chunk, from, count) => {
    const [series, value, quality, source] = [
      chunk.items<Int32Array>(0),
      chunk.items<Float64Array>(2),
      chunk.items<Uint8Array>(3),
      chunk.items<Uint16Array>(5),
    ];
    const [time, receivedAt] = [chunk.bigints(1), chunk.bigints(4)];
    for (let i = 0; i < count; i++) {
      const row = rows[from + i] ?? 0;
      series[i] = points.series[row] ?? 0;
      value[i] = points.value[row] ?? 0;
      quality[i] = points.quality[row] ?? 0;
      source[i] = points.source[row] ?? 0;
      time.set(i, points.time[row] ?? 0);
      receivedAt.set(i, points.receivedAt[row] ?? 0);
    }
  });
}

/** Rows of a batch that may be stored already, for the join that finds out. */
export async function appendSuspects(
  connection: DuckDBConnection,
  points: PointColumns,
  suspects: readonly number[],
): Promise<void> {
  await append(connection, 'suspects', [INTEGER, INTEGER, BIGINT], suspects.length, (chunk, from, count) => {
    const [rows, series, time] = [chunk.items<Int32Array>(0), chunk.items<Int32Array>(1), chunk.bigints(2)];
    for (let i = 0; i < count; i++) {
      const row = suspects[from + i] ?? 0;
      rows[i] = row;
      series[i] = points.series[row] ?? 0;
      time.set(i, points.time[row] ?? 0);
    }
  });
}

/** @param known how many names the table holds: an earlier write may have brought some of these already */
export async function appendNames(
  connection: DuckDBConnection,
  table: 'datastreams' | 'sources',
  { first, names }: NewNames,
  known: number,
): Promise<void> {
  const fresh = names.slice(Math.max(0, known - first));
  const firstFresh = Math.max(first, known);
  await append(connection, table, [INTEGER, VARCHAR], fresh.length, (chunk, from, count) => {
    const ids = chunk.items<Int32Array>(0);
    for (let i = 0; i < count; i++) ids[i] = firstFresh + from + i;
    chunk.strings(1, fresh.slice(from, from + count));
  });
}

async function append(
  connection: DuckDBConnection,
  table: string,
  types: DuckDBType[],
  count: number,
  fill: Fill,
): Promise<void> {
  if (count === 0) return;
  const appender = await connection.createAppender(table);
  try {
    for (let from = 0; from < count; from += CHUNK_ROWS) {
      const rows = Math.min(CHUNK_ROWS, count - from);
      const chunk = DuckDBDataChunk.create(types, rows);
      const columns = new Columns(chunk);
      fill(columns, from, rows);
      columns.flush();
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

/**
 * The columns of a chunk as the typed arrays that they are. The library has one public way to write them, value by value
 * and 64-bit integers as BigInt, which costs as much as all that DuckDB does with them; the arrays are its vectors' own
 * `items`, which its types call private. The contract tests hold us to it.
 */
class Columns {
  readonly #chunk: DuckDBDataChunk;
  /** Columns that were asked for. */
  readonly #touched = new Set<number>();

  constructor(chunk: DuckDBDataChunk) {
    this.#chunk = chunk;
  }

  /** Of integers up to 32 bits, and doubles. */
  items<T>(column: number): T {
    this.#touched.add(column);
    return (this.#chunk.getColumnVector(column) as unknown as { items: T }).items;
  }

  bigints(column: number): Int64Column {
    return new Int64Column(this.items<BigInt64Array>(column));
  }

  strings(column: number, values: string[]): void {
    this.#chunk.setColumnValues(column, values);
  }

  flush(): void {
    for (const column of this.#touched) {
      (this.#chunk.getColumnVector(column) as unknown as { flush(): void }).flush();
    }
  }
}

/** 64-bit integers written from numbers, without a BigInt for each. */
class Int64Column {
  /** Low and high word of each in turn: machines that DuckDB runs on are little-endian. */
  readonly #words: Int32Array;

  constructor(items: BigInt64Array) {
    this.#words = new Int32Array(items.buffer, items.byteOffset, items.length * 2);
  }

  /** @param value a safe integer */
  set(index: number, value: number): void {
    this.#words[2 * index] = value | 0;
    this.#words[2 * index + 1] = Math.floor(value / 4_294_967_296);
  }
}

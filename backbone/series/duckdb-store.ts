import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { emptyColumns, type PointColumns } from './columns.ts';
import { LatestPoints } from './latest.ts';
import type { SeriesPosition } from './port.ts';
import { type Sifted, sift, spansOf } from './sift.ts';

/**
 * What lies in DuckDB, and the only code that knows it:
 *
 *   datastreams  id, name                                    the dictionary
 *   points       series, time, value, quality, received_at   no index: zone maps on time narrow every scan
 *   positions    topic, part, next_offset                    stored in one transaction with the points before it
 *   totals       duplicates, deleted                         one row
 *
 * One writer at a time (the worker sees to that); reads go through connections of their own. A key index on points
 * would cost more than the writes themselves; `sift` finds nearly all points newer than what is stored, and the few
 * others are looked for within their own span of time.
 */

/** Write-ahead log that DuckDB folds in by itself: about two million points, replayed within a second or two. */
const CHECKPOINT_THRESHOLD = '64MB';
/** DuckDB's vector size: rows in one chunk. */
const CHUNK_ROWS = 2_048;
const READERS = 2;
const SUSPECT_GAP_MS = 3_600_000;
const MAX_SUSPECT_SPANS = 8;
const MAX_CONFLICTS = 100;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS datastreams (id INTEGER NOT NULL, name VARCHAR NOT NULL);
  CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL, time BIGINT NOT NULL, value DOUBLE NOT NULL, quality UTINYINT NOT NULL,
    received_at BIGINT NOT NULL);
  CREATE TABLE IF NOT EXISTS positions (topic VARCHAR NOT NULL, part INTEGER NOT NULL, next_offset BIGINT NOT NULL);
  CREATE TABLE IF NOT EXISTS totals (duplicates BIGINT NOT NULL, deleted BIGINT NOT NULL);
  INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (FROM totals);
`;

export interface StoreWrite {
  points: PointColumns;
  /** Datastreams that the writer's dictionary gained, beginning with number `firstNew`. */
  newNames: readonly string[];
  firstNew: number;
  position: SeriesPosition | null;
}

export interface StoreWriteResult {
  written: number;
  duplicates: number;
  /** Rows of the batch whose key was taken with another value; at most 100. */
  conflictRows: number[];
}

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

interface Reader {
  connection: DuckDBConnection;
  /** Queries of one connection run one after the other. */
  last: Promise<unknown>;
}

export class DuckDbStore {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #readers: Reader[];
  #nextReader = 0;
  readonly #latest = new LatestPoints();
  /** `topic/partition` → next offset. */
  readonly #positions = new Map<string, number>();
  #names = 0;

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection, readers: Reader[]) {
    this.#instance = instance;
    this.#writer = writer;
    this.#readers = readers;
  }

  static async open(file: string, memoryLimit: string): Promise<DuckDbStore> {
    const options = { memory_limit: memoryLimit, checkpoint_threshold: CHECKPOINT_THRESHOLD, threads: '2' };
    const instance = await DuckDBInstance.create(file, options);
    const writer = await instance.connect();
    await writer.run(SCHEMA);
    const readers: Reader[] = [];
    for (let i = 0; i < READERS; i++)
      readers.push({ connection: await instance.connect(), last: Promise.resolve() });
    const store = new DuckDbStore(instance, writer, readers);
    await store.#load();
    return store;
  }

  async #load(): Promise<void> {
    const [count = []] = await columnsOf(this.#writer, 'SELECT count(*)::DOUBLE FROM datastreams');
    this.#names = Number(count[0]);
    const [topics = [], parts = [], offsets = []] = await columnsOf(
      this.#writer,
      'SELECT topic, part, next_offset::DOUBLE FROM positions',
    );
    for (const [row, topic] of topics.entries()) {
      this.#positions.set(`${String(topic)}/${Number(parts[row])}`, Number(offsets[row]));
    }
    const newest = await pointsOf(
      this.#writer,
      `SELECT series, max(time)::DOUBLE, arg_max(value, time), arg_max(quality, time),
              arg_max(received_at, time)::DOUBLE FROM points GROUP BY series`,
    );
    for (let row = 0; row < newest.time.length; row++) this.#latest.offer(newest, row);
  }

  /** All names of the dictionary; the index is the number. */
  async names(): Promise<string[]> {
    const [names = []] = await columnsOf(this.#writer, 'SELECT name FROM datastreams ORDER BY id');
    return names.map(String);
  }

  position(topic: string, partition: number): number | null {
    return this.#positions.get(`${topic}/${partition}`) ?? null;
  }

  latest(series: Int32Array): PointColumns {
    return this.#latest.pick(series);
  }

  async write(batch: StoreWrite): Promise<StoreWriteResult> {
    const { points, position } = batch;
    if (
      position !== null &&
      position.nextOffset <= (this.position(position.topic, position.partition) ?? -1)
    ) {
      return { written: 0, duplicates: 0, conflictRows: [] };
    }
    const sifted = sift(points, (series) => this.#latest.timeOf(series));
    const result = await this.#transaction(() => this.#writeSifted(batch, sifted));
    // Only now is it true: memory follows the disk.
    this.#names = Math.max(this.#names, batch.firstNew + batch.newNames.length);
    for (const row of result.rows) this.#latest.offer(points, row);
    if (position !== null)
      this.#positions.set(`${position.topic}/${position.partition}`, position.nextOffset);
    return result;
  }

  async #writeSifted(batch: StoreWrite, sifted: Sifted): Promise<StoreWriteResult & { rows: number[] }> {
    const { points } = batch;
    const stored = await this.#storedValues(points, sifted.suspects);
    const rows = sifted.fresh.filter((row) => !stored.has(row));
    const duplicates = points.time.length - rows.length;
    await this.#appendNames(batch);
    await this.#appendPoints(points, rows);
    if (batch.position !== null) await this.#storePosition(batch.position);
    if (duplicates > 0)
      await this.#run('UPDATE totals SET duplicates = duplicates + ?', [duplicates], [INTEGER]);
    return { written: rows.length, duplicates, conflictRows: conflictsOf(points, sifted, stored), rows };
  }

  /** Values of those suspects that are stored: row of the batch → stored value. */
  async #storedValues(points: PointColumns, suspects: readonly number[]): Promise<Map<number, number>> {
    const stored = new Map<number, number>();
    if (suspects.length === 0) return stored;
    await this.#writer.run(
      'CREATE OR REPLACE TEMP TABLE suspects (row INTEGER, series INTEGER, time BIGINT)',
    );
    const times = suspects.map((row) => points.time[row] ?? 0);
    await this.#append('suspects', [INTEGER, INTEGER, BIGINT], suspects.length, [
      (i) => suspects[i] ?? 0,
      (i) => points.series[suspects[i] ?? 0] ?? 0,
      (i) => BigInt(times[i] ?? 0),
    ]);
    for (const { from, to } of spansOf(times, SUSPECT_GAP_MS, MAX_SUSPECT_SPANS)) {
      const [rows = [], values = []] = await columnsOf(
        this.#writer,
        `SELECT s.row, p.value FROM points p JOIN suspects s ON p.series = s.series AND p.time = s.time
         WHERE p.time BETWEEN $1 AND $2 AND s.time BETWEEN $1 AND $2`,
        [BigInt(from), BigInt(to)],
        [BIGINT, BIGINT],
      );
      for (const [i, row] of rows.entries()) stored.set(Number(row), Number(values[i]));
    }
    return stored;
  }

  async #appendNames({ newNames, firstNew }: StoreWrite): Promise<void> {
    // An earlier write may have brought some of them already.
    const names = newNames.slice(Math.max(0, this.#names - firstNew));
    const first = Math.max(firstNew, this.#names);
    await this.#append('datastreams', [INTEGER, VARCHAR], names.length, [
      (i) => first + i,
      (i) => names[i] ?? '',
    ]);
  }

  async #appendPoints(points: PointColumns, rows: readonly number[]): Promise<void> {
    const at = (i: number) => rows[i] ?? 0;
    await this.#append('points', [INTEGER, BIGINT, DOUBLE, UTINYINT, BIGINT], rows.length, [
      (i) => points.series[at(i)] ?? 0,
      (i) => BigInt(points.time[at(i)] ?? 0),
      (i) => points.value[at(i)] ?? 0,
      (i) => points.quality[at(i)] ?? 0,
      (i) => BigInt(points.receivedAt[at(i)] ?? 0),
    ]);
  }

  /** Appends `count` rows to a table; each column tells its value of row i. */
  async #append(
    table: string,
    types: DuckDBType[],
    count: number,
    columns: readonly ((i: number) => DuckDBValue)[],
  ): Promise<void> {
    if (count === 0) return;
    const appender = await this.#writer.createAppender(table);
    try {
      for (let from = 0; from < count; from += CHUNK_ROWS) {
        const rows = Math.min(CHUNK_ROWS, count - from);
        const chunk = DuckDBDataChunk.create(types, rows);
        chunk.setColumns(columns.map((column) => Array.from({ length: rows }, (_, i) => column(from + i))));
        appender.appendDataChunk(chunk);
      }
      appender.flushSync();
    } finally {
      appender.closeSync();
    }
  }

  async #storePosition({ topic, partition, nextOffset }: SeriesPosition): Promise<void> {
    const known = this.position(topic, partition) !== null;
    const sql = known
      ? 'UPDATE positions SET next_offset = $1 WHERE topic = $2 AND part = $3'
      : 'INSERT INTO positions (next_offset, topic, part) VALUES ($1, $2, $3)';
    await this.#run(sql, [BigInt(nextOffset), topic, partition], [BIGINT, VARCHAR, INTEGER]);
  }

  async #run(sql: string, values: DuckDBValue[], types: DuckDBType[]): Promise<void> {
    await this.#writer.run(sql, values, types);
  }

  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.#writer.run('BEGIN');
    try {
      const result = await work();
      await this.#writer.run('COMMIT');
      return result;
    } catch (error) {
      // A failed COMMIT has rolled back already.
      await this.#writer.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  range({ series, from, to, limit, descending }: StoreRange): Promise<PointColumns> {
    const order = descending ? 'DESC' : 'ASC';
    return this.#read((connection) =>
      pointsOf(
        connection,
        `SELECT series, time::DOUBLE, value, quality, received_at::DOUBLE FROM points
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
    return this.#read(async (connection) => {
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
    return this.#read(async (connection) => {
      const sql = 'SELECT (SELECT count(*) FROM points)::DOUBLE + deleted, duplicates::DOUBLE FROM totals';
      const [points = [], duplicates = []] = await columnsOf(connection, sql);
      return { points: Number(points[0]), duplicates: Number(duplicates[0]) };
    });
  }

  async deleteBefore(time: number): Promise<number> {
    const deleted = await this.#transaction(async () => {
      const result = await this.#writer.run('DELETE FROM points WHERE time < $1', [BigInt(time)], [BIGINT]);
      await this.#run('UPDATE totals SET deleted = deleted + $1', [BigInt(result.rowsChanged)], [BIGINT]);
      return result.rowsChanged;
    });
    this.#latest.forgetBefore(time);
    return deleted;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#readers.map(({ last }) => last));
    await this.#writer.run('CHECKPOINT').catch(() => undefined);
    for (const { connection } of this.#readers) connection.closeSync();
    this.#writer.closeSync();
    this.#instance.closeSync();
  }

  #read<T>(query: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const reader = this.#readers[this.#nextReader++ % this.#readers.length];
    if (reader === undefined) throw new Error('no reader');
    const result = reader.last.then(() => query(reader.connection));
    reader.last = result.catch(() => undefined);
    return result;
  }
}

/** Duplicates that say something else than what is stored, or than the first of their batch. */
function conflictsOf(points: PointColumns, sifted: Sifted, stored: ReadonlyMap<number, number>): number[] {
  const conflicts: number[] = [];
  const check = (row: number, kept: number | undefined) => {
    if (kept !== points.value[row] && conflicts.length < MAX_CONFLICTS) conflicts.push(row);
  };
  for (const [row, kept] of stored) check(row, kept);
  for (const { row, of } of sifted.repeats) check(row, stored.get(of) ?? points.value[of]);
  return conflicts;
}

async function columnsOf(
  connection: DuckDBConnection,
  sql: string,
  values: DuckDBValue[] = [],
  types: DuckDBType[] = [],
): Promise<DuckDBValue[][]> {
  const reader = await connection.runAndReadAll(sql, values, types);
  return reader.getColumns();
}

async function pointsOf(
  connection: DuckDBConnection,
  sql: string,
  values: DuckDBValue[] = [],
  types: DuckDBType[] = [],
): Promise<PointColumns> {
  const [series = [], times = [], numbers = [], qualities = [], receivedAt = []] = await columnsOf(
    connection,
    sql,
    values,
    types,
  );
  const points = emptyColumns(times.length);
  points.series.set(series.map(Number));
  points.time.set(times.map(Number));
  points.value.set(numbers.map(Number));
  points.quality.set(qualities.map(Number));
  points.receivedAt.set(receivedAt.map(Number));
  return points;
}

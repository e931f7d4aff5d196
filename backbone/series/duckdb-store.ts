import {
  BIGINT,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api';
import type { PointColumns } from './columns.ts';
import type { NewNames } from './dictionary.ts';
import { appendNames, appendPoints, appendSuspects } from './duckdb-append.ts';
import { columnsOf, pointsOf, Queries, Readers } from './duckdb-queries.ts';
import { SCHEMA } from './duckdb-schema.ts';
import { LatestPoints } from './latest.ts';
import type { SeriesPosition } from './port.ts';
import { type Sifted, sift, spansOf } from './sift.ts';

/**
 * The DuckDB file (duckdb-schema.ts), and all that writes it; what is read is in duckdb-queries.ts.
 *
 * One writer at a time (the worker sees to that); reads go through connections of their own. `sift` finds nearly all points
 * newer than what is stored; the few others are looked for within their own span of time.
 */

/** Write-ahead log that DuckDB folds in by itself: about two million points, replayed within a second or two. */
const CHECKPOINT_THRESHOLD = '64MB';
const READERS = 2;
const SUSPECT_GAP_MS = 3_600_000;
const MAX_SUSPECT_SPANS = 8;
const MAX_CONFLICTS = 100;

export interface StoreWrite {
  points: PointColumns;
  /** What the writer's dictionaries gained. */
  datastreams: NewNames;
  sources: NewNames;
  position: SeriesPosition | null;
}

export interface StoreWriteResult {
  written: number;
  duplicates: number;
  /** Rows of the batch whose key was taken with another value; at most 100. */
  conflictRows: number[];
}

/** By number. */
export interface StoredNames {
  datastreams: string[];
  sources: string[];
}

export class DuckDbStore {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #readers: Readers;
  readonly queries: Queries;
  readonly #latest = new LatestPoints();
  /** `topic/partition` → next offset. */
  readonly #positions = new Map<string, number>();
  /** Names in the dictionaries on disk. */
  readonly #names = { datastreams: 0, sources: 0 };

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection, readers: Readers) {
    this.#instance = instance;
    this.#writer = writer;
    this.#readers = readers;
    this.queries = new Queries(readers);
  }

  static async open(file: string, memoryLimit: string): Promise<DuckDbStore> {
    const options = { memory_limit: memoryLimit, checkpoint_threshold: CHECKPOINT_THRESHOLD, threads: '2' };
    const instance = await DuckDBInstance.create(file, options);
    const writer = await instance.connect();
    await writer.run(SCHEMA);
    const connections: DuckDBConnection[] = [];
    for (let i = 0; i < READERS; i++) connections.push(await instance.connect());
    const store = new DuckDbStore(instance, writer, new Readers(connections));
    await store.#load();
    return store;
  }

  async #load(): Promise<void> {
    for (const table of ['datastreams', 'sources'] as const) {
      const [count = []] = await columnsOf(this.#writer, `SELECT count(*)::DOUBLE FROM ${table}`);
      this.#names[table] = Number(count[0]);
    }
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
              arg_max(received_at, time)::DOUBLE, arg_max(source, time) FROM points GROUP BY series`,
    );
    for (let row = 0; row < newest.time.length; row++) this.#latest.offer(newest, row);
  }

  /** All names of the dictionaries; the index is the number. */
  async names(): Promise<StoredNames> {
    return { datastreams: await this.#namesIn('datastreams'), sources: await this.#namesIn('sources') };
  }

  async #namesIn(table: keyof StoredNames): Promise<string[]> {
    const [names = []] = await columnsOf(this.#writer, `SELECT name FROM ${table} ORDER BY id`);
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
    for (const table of ['datastreams', 'sources'] as const) {
      const { first, names } = batch[table];
      this.#names[table] = Math.max(this.#names[table], first + names.length);
    }
    for (const row of result.rows) this.#latest.offer(points, row);
    if (position !== null)
      this.#positions.set(`${position.topic}/${position.partition}`, position.nextOffset);
    return result;
  }

  async #writeSifted(batch: StoreWrite, sifted: Sifted): Promise<StoreWriteResult & { rows: number[] }> {
    const { points } = batch;
    const stored = await this.#storedValues(points, sifted.suspects);
    const rows = stored.size === 0 ? sifted.fresh : sifted.fresh.filter((row) => !stored.has(row));
    const duplicates = points.time.length - rows.length;
    await appendNames(this.#writer, 'datastreams', batch.datastreams, this.#names.datastreams);
    await appendNames(this.#writer, 'sources', batch.sources, this.#names.sources);
    await appendPoints(this.#writer, points, rows);
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
    await appendSuspects(this.#writer, points, suspects);
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
    await this.#readers.close();
    await this.#writer.run('CHECKPOINT').catch(() => undefined);
    this.#writer.closeSync();
    this.#instance.closeSync();
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

import type { Worker } from 'node:worker_threads';
import { QianliyanError } from '../../contracts/index.ts';
import type { Log } from '../log.ts';
import { QUALITY_CODES } from '../quality-codes.ts';
import { startThread } from '../thread.ts';
import { buffersOf, pointAt, toColumns } from './columns.ts';
import { Dictionary } from './dictionary.ts';
import type { Answer, Argument, Reply, SeriesCall, WorkerData } from './duckdb-protocol.ts';
import type { StoredNames } from './duckdb-store.ts';
import { PointTable } from './point-table.ts';
import type {
  RangeQuery,
  Series,
  SeriesPoint,
  SeriesPosition,
  WindowQuery,
  WindowRow,
  WriteResult,
} from './port.ts';

/**
 * The series in one DuckDB file, in a thread of its own.
 *
 *   points ─▶ numbers for names, typed columns ─▶ series thread: sift ─▶ one transaction: names, points, position
 *
 * Promises what the port promises, for kill -9 too: a commit is synced. Calls wait for each other in the thread; who
 * writes should await its write before the next (consumers of the stream do). `latest` is answered from memory, which
 * is filled by one scan at the start.
 */

export interface DuckDbSeriesOptions {
  file: string;
  log: Log;
  /** What DuckDB may use for queries and buffers, e.g. `512MB`. Default `256MB`. */
  memoryLimit?: string;
}

/** @throws QianliyanError STORE_UNAVAILABLE when the file cannot be opened. */
export async function openDuckDbSeries(options: DuckDbSeriesOptions): Promise<Series> {
  const { file, log, memoryLimit = '256MB' } = options;
  const data: WorkerData = { file, memoryLimit };
  const thread = new SeriesThread(
    startThread('./duckdb-worker.ts', import.meta.url, { workerData: data }),
    log,
  );
  try {
    return new DuckDbSeries(thread, await thread.ask('names', undefined));
  } catch (error) {
    await thread.end();
    throw error;
  }
}

class DuckDbSeries implements Series {
  readonly #thread: SeriesThread;
  readonly #datastreams: Dictionary;
  readonly #sources: Dictionary;

  constructor(thread: SeriesThread, names: StoredNames) {
    this.#thread = thread;
    this.#datastreams = new Dictionary(names.datastreams);
    this.#sources = new Dictionary(names.sources);
  }

  async write(points: readonly SeriesPoint[] | PointTable, position?: SeriesPosition): Promise<WriteResult> {
    if (points.length === 0 && position === undefined) return { written: 0, duplicates: 0, conflicts: [] };
    const columns = toColumns(points, {
      series: (name) => this.#datastreams.numberOf(name),
      source: (name) => this.#sources.numberOf(name),
    });
    const datastreams = this.#datastreams.unstored();
    const sources = this.#sources.unstored();
    const batch = { points: columns, datastreams, sources, position: position ?? null };
    const result = await this.#thread.ask('write', batch, buffersOf(columns));
    // A batch that its position made a no-op has stored no names.
    if (result.written > 0) {
      this.#datastreams.wereStored(datastreams);
      this.#sources.wereStored(sources);
    }
    const pointOf = (row: number) => (points instanceof PointTable ? points.at(row) : points[row]);
    const conflicts = result.conflictRows.flatMap((row) => pointOf(row) ?? []);
    return { written: result.written, duplicates: result.duplicates, conflicts };
  }

  position(topic: string, partition: number): Promise<number | null> {
    return this.#thread.ask('position', { topic, partition });
  }

  async range({ datastream, from, to, limit = 10_000, order = 'asc' }: RangeQuery): Promise<SeriesPoint[]> {
    const series = this.#datastreams.find(datastream);
    if (series === undefined) return [];
    const query = { series, from: Math.ceil(from), to: Math.ceil(to), limit, descending: order === 'desc' };
    const columns = await this.#thread.ask('range', query);
    return Array.from(columns.time, (_, row) => pointAt(columns, row, datastream, this.#sources.names));
  }

  async latest(datastreams: readonly string[]): Promise<Map<string, SeriesPoint>> {
    const numbers = datastreams.flatMap((datastream) => this.#datastreams.find(datastream) ?? []);
    const columns = await this.#thread.ask('latest', Int32Array.from(numbers));
    const latest = new Map<string, SeriesPoint>();
    for (const [row, series] of columns.series.entries()) {
      const datastream = this.#datastreams.names[series] ?? '';
      latest.set(datastream, pointAt(columns, row, datastream, this.#sources.names));
    }
    return latest;
  }

  async windows({
    datastream,
    from,
    to,
    windowMs,
    offsetMs = 0,
    qualities,
  }: WindowQuery): Promise<WindowRow[]> {
    const series = this.#datastreams.find(datastream);
    if (series === undefined) return [];
    const codes = qualities?.map((quality) => QUALITY_CODES[quality]) ?? null;
    const query = { series, from: Math.ceil(from), to: Math.ceil(to), windowMs, offsetMs, qualities: codes };
    const [starts = [], count = [], mean = [], min = [], max = [], leq = []] = await this.#thread.ask(
      'windows',
      query,
    );
    return starts.map((start, row) => ({
      from: start,
      count: count[row] ?? 0,
      mean: mean[row] ?? Number.NaN,
      min: min[row] ?? Number.NaN,
      max: max[row] ?? Number.NaN,
      leq: leq[row] ?? Number.NaN,
    }));
  }

  totals(): Promise<{ points: number; duplicates: number }> {
    return this.#thread.ask('totals', undefined);
  }

  deleteBefore(time: number): Promise<number> {
    return this.#thread.ask('deleteBefore', Math.ceil(time));
  }

  async close(): Promise<void> {
    if (this.#thread.isOver) return;
    try {
      await this.#thread.ask('close', undefined);
    } finally {
      await this.#thread.end();
    }
  }
}

/** Questions and answers with the thread; when it ends unasked, all open questions fail. */
class SeriesThread {
  readonly #worker: Worker;
  /** id → who waits for the answer. */
  readonly #open = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #over: QianliyanError | null = null;

  constructor(worker: Worker, log: Log) {
    this.#worker = worker;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (err) => log.error({ err }, 'series thread failed'));
    worker.on('exit', (code) =>
      this.#fail(new QianliyanError('STORE_UNAVAILABLE', `the series thread ended (${code})`)),
    );
  }

  get isOver(): boolean {
    return this.#over !== null;
  }

  ask<C extends SeriesCall>(
    call: C,
    argument: Argument<C>,
    transfer: ArrayBuffer[] = [],
  ): Promise<Answer<C>> {
    if (this.#over !== null) return Promise.reject(this.#over);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.#worker.postMessage({ id, call, argument }, transfer);
    });
  }

  async end(): Promise<void> {
    this.#over ??= new QianliyanError('STORE_UNAVAILABLE', 'the series is closed');
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    const waiting = this.#open.get(reply.id);
    this.#open.delete(reply.id);
    if ('error' in reply) waiting?.reject(seriesError(reply.error));
    else waiting?.resolve(reply.answer);
  }

  #fail(error: QianliyanError): void {
    this.#over ??= error;
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}

function seriesError(message: string): QianliyanError {
  const full = /No space left|ENOSPC|out of disk/i.test(message);
  return new QianliyanError(full ? 'STORE_FULL' : 'STORE_UNAVAILABLE', `series: ${message}`);
}

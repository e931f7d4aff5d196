import { decodeRecord, encodeRecord } from '../backbone/codec.ts';
import {
  type Log,
  PointTable,
  type Series,
  type SeriesPoint,
  type Stream,
  type StreamBatch,
  type Subscription,
} from '../backbone/index.ts';
import { appendObservations, isObservations } from '../backbone/observation-bytes.ts';
import { QUALITY_CODES } from '../backbone/quality-codes.ts';
import { pause } from '../backbone/retry.ts';
import { type ObservationRecord, TOPICS } from '../contracts/index.ts';
import { loadWriterCheckpoint, observationsIn, readAll, SERIES_WRITER } from './count.ts';
import type { Quarantine } from './quarantine.ts';

/**
 * Carries observations from the stream into the series store, exactly once: points and stream position are one
 * transaction there, and this is where it goes on. While the series store is away the stream is the buffer: the batch
 * in hand is tried again, nothing else is read, memory stays flat. Points that meet another value under their key are
 * kept out and go to quarantine, because falsified data may look like this.
 *
 * Its checkpoint on the stream holds the number of observations before it, which is what `countAll` rests on.
 * A crash between a write and the quarantine of its conflicts leaves those conflicts on the stream only.
 */
export interface SeriesWriter {
  /** Since the process began. */
  readonly written: number;
  /** Records that are still to be carried. */
  lag(): Promise<number>;
  /** False while a write is being tried again. */
  readonly healthy: boolean;
  /** Rejects when the writer can no longer go on. */
  readonly ended: Promise<void>;
  /** Waits until all is carried, but no longer than `deadlineMs`: what is left waits on the stream. */
  drain(deadlineMs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface SeriesWriterDeps {
  stream: Stream;
  series: Series;
  quarantine: Quarantine;
  log: Log;
}

const BATCH_RECORDS = 10_000;
/**
 * From one write to the next, unless there is a full batch to carry: a transaction costs the store some milliseconds
 * whatever it holds, so that many small ones would cost more than all else together.
 */
const PACE_MS = 100;
const CHECKPOINT_EVERY_RECORDS = 20_000;

export async function startSeriesWriter(deps: SeriesWriterDeps): Promise<SeriesWriter> {
  const { stream, series } = deps;
  /** One a partition, because these are carried side by side; filled anew with each batch. */
  const tables = new Map<number, PointTable>();
  /** Observations before `nextOffset`, by partition. */
  const progress = new Map<number, Progress>();
  let written = 0;
  let healthy = true;
  const stopping = new AbortController();

  async function begin(partition: number): Promise<number | null> {
    const position = await series.position(TOPICS.observations, partition);
    progress.set(partition, await catchUp(stream, partition, position ?? 0));
    return position;
  }

  async function carry(batch: StreamBatch): Promise<void> {
    const { partition, nextOffset } = batch;
    const begun = performance.now();
    const points = tables.get(partition) ?? new PointTable();
    tables.set(partition, points);
    fill(points, batch);
    try {
      const result = await series.write(points, { topic: TOPICS.observations, partition, nextOffset });
      written += result.written;
      await quarantineConflicts(result.conflicts, deps.quarantine);
      healthy = true;
    } catch (error) {
      healthy = false;
      throw error;
    }
    const reached = progress.get(partition);
    if (reached === undefined) return;
    reached.count += points.length;
    reached.nextOffset = nextOffset;
    if (nextOffset - reached.saved >= CHECKPOINT_EVERY_RECORDS) await saveAll();
    const left = PACE_MS - (performance.now() - begun);
    if (batch.records.length < BATCH_RECORDS && left > 0) await pause(left, stopping.signal);
  }

  async function save(partition: number, reached: Progress): Promise<void> {
    const { nextOffset, count } = reached;
    const state = encodeRecord({ count });
    await stream.saveCheckpoint(SERIES_WRITER, TOPICS.observations, partition, { nextOffset, state });
    reached.saved = nextOffset;
  }

  /** A checkpoint that cannot be written costs nothing but a longer catching up: it is tried again later. */
  async function saveAll(): Promise<void> {
    try {
      for (const [partition, reached] of progress) {
        if (reached.saved < reached.nextOffset) await save(partition, reached);
      }
    } catch (error) {
      deps.log.warn({ err: error }, 'the checkpoint of the series writer waits');
    }
  }

  const subscription: Subscription = await stream.subscribe(
    {
      topic: TOPICS.observations,
      group: SERIES_WRITER,
      maxRecords: BATCH_RECORDS,
      startAt: begin,
      commit: 'manual',
    },
    carry,
  );
  const saving = setInterval(() => void saveAll(), 5_000);

  async function lag(): Promise<number> {
    const ends = await stream.ends(TOPICS.observations);
    return ends.reduce(
      (sum, { partition, next }) => sum + next - (progress.get(partition)?.nextOffset ?? 0),
      0,
    );
  }

  return {
    get written() {
      return written;
    },
    get healthy() {
      return healthy;
    },
    ended: subscription.ended,
    lag,
    async drain(deadlineMs) {
      const begun = performance.now();
      while (healthy && (await lag()) > 0 && performance.now() - begun < deadlineMs) await pause(10);
    },
    async stop() {
      clearInterval(saving);
      stopping.abort();
      await subscription.stop();
      await saveAll();
    },
  };
}

interface Progress {
  nextOffset: number;
  count: number;
  /** Offset of the checkpoint on the stream. */
  saved: number;
}

/** The checkpoint may lie behind the position in the series store: what is between is counted again. */
async function catchUp(stream: Stream, partition: number, position: number): Promise<Progress> {
  const { nextOffset, count } = await loadWriterCheckpoint(stream, partition);
  const reached: Progress = { nextOffset: Math.max(nextOffset, position), count, saved: nextOffset };
  for await (const { value } of readAll(stream, partition, nextOffset, position)) {
    reached.count += observationsIn(value);
  }
  return reached;
}

function fill(points: PointTable, batch: StreamBatch): void {
  points.clear();
  for (const { value } of batch.records) {
    if (isObservations(value)) appendObservations(asBuffer(value), points);
    else addDecoded(points, decodeRecord<ObservationRecord>(value));
  }
}

/** Ticks, device events, and batches that were written as JSON. */
function addDecoded(points: PointTable, record: ObservationRecord): void {
  if (record.type !== 'observations') return;
  const { receivedAt, source = null } = record;
  for (const { datastream, time, value, quality } of record.observations) {
    points.add(datastream, time, value, QUALITY_CODES[quality], receivedAt, source);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function quarantineConflicts(conflicts: readonly SeriesPoint[], quarantine: Quarantine): Promise<void> {
  await Promise.all(
    conflicts.map((point) => {
      const at = new Date(point.time).toISOString();
      return quarantine.put({
        reason: 'duplicate-conflict',
        detail: `${point.datastream}: ${point.value} at ${at}; another value is stored for that time and stays`,
        receivedAt: point.receivedAt,
        topic: '',
        client: null,
        device: point.datastream.slice(0, point.datastream.indexOf('/')),
        payload: Buffer.from(JSON.stringify(point)),
      });
    }),
  );
}

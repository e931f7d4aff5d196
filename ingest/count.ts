import { decodeRecord } from '../backbone/codec.ts';
import type { Records, Series, Stream } from '../backbone/index.ts';
import { countObservations, isObservations } from '../backbone/observation-bytes.ts';
import { type ObservationRecord, TOPICS } from '../contracts/index.ts';
import { quarantineTotal } from './quarantine.ts';

/** The group that carries observations into the series store. */
export const SERIES_WRITER = 'series-writer';

/** What `qianliyan count` prints (figures.md). All numbers are of observations, but for the last two. */
export interface Counts {
  /** Durable on the stream, which is what an acknowledgement rests on; repeats that got so far count each time. */
  acknowledged: number;
  /** In the series store, those that retention has removed since included. */
  stored: number;
  /** Came again with a known key and changed nothing. */
  duplicates: number;
  /** On the stream, not yet in the series store: the writer is on its way, or was when the process ended. */
  pending: number;
  /** What is not accounted for: anything but 0 is a fault. */
  missing: number;
  /** Messages, or readings of one, that were not taken. */
  quarantined: number;
  frames: number;
}

/**
 * Counts in against out from what is on disk alone: the same while the product runs, after it stopped, and after it
 * was killed.
 *
 * Acknowledged = the count that the series writer left in its checkpoint, which is exact for the offset stored with it,
 * plus what lies on the stream beyond that offset. Trimming never goes beyond a checkpoint, so it changes no number.
 * The numbers are of one moment: when the series store went on while they were read, they are read again.
 */
export async function countAll(deps: { stream: Stream; series: Series; records: Records }): Promise<Counts> {
  const { stream, series, records } = deps;
  const { acknowledged, pending, stored, duplicates } = await countAtRest(stream, series);
  return {
    acknowledged,
    stored,
    duplicates,
    pending,
    missing: acknowledged - stored - duplicates - pending,
    quarantined: await quarantineTotal(records),
    frames: await countFrames(stream),
  };
}

const TRIES = 20;

async function countAtRest(stream: Stream, series: Series) {
  for (let tries = 1; ; tries += 1) {
    const before = await series.totals();
    const counts = await countStream(stream, (partition) => series.position(TOPICS.observations, partition));
    const { points: stored, duplicates } = await series.totals();
    const still = before.points === stored && before.duplicates === duplicates;
    if (still || tries === TRIES) return { ...counts, stored, duplicates };
  }
}

export interface StreamCounts {
  acknowledged: number;
  /** Of these, beyond the position that the series store has. */
  pending: number;
}

/** `position`: how far the series store is in a partition. */
export async function countStream(
  stream: Stream,
  position: (partition: number) => Promise<number | null>,
): Promise<StreamCounts> {
  const counts: StreamCounts = { acknowledged: 0, pending: 0 };
  for (const { partition, first, next } of await stream.ends(TOPICS.observations)) {
    const known = await loadWriterCheckpoint(stream, partition);
    const stored = (await position(partition)) ?? 0;
    counts.acknowledged += known.count;
    for await (const { offset, value } of readAll(
      stream,
      partition,
      Math.max(first, known.nextOffset),
      next,
    )) {
      const count = observationsIn(value);
      counts.acknowledged += count;
      if (offset >= stored) counts.pending += count;
    }
  }
  return counts;
}

/** Every picture is one record, and offsets are never given twice. */
export async function countFrames(stream: Stream): Promise<number> {
  const ends = await stream.ends(TOPICS.frames);
  return ends.reduce((sum, { next }) => sum + next, 0);
}

export async function* readAll(stream: Stream, partition: number, from: number, to: number) {
  let offset = from;
  while (offset < to) {
    const records = await stream.read(TOPICS.observations, partition, offset, Math.min(5_000, to - offset));
    if (records.length === 0) return;
    yield* records;
    offset = (records.at(-1)?.offset ?? to) + 1;
  }
}

export function observationsIn(value: Uint8Array): number {
  if (isObservations(value)) return countObservations(value);
  const record = decodeRecord<ObservationRecord>(value);
  return record.type === 'observations' ? record.observations.length : 0;
}

/** How many observations lie before `nextOffset` of a partition, from the first one ever. */
export interface WriterCheckpoint {
  nextOffset: number;
  count: number;
}

export async function loadWriterCheckpoint(stream: Stream, partition: number): Promise<WriterCheckpoint> {
  const checkpoint = await stream.loadCheckpoint(SERIES_WRITER, TOPICS.observations, partition);
  if (checkpoint === null || checkpoint.state === null) return { nextOffset: 0, count: 0 };
  const { count } = decodeRecord<{ count: number }>(checkpoint.state);
  return { nextOffset: checkpoint.nextOffset, count };
}

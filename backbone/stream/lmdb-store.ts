import { mkdirSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { QianliyanError } from '../../contracts/index.ts';
import { blockEnd, decodeBlock, encodeBlock, recordSize } from './block.ts';
import type { Checkpoint, StoredRecord, StreamRecord } from './port.ts';

/**
 * What lies in LMDB, and the only code that knows it:
 *
 *   topics   topic                        → number of partitions
 *   tails    [topic, partition]           → offset of the next record; its version guards concurrent appends
 *   firsts   [topic, partition]           → offset of the oldest record kept
 *   blocks   [topic, partition, base]     → records, packed (block.ts)
 *   groups   [topic, partition, group]    → kind, offset, state
 *
 * Synchronous commits (`overlappingSync: false`): what can be read, by this process or another, is on disk. With
 * overlapping ones a consumer could store the work of records that a power loss then takes away.
 * Several processes may append: the tail's version is the condition of every append, checked by LMDB.
 */

/** Larger commits are cut into several blocks, so that reading one record never loads more than this. */
const MAX_BLOCK_BYTES = 1_048_576;
const MAX_BLOCK_RECORDS = 4_096;
/** A batch that a reader holds in memory at once. */
const MAX_READ_BYTES = 8 * 1_048_576;
const TRIM_BLOCKS = 32;
const CAUSE_MS = 100;
const NOTHING = () => undefined;

/** What a group's entry says: it exists and began here, or it has a checkpoint, without or with state. */
const KIND = { registered: 0, checkpoint: 1, checkpointWithState: 2 } as const;

type PartitionKey = [topic: string, partition: number];

export class LmdbStore {
  readonly #root: RootDatabase<Buffer>;
  readonly #topics: Database<Buffer, string>;
  readonly #tails: Database<Buffer, PartitionKey>;
  readonly #firsts: Database<Buffer, PartitionKey>;
  readonly #blocks: Database<Buffer, [string, number, number]>;
  readonly #groups: Database<Buffer, [string, number, string]>;
  /** `topic/partition` → what the next append expects; another process may have gone on since. */
  readonly #expected = new Map<string, number>();

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#root = open<Buffer>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      overlappingSync: false,
      maxDbs: 8,
    });
    this.#topics = this.#root.openDB('topics', { encoding: 'binary' });
    this.#tails = this.#root.openDB('tails', { encoding: 'binary', useVersions: true });
    this.#firsts = this.#root.openDB('firsts', { encoding: 'binary', useVersions: true });
    this.#blocks = this.#root.openDB('blocks', { encoding: 'binary' });
    this.#groups = this.#root.openDB('groups', { encoding: 'binary' });
  }

  /** topic → partitions, of all topics that exist. */
  topics(): Map<string, number> {
    const rows = this.#topics.getRange().map(({ key, value }) => [key, value.readUInt32LE(0)] as const);
    return new Map(rows);
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(partitions, 0);
    const writes = [this.#topics.ifNoExists(topic, () => quietly(this.#topics.put(topic, count)))];
    for (let partition = 0; partition < partitions; partition++) {
      const key: PartitionKey = [topic, partition];
      writes.push(this.#tails.ifNoExists(key, () => quietly(this.#tails.put(key, number(0), versionOf(0)))));
      writes.push(
        this.#firsts.ifNoExists(key, () => quietly(this.#firsts.put(key, number(0), versionOf(0)))),
      );
    }
    this.#hearCommit();
    await Promise.all(writes);
    await this.#root.flushed;
  }

  /**
   * LMDB opens each turn's transaction with a write of its own, whose promise nobody holds: on a full disk it would be
   * rejected unheard, which ends the process. To be called behind the writes: it is there in the task after theirs.
   */
  #hearCommit(): void {
    setImmediate(() => void this.#root.committed.then(NOTHING, NOTHING));
  }

  /** Another process's commits become visible with a fresh read transaction. */
  refresh(): void {
    this.#root.resetReadTxn();
  }

  next(topic: string, partition: number): number {
    return this.#tails.get([topic, partition])?.readDoubleLE(0) ?? 0;
  }

  first(topic: string, partition: number): number {
    return this.#firsts.get([topic, partition])?.readDoubleLE(0) ?? 0;
  }

  /** Asks for the records to be appended; all that is asked for within one turn becomes one transaction. */
  async append(topic: string, partition: number, records: readonly StreamRecord[]): Promise<void> {
    const name = `${topic}/${partition}`;
    for (;;) {
      const base = this.#expected.get(name) ?? this.next(topic, partition);
      try {
        const appended = this.#appendAt(topic, partition, base, records);
        this.#hearCommit();
        if (await appended) {
          this.#expected.set(name, base + records.length);
          return;
        }
      } catch (error) {
        this.#expected.delete(name);
        throw error;
      }
      // Another process was faster: begin again at the new end.
      this.refresh();
      this.#expected.delete(name);
    }
  }

  #appendAt(
    topic: string,
    partition: number,
    base: number,
    records: readonly StreamRecord[],
  ): Promise<boolean> {
    const key: PartitionKey = [topic, partition];
    return this.#tails.ifVersion(key, versionOf(base), () => {
      let at = base;
      for (const part of cut(records)) {
        quietly(this.#blocks.put([topic, partition, at], encodeBlock(at, part)));
        at += part.length;
      }
      quietly(this.#tails.put(key, number(at), versionOf(at)));
    });
  }

  async saveCheckpoint(
    group: string,
    topic: string,
    partition: number,
    checkpoint: Checkpoint,
  ): Promise<void> {
    const { nextOffset, state } = checkpoint;
    const kind = state === null ? KIND.checkpoint : KIND.checkpointWithState;
    const written = this.#groups.put([topic, partition, group], groupEntry(kind, nextOffset, state));
    this.#hearCommit();
    await written;
  }

  /** Makes a group known before its first checkpoint, so that nothing it has to read is trimmed away. */
  async registerGroup(group: string, topic: string, partition: number, at: number): Promise<void> {
    const key: [string, number, string] = [topic, partition, group];
    const registered = this.#groups.ifNoExists(key, () =>
      quietly(this.#groups.put(key, groupEntry(KIND.registered, at, null))),
    );
    this.#hearCommit();
    await registered;
  }

  checkpoint(group: string, topic: string, partition: number): Checkpoint | null {
    const entry = this.#groups.get([topic, partition, group]);
    if (entry === undefined || entry.readUInt8(0) === KIND.registered) return null;
    const state = entry.readUInt8(0) === KIND.checkpointWithState ? entry.subarray(9) : null;
    return { nextOffset: entry.readDoubleLE(1), state };
  }

  /** The lowest offset that some known group still has to read; infinite when no group is known. */
  lowestGroupOffset(topic: string, partition: number): number {
    const entries = this.#groups.getRange({ start: [topic, partition, ''], end: [topic, partition + 1, ''] });
    let lowest = Number.POSITIVE_INFINITY;
    for (const { value } of entries) lowest = Math.min(lowest, value.readDoubleLE(1));
    return lowest;
  }

  read(topic: string, partition: number, from: number, maxRecords: number): StoredRecord[] {
    const start = Math.max(from, this.first(topic, partition));
    const records: StoredRecord[] = [];
    let bytes = 0;
    const base = this.#baseOfBlockWith(topic, partition, start);
    const range = { start: [topic, partition, base], end: [topic, partition + 1, 0] } as const;
    for (const { value } of this.#blocks.getRange({ start: [...range.start], end: [...range.end] })) {
      if (records.length >= maxRecords || bytes >= MAX_READ_BYTES) break;
      for (const record of decodeBlock(value, start, maxRecords - records.length)) records.push(record);
      bytes += value.byteLength;
    }
    return records;
  }

  /** The block that holds an offset is the last one that begins at or before it. */
  #baseOfBlockWith(topic: string, partition: number, offset: number): number {
    const range = { start: [topic, partition, offset], end: [topic, partition, -1], reverse: true, limit: 1 };
    for (const key of this.#blocks.getKeys(range)) return key[2];
    return 0;
  }

  /**
   * One small step towards forgetting what lies below `before`.
   * @returns true when there is more to do
   */
  async trimStep(topic: string, partition: number, before: number): Promise<boolean> {
    const first = this.first(topic, partition);
    if (first >= before) return false;
    const { bases, end } = this.#wholeBlocksBelow(topic, partition, before);
    // A block that is only partly below stays, its old records are no longer handed out.
    const newFirst = bases.length < TRIM_BLOCKS ? before : Math.min(before, end);
    const key: PartitionKey = [topic, partition];
    const trimmed = this.#firsts.ifVersion(key, versionOf(first), () => {
      for (const base of bases) quietly(this.#blocks.remove([topic, partition, base]));
      quietly(this.#firsts.put(key, number(newFirst), versionOf(newFirst)));
    });
    this.#hearCommit();
    await trimmed;
    return newFirst < before;
  }

  #wholeBlocksBelow(topic: string, partition: number, before: number): { bases: number[]; end: number } {
    const bases: number[] = [];
    let end = 0;
    const range = { start: [topic, partition, 0], end: [topic, partition, before], limit: TRIM_BLOCKS };
    for (const base of [...this.#blocks.getKeys(range)].map((key) => key[2])) {
      const block = this.#blocks.getBinaryFast([topic, partition, base]);
      if (block === undefined || blockEnd(block) > before) break;
      end = blockEnd(block);
      bases.push(base);
    }
    return { bases, end };
  }

  /** Bytes of the pages that hold records; pages that were freed are used again and do not count. */
  usedBytes(): number {
    const stats = this.#blocks.getStats() as Record<string, number>;
    const { pageSize = 0, treeBranchPageCount = 0, treeLeafPageCount = 0, overflowPages = 0 } = stats;
    return pageSize * (treeBranchPageCount + treeLeafPageCount + overflowPages);
  }

  async flushed(): Promise<void> {
    await this.#root.flushed;
  }

  close(): Promise<void> {
    return this.#root.close();
  }
}

/** LMDB gives no meaning to version 0. */
function versionOf(offset: number): number {
  return offset + 1;
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value, 0);
  return bytes;
}

function groupEntry(kind: number, nextOffset: number, state: Uint8Array | null): Buffer {
  const entry = Buffer.alloc(9 + (state?.byteLength ?? 0));
  entry.writeUInt8(kind, 0);
  entry.writeDoubleLE(nextOffset, 1);
  if (state !== null) entry.set(state, 9);
  return entry;
}

/** Slices of at most a block's size, in order. */
function* cut(records: readonly StreamRecord[]): Generator<readonly StreamRecord[]> {
  let from = 0;
  let bytes = 0;
  for (let index = 0; index < records.length; index++) {
    const size = recordSize(records[index] as StreamRecord);
    if (index > from && (bytes + size > MAX_BLOCK_BYTES || index - from >= MAX_BLOCK_RECORDS)) {
      yield records.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < records.length) yield from === 0 ? records : records.slice(from);
}

/** Writes inside a conditional one fail and succeed with it: its promise is the one that is awaited. */
function quietly(write: Promise<unknown>): void {
  write.catch(() => undefined);
}

/** What LMDB says of a failed commit comes behind it, as a promise; `error` itself when nothing does. */
export async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: unknown };
  if (!(commitError instanceof Promise)) return error;
  const nothing = new Promise((resolve) => setTimeout(() => resolve(error), CAUSE_MS));
  return Promise.race([commitError, nothing]).catch((cause: unknown) => cause);
}

/** Errors of LMDB in the product's words. */
export function storeError(error: unknown, what: string): QianliyanError {
  if (error instanceof QianliyanError) return error;
  const text = String(error);
  const full = /ENOSPC|No space left|MAP_FULL|MDB_MAP_FULL/.test(text);
  return new QianliyanError(full ? 'STORE_FULL' : 'STORE_UNAVAILABLE', what, { cause: error });
}

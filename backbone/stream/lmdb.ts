import { QianliyanError } from '../../contracts/index.ts';
import { type Clock, wallClock } from '../clock.ts';
import type { Log } from '../log.ts';
import { Arrivals } from './arrivals.ts';
import { recordSize } from './block.ts';
import { CommitQueue } from './commit-queue.ts';
import { PartitionConsumer } from './consumer.ts';
import { ConsumerGroup, type Member } from './group.ts';
import { causeOf, LmdbStore, storeError } from './lmdb-store.ts';
import { partitionOf } from './partitions.ts';
import type {
  Checkpoint,
  Stream,
  StreamBatch,
  StreamRecord,
  SubscribeOptions,
  Subscription,
} from './port.ts';
import { Room } from './room.ts';

/**
 * The stream in one LMDB folder.
 *
 *   append ─▶ commit queue ─▶ room on disk? ─▶ one LMDB transaction, synced ─▶ callers confirmed
 *   (waits while too much       (STORE_FULL)     (one block a partition)      └▶ arrivals ─▶ consumers
 *    is pending)
 *
 * Promises what the port promises, for kill -9 and power loss alike. Consumers of a group share partitions within one
 * process; several processes may append and read, but a group must be consumed by one of them. A group that is never
 * used again still holds back trimming.
 */

export interface LmdbStreamOptions {
  folder: string;
  /** Of each topic, or of all. A topic keeps the number that it was made with. Default 1. */
  partitions?: Record<string, number> | number;
  clock?: Clock;
  log: Log;
  /** Appends are refused while the records take so much. Default: no bound but the disk's. */
  maxBytes?: number;
  /** Appends are refused while the disk has less free. Default 256 MiB. */
  minFreeBytes?: number;
  /** Bytes that may wait for a commit; callers wait beyond that. Default 32 MiB. */
  maxPendingBytes?: number;
  random?: () => number;
  /** For tests: what is free on the disk of a folder. */
  freeBytes?: (folder: string) => Promise<number>;
}

const POLL_MS = 50;
const MAX_COMMIT_BYTES = 8 * 1_048_576;

type Job =
  | { type: 'append'; parts: Map<number, readonly StreamRecord[]>; topic: string; size: number }
  | { type: 'checkpoint'; group: string; topic: string; partition: number; checkpoint: Checkpoint };

/** @throws QianliyanError CONFIG_INVALID when a topic exists with another number of partitions. */
export async function openLmdbStream(options: LmdbStreamOptions): Promise<Stream> {
  try {
    const store = new LmdbStore(options.folder);
    checkPartitions(store, options.partitions ?? 1);
    return new LmdbStream(store, options);
  } catch (error) {
    throw storeError(error, `cannot open the stream in ${options.folder}`);
  }
}

class LmdbStream implements Stream {
  readonly #store: LmdbStore;
  readonly #options: LmdbStreamOptions;
  readonly #queue: CommitQueue<Job>;
  readonly #room: Room;
  readonly #arrivals = new Arrivals(POLL_MS);
  /** topic → its partitions, once it exists. */
  readonly #topics: Map<string, number>;
  /** `topic/group` → its members here. */
  readonly #groups = new Map<string, ConsumerGroup>();
  readonly #subscriptions = new Set<Subscription>();
  #closed = false;

  constructor(store: LmdbStore, options: LmdbStreamOptions) {
    this.#store = store;
    this.#options = options;
    this.#topics = store.topics();
    this.#room = new Room({
      clock: wallClock,
      minFreeBytes: 256 * 1_048_576,
      maxBytes: Number.POSITIVE_INFINITY,
      ...options,
      usedBytes: () => store.usedBytes(),
    });
    this.#queue = new CommitQueue<Job>({
      commit: (jobs) => this.#commit(jobs),
      sizeOf: (job) => (job.type === 'append' ? job.size : 100 + (job.checkpoint.state?.byteLength ?? 0)),
      maxPendingBytes: options.maxPendingBytes ?? 32 * 1_048_576,
      maxCommitBytes: MAX_COMMIT_BYTES,
    });
  }

  async append(topic: string, records: readonly StreamRecord[]): Promise<void> {
    if (records.length === 0) return;
    const partitions = this.#topics.get(topic) ?? (await this.#create(topic));
    let size = 0;
    for (const record of records) size += recordSize(record);
    await this.#add({ type: 'append', topic, parts: split(records, partitions), size });
  }

  async broadcast(topic: string, value: Uint8Array): Promise<void> {
    const partitions = this.#topics.get(topic) ?? (await this.#create(topic));
    const record = { key: '', value };
    const parts = new Map(range(partitions).map((partition) => [partition, [record]] as const));
    await this.#add({ type: 'append', topic, parts, size: partitions * recordSize(record) });
  }

  async saveCheckpoint(
    group: string,
    topic: string,
    partition: number,
    checkpoint: Checkpoint,
  ): Promise<void> {
    await this.#add({ type: 'checkpoint', group, topic, partition, checkpoint });
  }

  async loadCheckpoint(group: string, topic: string, partition: number): Promise<Checkpoint | null> {
    return this.#store.checkpoint(group, topic, partition);
  }

  async read(topic: string, partition: number, from: number, maxRecords: number) {
    this.#store.refresh();
    return this.#store.read(topic, partition, from, maxRecords);
  }

  async ends(topic: string) {
    this.#store.refresh();
    return range(this.#partitionsOf(topic)).map((partition) => ({
      partition,
      first: this.#store.first(topic, partition),
      next: this.#store.next(topic, partition),
    }));
  }

  async trim(topic: string, partition: number, before: number): Promise<void> {
    const { first, next } = (await this.ends(topic))[partition] ?? { first: 0, next: 0 };
    const limit = Math.min(before, next, this.#store.lowestGroupOffset(topic, partition));
    if (limit <= first) return;
    try {
      while (!this.#closed && (await this.#store.trimStep(topic, partition, limit)));
    } catch (error) {
      throw storeError(await causeOf(error), `cannot trim ${topic}/${partition}`);
    }
  }

  async subscribe(
    options: SubscribeOptions,
    handler: (batch: StreamBatch) => Promise<void>,
  ): Promise<Subscription> {
    this.#refuseWhenClosed();
    const { topic, group } = options;
    const partitions = this.#topics.get(topic) ?? (await this.#create(topic));
    await Promise.all(range(partitions).map((partition) => this.#startOffset(options, partition)));
    const members = getOrMake(this.#groups, `${topic}/${group}`, () => new ConsumerGroup(partitions));
    const end = deferred();
    const member: Member = {
      open: (partition) => this.#consume(options, partition, handler),
      fail: (err) => {
        this.#options.log.error({ topic, group, err }, 'consumer cannot go on');
        end.reject(err);
      },
    };
    await members.join(member);
    const subscription: Subscription = {
      ended: end.promise,
      stop: async () => {
        this.#subscriptions.delete(subscription);
        await members.leave(member);
        end.resolve();
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.stop()));
    this.#closed = true;
    await this.#queue.idle();
    await this.#store.close();
  }

  #consume(options: SubscribeOptions, partition: number, handler: (batch: StreamBatch) => Promise<void>) {
    const { topic, group, maxRecords = 1_000, commit = 'auto' } = options;
    const source = {
      startOffset: () => this.#startOffset(options, partition),
      read: (from: number, max: number) => this.#store.read(topic, partition, from, max),
      more: async (signal: AbortSignal) => {
        await this.#arrivals.wait(topic, partition, signal);
        this.#store.refresh();
      },
      saveCheckpoint: (checkpoint: Checkpoint) => this.saveCheckpoint(group, topic, partition, checkpoint),
    };
    const { log, random = Math.random } = this.#options;
    return new PartitionConsumer(
      source,
      { topic, group, partition, maxRecords, commit, log, random },
      handler,
    );
  }

  /** Where a group begins in a partition; from then on nothing behind it is trimmed. */
  async #startOffset({ topic, group, startAt }: SubscribeOptions, partition: number): Promise<number> {
    const own = startAt === undefined ? null : await startAt(partition);
    const wanted = own ?? this.#store.checkpoint(group, topic, partition)?.nextOffset ?? 0;
    const next = this.#store.next(topic, partition);
    if (wanted > next) {
      // Going on would pass over the next records in silence.
      const detail = `${group} is at offset ${wanted} of ${topic}/${partition}, which ends at ${next}: these stores do not belong together`;
      throw new QianliyanError('STORE_UNAVAILABLE', detail);
    }
    const first = this.#store.first(topic, partition);
    if (wanted < first && wanted > 0) {
      this.#options.log.warn(
        { topic, group, partition, wanted, first },
        'records were trimmed before they were read',
      );
    }
    await this.#store.registerGroup(group, topic, partition, Math.max(wanted, first));
    return Math.max(wanted, first);
  }

  async #add(job: Job): Promise<void> {
    this.#refuseWhenClosed();
    await this.#queue.add(job);
  }

  /** All jobs become one transaction. A store without room refuses appends; checkpoints, which let it trim, go on. */
  async #commit(jobs: readonly Job[]): Promise<(Error | null)[]> {
    let refusal: Error | null;
    try {
      refusal = await this.#room.refusal();
    } catch (error) {
      refusal = storeError(error, 'cannot tell how much room the disk has');
    }
    const written = jobs.filter((job) => job.type === 'checkpoint' || refusal === null);
    const failure = await this.#write(written);
    return jobs.map((job) => (job.type === 'append' && refusal !== null ? refusal : failure));
  }

  async #write(jobs: readonly Job[]): Promise<Error | null> {
    const groups = mergeAppends(jobs);
    try {
      const appends = groups.map(({ topic, partition, records }) =>
        this.#store.append(topic, partition, records),
      );
      const checkpoints = jobs.map((job) => this.#writeCheckpoint(job));
      await Promise.all([...appends, ...checkpoints]);
      await this.#store.flushed();
    } catch (error) {
      return storeError(await causeOf(error), 'the stream could not be written');
    }
    for (const { topic, partition } of groups) this.#arrivals.announce(topic, partition);
    return null;
  }

  #writeCheckpoint(job: Job): Promise<void> | null {
    if (job.type !== 'checkpoint') return null;
    return this.#store.saveCheckpoint(job.group, job.topic, job.partition, job.checkpoint);
  }

  async #create(topic: string): Promise<number> {
    this.#refuseWhenClosed();
    await this.#store.createTopic(topic, this.#partitionsOf(topic));
    const partitions = this.#store.topics().get(topic) ?? this.#partitionsOf(topic);
    this.#topics.set(topic, partitions);
    return partitions;
  }

  #partitionsOf(topic: string): number {
    return this.#topics.get(topic) ?? configured(this.#options.partitions ?? 1, topic);
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new QianliyanError('STORE_UNAVAILABLE', 'the stream is closed');
  }
}

function configured(partitions: Record<string, number> | number, topic: string): number {
  return typeof partitions === 'number' ? partitions : (partitions[topic] ?? 1);
}

/** Another number of partitions would send a device's next records elsewhere, past those that still wait. */
function checkPartitions(store: LmdbStore, partitions: Record<string, number> | number): void {
  const wrong = [...store.topics()].filter(([topic, existing]) => configured(partitions, topic) !== existing);
  if (wrong.length === 0) return;
  const problems = wrong.map(([topic, existing]) => ({
    path: `stream.partitions.${topic}`,
    found: configured(partitions, topic),
    allowed: `${existing}: a topic keeps the number of partitions that it was made with`,
  }));
  throw new QianliyanError('CONFIG_INVALID', 'partitions of an existing stream', { problems });
}

function split(records: readonly StreamRecord[], partitions: number): Map<number, readonly StreamRecord[]> {
  if (partitions === 1) return new Map([[0, records]]);
  const parts = new Map<number, StreamRecord[]>();
  for (const record of records) {
    getOrMake(parts, partitionOf(record.key, partitions), (): StreamRecord[] => []).push(record);
  }
  return parts;
}

/** One list of records a partition, in the order in which the appends were asked for. */
function mergeAppends(jobs: readonly Job[]): { topic: string; partition: number; records: StreamRecord[] }[] {
  const groups = new Map<string, { topic: string; partition: number; records: StreamRecord[] }>();
  for (const job of jobs) {
    if (job.type !== 'append') continue;
    for (const [partition, records] of job.parts) {
      const { topic } = job;
      const group = getOrMake(groups, `${topic}/${partition}`, () => ({ topic, partition, records: [] }));
      for (const record of records) group.records.push(record);
    }
  }
  return [...groups.values()];
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const made = make();
  map.set(key, made);
  return made;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever does not look at `ended` has the log.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

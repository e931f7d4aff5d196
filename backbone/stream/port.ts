/**
 * Stream port: append-only topics, ordered per key, durable when `append` resolves, replayable from an offset.
 * A topic has one or more partitions; all records of a key lie in one partition. Offsets grow by one a record.
 */

export interface StreamRecord {
  /** Records of one key keep their order. */
  key: string;
  value: Uint8Array;
}

export interface StoredRecord extends StreamRecord {
  offset: number;
}

/** Consecutive records of one partition, handed to one consumer at a time. */
export interface StreamBatch {
  topic: string;
  partition: number;
  records: readonly StoredRecord[];
  /** Offset behind the last record: where to go on once this batch's work is durable. */
  nextOffset: number;
}

/** How far a group is in a partition, and the state that belongs to exactly that position. */
export interface Checkpoint {
  nextOffset: number;
  state: Uint8Array | null;
}

export interface SubscribeOptions {
  topic: string;
  /** Consumers of one group share the partitions; each group sees every record. */
  group: string;
  /** At most so many records a batch. Default 1,000. */
  maxRecords?: number;
  /**
   * Where to begin in a partition, for a consumer that keeps its offset in the same transaction as its work.
   * Default: the group's checkpoint, else the oldest record.
   */
  startAt?: (partition: number) => Promise<number | null>;
  /** `auto`: the offset is checkpointed once the handler has resolved. `manual`: the consumer calls `saveCheckpoint`. */
  commit?: 'auto' | 'manual';
}

export interface Subscription {
  /** Resolves when the batch in hand is done; no further one begins. */
  stop(): Promise<void>;
  /** Rejects when the handler failed for good; resolves after `stop`. A stalled consumer must not be silent. */
  readonly ended: Promise<void>;
}

export interface PartitionEnds {
  partition: number;
  /** Offset of the oldest record kept. */
  first: number;
  /** Offset that the next record will get: the number of records ever appended. */
  next: number;
}

export interface Stream {
  /** Durable (on disk, or acknowledged by all in-sync replicas) when it resolves. All or, on an error, perhaps a part. */
  append(topic: string, records: readonly StreamRecord[]): Promise<void>;
  /** Same records into every partition (ticks). */
  broadcast(topic: string, value: Uint8Array): Promise<void>;
  /**
   * Batches one after the other per partition; at least once. A handler that throws gets the same batch again, with
   * backoff; it is never skipped.
   */
  subscribe(options: SubscribeOptions, handler: (batch: StreamBatch) => Promise<void>): Promise<Subscription>;
  /** Reads without a group, for replay and counting. Empty when `from` is at the end. */
  read(topic: string, partition: number, from: number, maxRecords: number): Promise<StoredRecord[]>;
  ends(topic: string): Promise<PartitionEnds[]>;
  loadCheckpoint(group: string, topic: string, partition: number): Promise<Checkpoint | null>;
  saveCheckpoint(group: string, topic: string, partition: number, checkpoint: Checkpoint): Promise<void>;
  /** Forgets records below `before`, in small steps; never beyond what a known group still has to read. */
  trim(topic: string, partition: number, before: number): Promise<void>;
  close(): Promise<void>;
}

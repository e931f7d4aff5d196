import type {
  Checkpoint,
  StoredRecord,
  Stream,
  StreamBatch,
  StreamRecord,
  SubscribeOptions,
  Subscription,
} from '../../../backbone/stream/port.ts';

/**
 * A stream in memory with one partition a topic. Promises order, replay from an offset, and a batch handed in again when
 * its handler failed. Of the port it leaves out durability, `commit: 'auto'` and `trim`. `failing` makes calls fail, as a
 * dead disk would.
 */
export interface MemoryStream extends Stream {
  failing: Set<'append' | 'saveCheckpoint'>;
  records(topic: string): readonly StoredRecord[];
  /** Resolves once every subscription has handled all there is. */
  drained(): Promise<void>;
}

export function memoryStream(): MemoryStream {
  return new Memory();
}

type Handler = (batch: StreamBatch) => Promise<void>;

class Memory implements MemoryStream {
  readonly failing: MemoryStream['failing'] = new Set();
  /** By name. */
  readonly #topics = new Map<string, StoredRecord[]>();
  /** By `group/topic/partition`. */
  readonly #checkpoints = new Map<string, Checkpoint>();
  readonly #consumers = new Set<Consumer>();

  records(topic: string): StoredRecord[] {
    const records = this.#topics.get(topic) ?? [];
    this.#topics.set(topic, records);
    return records;
  }

  async append(topic: string, records: readonly StreamRecord[]): Promise<void> {
    if (this.failing.has('append')) throw new Error('the disk does not answer');
    this.#push(topic, records);
  }

  async broadcast(topic: string, value: Uint8Array): Promise<void> {
    this.#push(topic, [{ key: '', value }]);
  }

  async subscribe(options: SubscribeOptions, handler: Handler): Promise<Subscription> {
    const { group, topic, maxRecords = 1000 } = options;
    const start = (await options.startAt?.(0)) ?? (await this.loadCheckpoint(group, topic, 0))?.nextOffset;
    const consumer = new Consumer(topic, this.records(topic), start ?? 0, maxRecords, handler);
    this.#consumers.add(consumer);
    const ended = consumer.run();
    const stop = async (): Promise<void> => {
      consumer.stopping = true;
      this.#consumers.delete(consumer);
      await ended;
    };
    return { ended, stop };
  }

  async read(topic: string, _partition: number, from: number, maxRecords: number): Promise<StoredRecord[]> {
    return this.records(topic).slice(from, from + maxRecords);
  }

  async ends(topic: string) {
    return [{ partition: 0, first: 0, next: this.records(topic).length }];
  }

  async loadCheckpoint(group: string, topic: string, partition: number): Promise<Checkpoint | null> {
    return this.#checkpoints.get(`${group}/${topic}/${partition}`) ?? null;
  }

  async saveCheckpoint(group: string, topic: string, partition: number, checkpoint: Checkpoint) {
    if (this.failing.has('saveCheckpoint')) throw new Error('the disk does not answer');
    this.#checkpoints.set(`${group}/${topic}/${partition}`, structuredClone(checkpoint));
  }

  async trim(): Promise<void> {}

  async close(): Promise<void> {}

  async drained(): Promise<void> {
    while (![...this.#consumers].every((consumer) => consumer.isDone())) await turn();
  }

  #push(topic: string, records: readonly StreamRecord[]): void {
    const list = this.records(topic);
    for (const record of records) list.push({ ...record, offset: list.length });
  }
}

/** One subscription: batch after batch, the same again when its handler failed. */
class Consumer {
  stopping = false;
  readonly #topic: string;
  readonly #all: readonly StoredRecord[];
  #next: number;
  readonly #maxRecords: number;
  readonly #handler: Handler;

  constructor(
    topic: string,
    all: readonly StoredRecord[],
    start: number,
    maxRecords: number,
    handler: Handler,
  ) {
    this.#topic = topic;
    this.#all = all;
    this.#next = start;
    this.#maxRecords = maxRecords;
    this.#handler = handler;
  }

  isDone(): boolean {
    return this.#next >= this.#all.length;
  }

  async run(): Promise<void> {
    while (!this.stopping) {
      if (!this.isDone()) await this.#handOn();
      await turn();
    }
  }

  async #handOn(): Promise<void> {
    const records = this.#all.slice(this.#next, this.#next + this.#maxRecords);
    const nextOffset = this.#next + records.length;
    try {
      await this.#handler({ topic: this.#topic, partition: 0, records, nextOffset });
      this.#next = nextOffset;
    } catch {
      // Handed in again in the next turn: that is what the port promises of a handler that fails.
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

import type { Log } from '../log.ts';
import { backoffMs, pause } from '../retry.ts';
import type { Checkpoint, StoredRecord, StreamBatch } from './port.ts';

/**
 * Follows one partition for one group: read, hand over, checkpoint, one batch after the other.
 *
 * Promises: a batch is handed over again until the handler takes it, with growing waits; an outage is logged when it
 * begins and when it ends. `stop` resolves when the batch in hand is done or its next try was called off.
 */

export interface ConsumerSource {
  /** Records from `from` on; empty at the end. */
  read(from: number, maxRecords: number): StoredRecord[];
  /** Resolves when there may be more to read, or after a while. */
  more(signal: AbortSignal): Promise<void>;
  startOffset(): Promise<number>;
  saveCheckpoint(checkpoint: Checkpoint): Promise<void>;
}

export interface ConsumerOptions {
  topic: string;
  group: string;
  partition: number;
  maxRecords: number;
  commit: 'auto' | 'manual';
  log: Log;
  random: () => number;
}

export class PartitionConsumer {
  readonly #source: ConsumerSource;
  readonly #options: ConsumerOptions;
  readonly #handler: (batch: StreamBatch) => Promise<void>;
  readonly #stopping = new AbortController();
  /** Settles when the loop is over: rejects when the stream itself cannot be read. */
  readonly ended: Promise<void>;

  constructor(
    source: ConsumerSource,
    options: ConsumerOptions,
    handler: (batch: StreamBatch) => Promise<void>,
  ) {
    this.#source = source;
    this.#options = options;
    this.#handler = handler;
    this.ended = this.#run();
    this.ended.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.ended.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let position = await this.#source.startOffset();
    while (!signal.aborted) {
      const records = this.#source.read(position, this.#options.maxRecords);
      const last = records.at(-1);
      if (last === undefined) {
        await this.#source.more(signal);
        continue;
      }
      const { topic, partition } = this.#options;
      const batch: StreamBatch = { topic, partition, records, nextOffset: last.offset + 1 };
      if (!(await this.#insist(() => this.#handler(batch), batch, 'handler failed'))) return;
      position = batch.nextOffset;
      if (this.#options.commit === 'auto' && !(await this.#checkpoint(batch))) return;
    }
  }

  #checkpoint(batch: StreamBatch): Promise<boolean> {
    const checkpoint = { nextOffset: batch.nextOffset, state: null };
    return this.#insist(() => this.#source.saveCheckpoint(checkpoint), batch, 'checkpoint failed');
  }

  /** True when done; false when it was called off by `stop`. */
  async #insist(action: () => Promise<void>, batch: StreamBatch, what: string): Promise<boolean> {
    const { signal } = this.#stopping;
    for (let tries = 1; ; tries++) {
      try {
        await action();
        if (tries > 1) this.#options.log.info({ ...this.#where(batch), tries }, 'consumer goes on');
        return true;
      } catch (err) {
        if (tries === 1) this.#options.log.error({ ...this.#where(batch), err }, `${what}; trying again`);
        await pause(backoffMs(tries, { firstMs: 50, random: this.#options.random }), signal);
        if (signal.aborted) return false;
      }
    }
  }

  #where(batch: StreamBatch) {
    const { topic, group, partition } = this.#options;
    return { topic, group, partition, offset: batch.records[0]?.offset };
  }
}

import type { Catalog } from '../../backbone/catalog.ts';
import { decodeRecord, encodeRecord } from '../../backbone/codec.ts';
import type { Log } from '../../backbone/log.ts';
import type { Stream, StreamBatch, StreamRecord } from '../../backbone/stream/port.ts';
import { type Finding, type ObservationRecord, TOPICS } from '../../contracts/index.ts';
import type { SensorRouter } from './routing.ts';
import { restoreSnapshot, Snapshot } from './snapshot.ts';

/**
 * One partition of `observations`: records through the routing core, findings onto the stream, then the checkpoint.
 *
 *   batch ─▶ router ─▶ outbox ─append(findings)─▶ … every N seconds or records: snapshot ─saveCheckpoint─▶
 *
 * Promises: a checkpoint is saved only after all findings up to its offset are durable, so that a crash between the two
 * makes the same findings again, under the same ids and revisions, and loses none. A batch that is handed in again (the
 * append failed) is not observed twice. A snapshot of many devices is taken in slices between batches.
 */
export interface PartitionOptions {
  stream: Stream;
  log: Log;
  group: string;
  partition: number;
  router: SensorRouter;
  checkpointEveryMs: number;
  checkpointEveryRecords: number;
  /** Wall time for spacing checkpoints; no finding depends on it. */
  now: () => number;
}

/** Entries of a snapshot a slice: about ten milliseconds. */
const SLICE = 1000;

export class Partition {
  readonly router: SensorRouter;
  readonly #options: PartitionOptions;
  /** Offset of the next record that the router has not seen. */
  #nextOffset = 0;
  #outbox: Finding[] = [];
  #sinceCheckpoint = 0;
  #checkpointedAt: number;
  #checkpointing: Promise<void> | null = null;

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.router = options.router;
    this.#checkpointedAt = options.now();
  }

  /** Takes up the group's checkpoint. Returns where to go on; null: from the oldest record. */
  async begin(): Promise<number | null> {
    const { stream, group, partition, log } = this.#options;
    const checkpoint = await stream.loadCheckpoint(group, TOPICS.observations, partition);
    if (checkpoint === null) return null;
    this.#nextOffset = checkpoint.nextOffset;
    if (checkpoint.state !== null) {
      restoreSnapshot(
        this.router,
        checkpoint.state,
        (finding) => this.#outbox.push(finding),
        (problem) => log.warn({ partition, problem }, 'part of the detectors checkpoint is not taken over'),
      );
    }
    return checkpoint.nextOffset;
  }

  async handle(batch: StreamBatch): Promise<void> {
    for (const record of batch.records) {
      if (record.offset < this.#nextOffset) continue;
      this.router.handle(decodeRecord<ObservationRecord>(record.value), this.#put);
      this.#nextOffset = record.offset + 1;
      this.#sinceCheckpoint += 1;
    }
    await this.#flush();
    if (this.#isCheckpointDue()) this.#checkpoint();
  }

  /** What ends by it goes out with the next batch. */
  useCatalog(catalog: Catalog): void {
    this.router.useCatalog(catalog, this.#put);
  }

  /** A last checkpoint, so that the next start has nothing to replay. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#checkpointing;
    await this.#snapshot();
  }

  readonly #put = (finding: Finding): void => {
    this.#outbox.push(finding);
  };

  async #flush(): Promise<void> {
    if (this.#outbox.length === 0) return;
    const records: StreamRecord[] = this.#outbox.map((f) => ({ key: f.device, value: encodeRecord(f) }));
    await this.#options.stream.append(TOPICS.findings, records);
    this.#outbox = [];
  }

  #isCheckpointDue(): boolean {
    if (this.#checkpointing !== null || this.#sinceCheckpoint === 0) return false;
    const { checkpointEveryMs, checkpointEveryRecords, now } = this.#options;
    return (
      this.#sinceCheckpoint >= checkpointEveryRecords || now() - this.#checkpointedAt >= checkpointEveryMs
    );
  }

  /** In the background; a failure is tried again at the next occasion, since an older checkpoint is as true. */
  #checkpoint(): void {
    const { log, partition } = this.#options;
    this.#checkpointing = this.#snapshot()
      .catch((error: unknown) => log.warn({ partition, err: error }, 'checkpoint of the detectors failed'))
      .finally(() => {
        this.#checkpointing = null;
      });
  }

  async #snapshot(): Promise<void> {
    const { stream, group, partition, now } = this.#options;
    const nextOffset = this.#nextOffset;
    this.#sinceCheckpoint = 0;
    this.#checkpointedAt = now();
    const snapshot = new Snapshot(this.router);
    while (!snapshot.step(SLICE)) await new Promise((resolve) => setImmediate(resolve));
    await stream.saveCheckpoint(group, TOPICS.observations, partition, {
      nextOffset,
      state: snapshot.bytes(),
    });
  }
}

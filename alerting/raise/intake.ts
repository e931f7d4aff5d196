import { decodeRecord } from '../../backbone/codec.ts';
import type { StreamBatch } from '../../backbone/index.ts';
import type { Finding } from '../../contracts/index.ts';
import type { Db, Tx } from '../store/tables.ts';
import { settle } from './settle.ts';
import { type WriteParts, writeSettlement } from './write.ts';

export interface IntakeParts extends WriteParts {
  db: Db;
}

/**
 * Takes batches of findings. Promises: findings, alerts, drafts, audit, events and the place in the stream are written
 * in one transaction, so that each finding has its effect exactly once, whenever the process dies and however often a
 * batch is handed in. Keeps nothing in memory between two batches.
 */
export class Intake {
  readonly #parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Where to go on in a partition; null = nothing of it was taken yet. */
  position(topic: string, partition: number): Promise<number | null> {
    return readPosition(this.#parts.db, topic, partition);
  }

  async takeBatch(batch: StreamBatch): Promise<void> {
    const { db, events, metrics } = this.#parts;
    const measured = metrics.batchSeconds.startTimer();
    await db.transaction().execute(async (tx) => {
      // The stream may hand in again what was committed just before a crash: the place in the store decides.
      const from = (await readPosition(tx, batch.topic, batch.partition)) ?? 0;
      const fresh = batch.records.filter((record) => record.offset >= from);
      if (fresh.length === 0) return;
      await this.#takeFindings(
        tx,
        fresh.map((record) => decodeRecord<Finding>(record.value)),
      );
      await savePosition(tx, batch);
    });
    events.ring();
    measured();
  }

  async #takeFindings(tx: Tx, findings: readonly Finding[]): Promise<void> {
    const { desk, metrics, config } = this.#parts;
    const settlement = await settle(tx, findings, {
      gapMs: config.raise.rejoinS * 1000,
      decidedAmong: (inner, alerts) => desk.decidedAmong(inner, alerts),
    });
    metrics.findings.inc({ outcome: 'news' }, settlement.news.size);
    metrics.findings.inc({ outcome: 'known' }, findings.length - settlement.news.size);
    if (settlement.news.size > 0) await writeSettlement(tx, settlement, this.#parts);
  }
}

async function readPosition(db: Db | Tx, topic: string, partition: number): Promise<number | null> {
  const row = await db
    .selectFrom('alerting_positions')
    .select('next_offset')
    .where('topic', '=', topic)
    .where('partition', '=', partition)
    .executeTakeFirst();
  return row?.next_offset ?? null;
}

async function savePosition(tx: Tx, { topic, partition, nextOffset }: StreamBatch): Promise<void> {
  await tx
    .insertInto('alerting_positions')
    .values({ topic, partition, next_offset: nextOffset })
    .onConflict((c) => c.columns(['topic', 'partition']).doUpdateSet({ next_offset: nextOffset }))
    .execute();
}

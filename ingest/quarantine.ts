import type { Transaction } from 'kysely';
import { Counter, type Registry as Metrics } from 'prom-client';
import type { Log, Records } from '../backbone/index.ts';
import type { IngestConfig } from './config.ts';
import { type QuarantineLook, quarantineLook } from './quarantine-look.ts';
import { quarantineRoom } from './quarantine-room.ts';
import { type Suspect, sortableIds, toRow } from './quarantine-rows.ts';
import type { QuarantineRow, QuarantineTables } from './quarantine-tables.ts';
import { addToTotal, loadTotal } from './quarantine-totals.ts';

export type { Suspect } from './quarantine-rows.ts';
export { quarantineTotal } from './quarantine-totals.ts';

/**
 * Where messages go that are not taken: with the reason, and with what is needed to look at them and run them again.
 *
 *   put ─▶ waiting ─▶ one transaction: rows, totals, room       look ─▶ quarantine-look.ts     run again ─▶ rerun.ts
 *                                       (quarantine-room.ts)                                   dismiss   ─▶ quarantine-resolve.ts
 *
 * `put` resolves when the entry is committed: only then may the message be acknowledged. Entries that come within 20 ms
 * share a commit, and no more than FLUSH_ENTRIES go at a time: a flood waits here, it does not block the event loop.
 * How much can wait is bounded by what each connection may have under way. Bounded in entries and bytes on disk.
 */
export interface Quarantine extends QuarantineLook {
  put(suspect: Suspect): Promise<void>;
  /** All that ever came, evicted ones included. */
  total(): number;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

const FLUSH_MS = 20;
const FLUSH_ENTRIES = 200;
const FLUSH_BYTES = 4 * 1_048_576;
/** Rows of one statement: a database bounds the number of its parameters. */
const INSERT_ROWS = 40;

interface Waiting {
  row: QuarantineRow;
  resolve(): void;
  reject(error: unknown): void;
}

export async function openQuarantine(
  limits: IngestConfig['quarantine'],
  deps: { records: Records; log: Log; metrics: Metrics; newId?: (receivedAt: number) => string },
): Promise<Quarantine> {
  const db = deps.records.db.withTables<QuarantineTables>();
  const newId = deps.newId ?? sortableIds();
  const room = await quarantineRoom(db, limits);
  const entered = new Counter({
    name: 'qianliyan_quarantined_total',
    help: 'Messages, or readings of one, that went to quarantine, by reason',
    labelNames: ['reason'],
    registers: [deps.metrics],
  });
  let total = await loadTotal(db);
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | null = null;

  async function flush(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, FLUSH_MS));
    const batch = takeBatch(waiting);
    waiting = waiting.slice(batch.length);
    const rows = batch.map((one) => one.row);
    try {
      await db.transaction().execute(async (tx) => {
        await insert(tx, rows);
        await room.admit(tx, rows);
      });
      for (const { row, resolve } of batch) {
        total += 1;
        entered.inc({ reason: row.reason });
        resolve();
      }
    } catch (error) {
      // What the transaction took back must not be counted: the truth is in the table.
      await room.reload().catch(() => undefined);
      for (const { reject } of batch) reject(error);
    }
  }

  async function flushAll(): Promise<void> {
    while (waiting.length > 0) await flush();
    flushing = null;
  }

  return {
    ...quarantineLook(deps.records),
    put(suspect) {
      return new Promise((resolve, reject) => {
        waiting.push({ row: toRow(suspect, newId(suspect.receivedAt), limits.maxRawBytes), resolve, reject });
        flushing ??= flushAll();
      });
    },
    total: () => total,
    async close() {
      while (flushing !== null) await flushing;
    },
  };
}

function takeBatch(waiting: readonly Waiting[]): Waiting[] {
  let bytes = 0;
  const batch: Waiting[] = [];
  for (const one of waiting) {
    if (batch.length >= FLUSH_ENTRIES || (bytes > 0 && bytes + one.row.raw.length > FLUSH_BYTES)) break;
    bytes += one.row.raw.length;
    batch.push(one);
  }
  return batch;
}

type Tx = Transaction<QuarantineTables>;

async function insert(tx: Tx, rows: readonly QuarantineRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += INSERT_ROWS) {
    await tx
      .insertInto('quarantine')
      .values(rows.slice(i, i + INSERT_ROWS))
      .execute();
  }
  const counts = new Map<string, number>();
  for (const { reason } of rows) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  for (const [reason, count] of counts) await addToTotal(tx, reason, count);
}

import { createHash, randomBytes } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import { Counter, type Registry as Metrics } from 'prom-client';
import type { Log, Records } from '../backbone/index.ts';
import { type QuarantineEntry, QuarantineReason } from '../contracts/index.ts';
import type { IngestConfig } from './config.ts';
import type { QuarantineTables } from './quarantine-tables.ts';

/** A message that is not taken, as it comes to the quarantine. */
export interface Suspect {
  reason: QuarantineReason;
  detail: string;
  receivedAt: number;
  topic: string;
  client: string | null;
  device: string | null;
  payload: Buffer;
  /** Where `payload` is but the head of what came. */
  whole?: { size: number; sha256: string };
}

/**
 * Where messages go that are not taken: with the reason, and with what is needed to look at them and run them again.
 *
 * `put` resolves when the entry is committed: only then may the message be acknowledged. Entries that come within 20 ms
 * share a commit, and no more than FLUSH_ENTRIES go at a time: a flood waits here, it does not block the event loop.
 * Bounded in entries and bytes: whoever holds most loses its oldest first, so that a babbler cannot push others' out.
 */
export interface Quarantine {
  put(suspect: Suspect): Promise<void>;
  list(query: { reason?: QuarantineReason; limit: number; before?: string }): Promise<QuarantineEntry[]>;
  get(id: string): Promise<QuarantineEntry | null>;
  raw(id: string): Promise<Buffer | null>;
  /** All that ever came, evicted ones included. */
  total(): number;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

const FLUSH_MS = 20;
const FLUSH_ENTRIES = 200;
const FLUSH_BYTES = 4 * 1_048_576;
const DETAIL_CHARACTERS = 1_000;
/** Key in the totals of entries that had to make room. */
const EVICTED = '(evicted)';

type Row = QuarantineTables['quarantine'];
type Tx = Transaction<QuarantineTables>;

interface Waiting {
  row: Row;
  resolve(): void;
  reject(error: unknown): void;
}

export async function openQuarantine(
  limits: IngestConfig['quarantine'],
  deps: { records: Records; log: Log; metrics: Metrics; newId?: (receivedAt: number) => string },
): Promise<Quarantine> {
  const db = deps.records.db.withTables<QuarantineTables>();
  const newId = deps.newId ?? sortableIds();
  const holdings = await loadHoldings(db);
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
    try {
      await db.transaction().execute(async (tx) => {
        await insert(
          tx,
          batch.map((one) => one.row),
        );
        await evict(tx, holdings, limits, batch);
      });
      for (const { row, resolve } of batch) {
        total += 1;
        entered.inc({ reason: row.reason });
        resolve();
      }
    } catch (error) {
      // What the transaction took back must not be counted: the truth is in the table.
      await holdings.reload(db).catch(() => undefined);
      for (const { reject } of batch) reject(error);
    }
  }

  async function flushAll(): Promise<void> {
    while (waiting.length > 0) await flush();
    flushing = null;
  }

  return {
    put(suspect) {
      return new Promise((resolve, reject) => {
        waiting.push({ row: toRow(suspect, newId(suspect.receivedAt), limits.maxRawBytes), resolve, reject });
        flushing ??= flushAll();
      });
    },
    async list({ reason, limit, before }) {
      let query = db.selectFrom('quarantine').select(ENTRY_COLUMNS).orderBy('id', 'desc').limit(limit);
      if (reason !== undefined) query = query.where('reason', '=', reason);
      if (before !== undefined) query = query.where('id', '<', before);
      return (await query.execute()).map(toEntry);
    },
    async get(id) {
      const row = await db
        .selectFrom('quarantine')
        .select(ENTRY_COLUMNS)
        .where('id', '=', id)
        .executeTakeFirst();
      return row === undefined ? null : toEntry(row);
    },
    async raw(id) {
      const row = await db.selectFrom('quarantine').select('raw').where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : Buffer.from(row.raw);
    },
    total: () => total,
    async close() {
      while (flushing !== null) await flushing;
    },
  };
}

/** All that ever went to quarantine; works on a store that nobody has open. */
export async function quarantineTotal(records: Records): Promise<number> {
  return loadTotal(records.db.withTables<QuarantineTables>());
}

async function loadTotal(db: Kysely<QuarantineTables>): Promise<number> {
  const rows = await db.selectFrom('quarantine_totals').selectAll().where('reason', '!=', EVICTED).execute();
  return rows.reduce((sum, row) => sum + Number(row.count), 0);
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

function toRow(suspect: Suspect, id: string, maxRawBytes: number): Row {
  const { reason, detail, receivedAt, topic, client, device, payload, whole } = suspect;
  return {
    id,
    reason,
    detail: detail.slice(0, DETAIL_CHARACTERS),
    received_at: receivedAt,
    topic: topic.slice(0, 512),
    client,
    device,
    source: device ?? client ?? 'unknown',
    size: whole?.size ?? payload.length,
    sha256: whole?.sha256 ?? createHash('sha256').update(payload).digest('hex'),
    // A copy: the payload is a window on a much greater buffer of the connection.
    raw: Buffer.from(payload.subarray(0, maxRawBytes)),
  };
}

async function insert(tx: Tx, rows: readonly Row[]): Promise<void> {
  for (let i = 0; i < rows.length; i += 50) {
    await tx
      .insertInto('quarantine')
      .values(rows.slice(i, i + 50))
      .execute();
  }
  const counts = new Map<string, number>();
  for (const { reason } of rows) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  for (const [reason, count] of counts) await addToTotal(tx, reason, count);
}

async function addToTotal(tx: Tx, reason: string, count: number): Promise<void> {
  await tx
    .insertInto('quarantine_totals')
    .values({ reason, count })
    .onConflict((c) =>
      c.column('reason').doUpdateSet({ count: sql<number>`quarantine_totals.count + ${count}` }),
    )
    .execute();
}

/** What is held now: in memory, so that a full quarantine costs no counting query. */
interface Holdings {
  entries: number;
  bytes: number;
  /** Number of entries by source. */
  bySource: Map<string, number>;
  reload(db: Kysely<QuarantineTables>): Promise<void>;
}

async function loadHoldings(db: Kysely<QuarantineTables>): Promise<Holdings> {
  const holdings: Holdings = {
    entries: 0,
    bytes: 0,
    bySource: new Map(),
    async reload(from) {
      const rows = await from
        .selectFrom('quarantine')
        .select(['source', sql<number>`count(*)`.as('entries'), sql<number>`sum(length(raw))`.as('bytes')])
        .groupBy('source')
        .execute();
      holdings.entries = rows.reduce((sum, row) => sum + Number(row.entries), 0);
      holdings.bytes = rows.reduce((sum, row) => sum + Number(row.bytes), 0);
      holdings.bySource = new Map(rows.map((row) => [row.source, Number(row.entries)]));
    },
  };
  await holdings.reload(db);
  return holdings;
}

/** Counts the new ones in, and makes room for them. */
async function evict(
  tx: Tx,
  holdings: Holdings,
  limits: IngestConfig['quarantine'],
  added: readonly Waiting[],
): Promise<void> {
  for (const { row } of added) {
    holdings.entries += 1;
    holdings.bytes += row.raw.length;
    holdings.bySource.set(row.source, (holdings.bySource.get(row.source) ?? 0) + 1);
  }
  while (holdings.entries > limits.maxEntries || holdings.bytes > limits.maxBytes) {
    const tooMany = Math.max(1, Math.min(holdings.entries - limits.maxEntries, FLUSH_ENTRIES));
    const gone = await evictFrom(tx, holdings, tooMany);
    if (gone === 0) return;
    await addToTotal(tx, EVICTED, gone);
  }
}

/** The oldest entries of the source that holds most. Returns how many went. */
async function evictFrom(tx: Tx, holdings: Holdings, most: number): Promise<number> {
  let source = '';
  for (const [name, entries] of holdings.bySource) {
    if (entries > (holdings.bySource.get(source) ?? 0)) source = name;
  }
  const oldest = await tx
    .selectFrom('quarantine')
    .select(['id', sql<number>`length(raw)`.as('bytes')])
    .where('source', '=', source)
    .orderBy('id')
    .limit(most)
    .execute();
  if (oldest.length === 0) return 0;
  const ids = oldest.map((row) => row.id);
  await tx.deleteFrom('quarantine').where('id', 'in', ids).execute();
  holdings.entries -= ids.length;
  holdings.bytes -= oldest.reduce((sum, row) => sum + Number(row.bytes), 0);
  const left = (holdings.bySource.get(source) ?? 0) - ids.length;
  if (left > 0) holdings.bySource.set(source, left);
  else holdings.bySource.delete(source);
  return ids.length;
}

const ENTRY_COLUMNS = [
  'id',
  'reason',
  'detail',
  'received_at',
  'topic',
  'client',
  'device',
  'size',
  'sha256',
  sql<number>`length(raw)`.as('kept'),
] as const;

function toEntry(row: Omit<Row, 'raw' | 'source'> & { kept: number }): QuarantineEntry {
  const { id, detail, topic, client, device, sha256 } = row;
  const size = Number(row.size);
  const reason = QuarantineReason.parse(row.reason);
  const receivedAt = Number(row.received_at);
  return {
    id,
    reason,
    detail,
    receivedAt,
    topic,
    client,
    device,
    size,
    sha256,
    truncated: Number(row.kept) < size,
  };
}

/** `q` + time + a running number + chance, so that ids sort by time and processes do not collide. */
function sortableIds(): (receivedAt: number) => string {
  let running = 0;
  return (receivedAt) => {
    running = (running + 1) % 36 ** 4;
    const time = receivedAt.toString(36).padStart(9, '0');
    return `q${time}${running.toString(36).padStart(4, '0')}${randomBytes(3).toString('hex')}`;
  };
}

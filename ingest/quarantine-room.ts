import { type Kysely, sql, type Transaction } from 'kysely';
import type { IngestConfig } from './config.ts';
import type { QuarantineRow, QuarantineTables } from './quarantine-tables.ts';
import { addToTotal, EVICTED } from './quarantine-totals.ts';

/**
 * The room that the quarantine takes: what each source holds, kept in memory so that a full quarantine costs no counting
 * query, and whose entries go when it is full: those of the source that holds most, resolved ones before open ones,
 * oldest first. So a babbler pushes out its own.
 */
export interface Room {
  /** Counts the new rows in and makes room for them, within the transaction that inserts them. */
  admit(tx: Transaction<QuarantineTables>, rows: readonly QuarantineRow[]): Promise<void>;
  /** Reads again what is held: a transaction that was counted has been taken back. */
  reload(): Promise<void>;
}

const EVICT_AT_ONCE = 200;

export async function quarantineRoom(
  db: Kysely<QuarantineTables>,
  limits: IngestConfig['quarantine'],
): Promise<Room> {
  let entries = 0;
  let bytes = 0;
  /** Number of entries, by source. */
  let bySource = new Map<string, number>();

  async function reload(): Promise<void> {
    const rows = await db
      .selectFrom('quarantine')
      .select(['source', sql<number>`count(*)`.as('entries'), sql<number>`sum(length(raw))`.as('bytes')])
      .groupBy('source')
      .execute();
    entries = rows.reduce((sum, row) => sum + Number(row.entries), 0);
    bytes = rows.reduce((sum, row) => sum + Number(row.bytes), 0);
    bySource = new Map(rows.map((row) => [row.source, Number(row.entries)]));
  }

  async function admit(tx: Transaction<QuarantineTables>, rows: readonly QuarantineRow[]): Promise<void> {
    for (const { source, raw } of rows) {
      entries += 1;
      bytes += raw.length;
      bySource.set(source, (bySource.get(source) ?? 0) + 1);
    }
    while (entries > limits.maxEntries || bytes > limits.maxBytes) {
      const most = Math.max(1, Math.min(entries - limits.maxEntries, EVICT_AT_ONCE));
      const gone = await evict(tx, most);
      if (gone === 0) return;
      await addToTotal(tx, EVICTED, gone);
    }
  }

  /** Returns how many went. */
  async function evict(tx: Transaction<QuarantineTables>, most: number): Promise<number> {
    const source = greatest(bySource);
    const resolved = await oldest(tx, source, ['rerun-taken', 'dismissed'], most);
    const going = resolved.length > 0 ? resolved : await oldest(tx, source, ['open'], most);
    if (going.length === 0) return 0;
    await tx
      .deleteFrom('quarantine')
      .where(
        'id',
        'in',
        going.map((row) => row.id),
      )
      .execute();
    entries -= going.length;
    bytes -= going.reduce((sum, row) => sum + Number(row.bytes), 0);
    const left = (bySource.get(source) ?? 0) - going.length;
    if (left > 0) bySource.set(source, left);
    else bySource.delete(source);
    return going.length;
  }

  await reload();
  return { admit, reload };
}

function greatest(bySource: ReadonlyMap<string, number>): string {
  let source = '';
  for (const [name, entries] of bySource) {
    if (entries > (bySource.get(source) ?? 0)) source = name;
  }
  return source;
}

function oldest(tx: Transaction<QuarantineTables>, source: string, states: string[], most: number) {
  return tx
    .selectFrom('quarantine')
    .select(['id', sql<number>`length(raw)`.as('bytes')])
    .where('source', '=', source)
    .where('state', 'in', states)
    .orderBy('id')
    .limit(most)
    .execute();
}

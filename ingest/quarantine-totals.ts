import { type Kysely, sql, type Transaction } from 'kysely';
import type { Records } from '../backbone/index.ts';
import type { QuarantineTables } from './quarantine-tables.ts';

/** Counts that outlive the entries: by reason what ever came, and in brackets what became of it. */
export const EVICTED = '(evicted)';

export async function addToTotal(
  tx: Transaction<QuarantineTables>,
  reason: string,
  count: number,
): Promise<void> {
  await tx
    .insertInto('quarantine_totals')
    .values({ reason, count })
    .onConflict((c) =>
      c.column('reason').doUpdateSet({ count: sql<number>`quarantine_totals.count + ${count}` }),
    )
    .execute();
}

export interface QuarantineTotals {
  /** All that ever came, by reason at that time. */
  entered: Map<string, number>;
  evicted: number;
  /** Run again and taken; dismissed by a person. */
  taken: number;
  dismissed: number;
}

export async function loadTotals(db: Kysely<QuarantineTables>): Promise<QuarantineTotals> {
  const rows = await db.selectFrom('quarantine_totals').selectAll().execute();
  const all = new Map(rows.map((row) => [row.reason, Number(row.count)]));
  const became = (state: string) => all.get(state) ?? 0;
  return {
    entered: new Map([...all].filter(([reason]) => !reason.startsWith('('))),
    evicted: became(EVICTED),
    taken: became(resolvedKey('rerun-taken')),
    dismissed: became(resolvedKey('dismissed')),
  };
}

export function resolvedKey(state: 'rerun-taken' | 'dismissed'): string {
  return `(${state})`;
}

export async function loadTotal(db: Kysely<QuarantineTables>): Promise<number> {
  const { entered } = await loadTotals(db);
  return [...entered.values()].reduce((sum, count) => sum + count, 0);
}

/** All that ever went to quarantine; works on a store that nobody has open. */
export async function quarantineTotal(records: Records): Promise<number> {
  return loadTotal(records.db.withTables<QuarantineTables>());
}

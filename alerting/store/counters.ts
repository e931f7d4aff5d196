import { sql } from 'kysely';
import type { Db, Tx } from './tables.ts';

/**
 * Takes `count` consecutive numbers of a sequence (they begin at 1, without a hole: a rollback gives them back) and
 * returns the first. Writers of one sequence wait for each other, so that numbers appear in the order of the commits.
 */
export async function take(tx: Tx, name: string, count = 1): Promise<number> {
  const { value } = await tx
    .insertInto('alerting_sequences')
    .values({ name, value: count })
    .onConflict((c) =>
      c.column('name').doUpdateSet({ value: sql`alerting_sequences.value + excluded.value` }),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return value - count + 1;
}

/** The last number taken; 0 = none yet. */
export async function lastTaken(db: Db | Tx, name: string): Promise<number> {
  const row = await db
    .selectFrom('alerting_sequences')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.value ?? 0;
}

/** Adds to counts since the first start. Key: e.g. `alerts/image`; what is zero is left out. */
export async function addTotals(tx: Tx, deltas: ReadonlyMap<string, number>): Promise<void> {
  const rows = [...deltas].filter(([, value]) => value !== 0).map(([name, value]) => ({ name, value }));
  if (rows.length === 0) return;
  await tx
    .insertInto('alerting_totals')
    .values(rows)
    .onConflict((c) => c.column('name').doUpdateSet({ value: sql`alerting_totals.value + excluded.value` }))
    .execute();
}

/** The counts whose name begins with `<group>/`, by what stands behind it. */
export async function totalsOf(db: Db, group: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('alerting_totals')
    .selectAll()
    .where('name', 'like', `${group}/%`)
    .where('value', '<>', 0)
    .execute();
  return Object.fromEntries(rows.map((row) => [row.name.slice(group.length + 1), row.value]));
}

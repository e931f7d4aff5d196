import type { Kysely, Transaction } from 'kysely';
import type { Clock, Records } from '../backbone/index.ts';
import { QianliyanError, type QuarantineEntry, type QuarantineReason } from '../contracts/index.ts';
import { quarantineLook } from './quarantine-look.ts';
import type { QuarantineTables } from './quarantine-tables.ts';
import { addToTotal, resolvedKey } from './quarantine-totals.ts';

/** What may become of an entry: nothing is deleted here, it stays with who resolved it, when, and why. */
export interface Resolution {
  state: 'rerun-taken' | 'dismissed';
  by: string;
  at: number;
  note: string;
}

/** What a re-run found of one entry; `why`: it stays, for this reason. */
export type Looked = { id: string } & (
  | { taken: string }
  | { why: { reason: QuarantineReason; detail: string } }
);

const DETAIL_CHARACTERS = 1_000;

/** Writes down the outcome of a re-run, in one transaction. */
export async function writeLooked(
  db: Kysely<QuarantineTables>,
  looked: readonly Looked[],
  by: string,
  at: number,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    let taken = 0;
    for (const one of looked) {
      await tx
        .updateTable('quarantine')
        .set((e) => ({ reruns: e('reruns', '+', 1), last_rerun_at: at }))
        .where('id', '=', one.id)
        .execute();
      if ('why' in one) await keep(tx, one.id, one.why);
      else if (await resolve(tx, one.id, { state: 'rerun-taken', by, at, note: one.taken })) taken += 1;
    }
    if (taken > 0) await addToTotal(tx, resolvedKey('rerun-taken'), taken);
  });
}

/**
 * A person says that nothing is to be done about an entry.
 * @throws QianliyanError NOT_FOUND, or ILLEGAL_TRANSITION when it is resolved already
 */
export async function dismissEntry(
  deps: { records: Pick<Records, 'db'>; clock: Clock },
  id: string,
  { by, reason }: { by: string; reason: string },
): Promise<QuarantineEntry> {
  const db = deps.records.db.withTables<QuarantineTables>();
  const look = quarantineLook(deps.records);
  await db.transaction().execute(async (tx) => {
    const resolution: Resolution = { state: 'dismissed', by, at: deps.clock.now(), note: reason };
    if (await resolve(tx, id, resolution)) await addToTotal(tx, resolvedKey('dismissed'), 1);
    else await refuse(tx, id);
  });
  const entry = await look.get(id);
  if (entry === null) throw notThere(id);
  return entry;
}

/** False when it is not there or not open. */
async function resolve(tx: Transaction<QuarantineTables>, id: string, to: Resolution): Promise<boolean> {
  const { state, by, at, note } = to;
  const { numUpdatedRows } = await tx
    .updateTable('quarantine')
    .set({ state, resolved_by: by, resolved_at: at, note })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

async function refuse(tx: Transaction<QuarantineTables>, id: string): Promise<never> {
  const row = await tx.selectFrom('quarantine').select('state').where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notThere(id);
  throw new QianliyanError('ILLEGAL_TRANSITION', `entry ${id} is ${row.state} already`);
}

async function keep(
  tx: Transaction<QuarantineTables>,
  id: string,
  { reason, detail }: { reason: string; detail: string },
): Promise<void> {
  await tx
    .updateTable('quarantine')
    .set({ reason, detail: detail.slice(0, DETAIL_CHARACTERS) })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .execute();
}

export function notThere(id: string): QianliyanError {
  return new QianliyanError('NOT_FOUND', `no entry ${id} in quarantine: it never was, or had to make room`);
}

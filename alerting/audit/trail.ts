import { createHash } from 'node:crypto';
import { lastTaken, take } from '../store/counters.ts';
import { insertRows } from '../store/insert-rows.ts';
import type { AlertingTables, Db, Tx } from '../store/tables.ts';
import { canonical } from './canonical.ts';

/** One step, as its author states it. */
export interface AuditEntry {
  /** Account, or `system`. */
  who: string;
  /** Address that the request came from; null = the product itself. */
  via?: string | null;
  /** `alert.raised`, `draft.confirmed`, `access.refused` … */
  action: string;
  /** Id of what it was done to. */
  subject: string;
  before?: unknown;
  after?: unknown;
}

export type AuditRow = AlertingTables['alerting_audit'];

/** What stands in `previous` of the first entry. */
export const GENESIS = '0'.repeat(64);

/** SHA-256 over the canonical JSON of the whole row but its own hash. */
export function hashOf(row: Omit<AuditRow, 'hash'>): string {
  const { seq, at, who, via, action, subject, before, after, previous } = row;
  const text = canonical({ seq, at, who, via, action, subject, before, after, previous });
  return createHash('sha256').update(text).digest('hex');
}

/** Appends entries to the chain, in the transaction of what they tell. Concurrent writers wait for each other. */
export async function appendAudit(tx: Tx, at: number, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const first = await take(tx, 'audit', entries.length);
  let previous = await hashBefore(tx, first);
  const rows: AuditRow[] = entries.map((entry, i) => {
    const row = { seq: first + i, at, ...columns(entry), previous };
    previous = hashOf(row);
    return { ...row, hash: previous };
  });
  await insertRows(tx, 'alerting_audit', rows);
}

function columns(entry: AuditEntry) {
  return {
    who: entry.who,
    via: entry.via ?? null,
    action: entry.action,
    subject: entry.subject,
    before: entry.before === undefined ? null : canonical(entry.before),
    after: entry.after === undefined ? null : canonical(entry.after),
  };
}

async function hashBefore(tx: Tx, seq: number): Promise<string> {
  if (seq === 1) return GENESIS;
  const row = await tx
    .selectFrom('alerting_audit')
    .select('hash')
    .where('seq', '=', seq - 1)
    .executeTakeFirst();
  // A missing predecessor is not papered over: the chain shows the break for ever.
  return row?.hash ?? 'missing';
}

export interface AuditVerdict {
  valid: boolean;
  entries: number;
  /** Hash of the last entry: written down elsewhere, it proves that nothing before it was changed. */
  head: string;
  /** The first entry that does not hold, and why. */
  broken: { seq: number; why: 'changed' | 'missing' | 'not-linked' | 'cut-off' } | null;
}

/** Walks the whole chain, a page at a time. */
export async function verifyAudit(db: Db): Promise<AuditVerdict> {
  let head = GENESIS;
  let seq = 0;
  for (;;) {
    const page = await db
      .selectFrom('alerting_audit')
      .selectAll()
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(1000)
      .execute();
    if (page.length === 0) break;
    for (const row of page) {
      const why = faultOf(row, seq + 1, head);
      if (why !== null) return { valid: false, entries: seq, head, broken: { seq: seq + 1, why } };
      seq = row.seq;
      head = row.hash;
    }
  }
  // The end of a chain can be cut off without a trace in the chain itself: the counter tells.
  const cut = seq < (await lastTaken(db, 'audit'));
  return { valid: !cut, entries: seq, head, broken: cut ? { seq: seq + 1, why: 'cut-off' } : null };
}

function faultOf(row: AuditRow, expected: number, head: string) {
  if (row.seq !== expected) return 'missing';
  if (row.previous !== head) return 'not-linked';
  return hashOf(row) === row.hash ? null : 'changed';
}

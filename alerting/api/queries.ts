import { type Alert, type DraftCase, type Finding, QianliyanError } from '../../contracts/index.ts';
import { type LeadView, leadView } from '../deliver/index.ts';
import { totalsOf } from '../store/counters.ts';
import type { Db } from '../store/tables.ts';
import type { Counts } from './schemas.ts';

/** What the API reads. Newest first; a page's `next` is the cursor for the one after it. */

export interface Page<T> {
  items: T[];
  next: string | null;
}

interface Paging {
  limit: number;
  before?: string | undefined;
}

export async function alertPage(
  db: Db,
  query: Paging & { state?: string | undefined; kind?: string | undefined },
): Promise<Page<Alert>> {
  let rows = db
    .selectFrom('alerting_alerts')
    .select(['seq', 'body'])
    .where('merged_into', 'is', null)
    .orderBy('seq', 'desc')
    .limit(query.limit + 1);
  if (query.state !== undefined) rows = rows.where('state', '=', query.state);
  if (query.kind !== undefined) rows = rows.where('kind', '=', query.kind);
  if (query.before !== undefined) rows = rows.where('seq', '<', Number(query.before));
  return pageOf(await rows.execute(), query.limit);
}

export async function draftPage(
  db: Db,
  query: Paging & { state?: string | undefined; unit?: string | undefined },
): Promise<Page<DraftCase>> {
  let rows = db
    .selectFrom('alerting_drafts')
    .select(['seq', 'body'])
    .where('merged_into', 'is', null)
    .orderBy('seq', 'desc')
    .limit(query.limit + 1);
  if (query.state !== undefined) rows = rows.where('state', '=', query.state);
  if (query.unit !== undefined) rows = rows.where('unit', '=', query.unit);
  if (query.before !== undefined) rows = rows.where('seq', '<', Number(query.before));
  return pageOf(await rows.execute(), query.limit);
}

function pageOf<T>(rows: readonly { seq: number; body: string }[], limit: number): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => JSON.parse(row.body) as T),
    next: rows.length > limit && last !== undefined ? String(last.seq) : null,
  };
}

/** An alert; one that was merged answers with the alert that it is part of. @throws QianliyanError NOT_FOUND */
export async function readAlert(db: Db, id: string): Promise<Alert> {
  let next = id;
  // A chain of mergings is short; the bound only guards against a broken one.
  for (let hops = 0; hops < 20; hops++) {
    const row = await db
      .selectFrom('alerting_alerts')
      .select(['body', 'merged_into'])
      .where('id', '=', next)
      .executeTakeFirst();
    if (row === undefined) break;
    if (row.merged_into === null) return JSON.parse(row.body) as Alert;
    next = row.merged_into;
  }
  throw new QianliyanError('NOT_FOUND', `no alert ${id}`);
}

/** By start. */
export async function findingsOf(db: Db, alert: string): Promise<Finding[]> {
  const rows = await db.selectFrom('alerting_findings').select('body').where('alert', '=', alert).execute();
  const findings = rows.map((row) => JSON.parse(row.body) as Finding);
  return findings.sort((a, b) => a.interval.from - b.interval.from || (a.id < b.id ? -1 : 1));
}

/** @throws QianliyanError NOT_FOUND */
export async function readDraft(db: Db, id: string): Promise<DraftCase> {
  const row = await db
    .selectFrom('alerting_drafts')
    .select('body')
    .where('id', '=', id)
    .where('merged_into', 'is', null)
    .executeTakeFirst();
  if (row === undefined) throw new QianliyanError('NOT_FOUND', `no draft case ${id}`);
  return JSON.parse(row.body) as DraftCase;
}

/** The newest 500. */
export async function readLeads(db: Db, state: string | undefined): Promise<LeadView[]> {
  let rows = db.selectFrom('alerting_leads').selectAll().orderBy('seq', 'desc').limit(500);
  if (state !== undefined) rows = rows.where('state', '=', state);
  return (await rows.execute()).map(leadView);
}

/** What this stage knows of the counts. */
export async function ownCounts(
  db: Db,
): Promise<Pick<Counts, 'findings' | 'alerts' | 'alertsOpen' | 'drafts' | 'draftsOpen' | 'leads'>> {
  const open = await db
    .selectFrom('alerting_alerts')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('state', '<>', 'resolved')
    .where('merged_into', 'is', null)
    .executeTakeFirstOrThrow();
  const drafts = await db
    .selectFrom('alerting_drafts')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('state', '=', 'draft')
    .where('merged_into', 'is', null)
    .executeTakeFirstOrThrow();
  const leads = await db
    .selectFrom('alerting_leads')
    .select((e) => ['state', e.fn.countAll<number>().as('n')])
    .groupBy('state')
    .execute();
  const leadCount = (state: string) => Number(leads.find((row) => row.state === state)?.n ?? 0);
  return {
    findings: await totalsOf(db, 'findings'),
    alerts: await totalsOf(db, 'alerts'),
    alertsOpen: Number(open.n),
    drafts: await totalsOf(db, 'drafts'),
    draftsOpen: Number(drafts.n),
    leads: { delivered: leadCount('delivered'), pending: leadCount('pending'), failed: leadCount('failed') },
  };
}

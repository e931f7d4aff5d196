import type { Alert, DraftCase, Finding } from '../../contracts/index.ts';
import type { AuditEntry } from '../audit/index.ts';
import type { AlertingConfig } from '../config.ts';
import { severityRank } from '../raise/compose.ts';
import { chunks } from '../store/chunks.ts';
import { take } from '../store/counters.ts';
import { insertRows } from '../store/insert-rows.ts';
import { localDate } from '../store/local-time.ts';
import type { AlertingTables, Tx } from '../store/tables.ts';
import { composeDraft, type DraftIdentity, type DraftSources, draftId, draftNumber } from './compose.ts';

type DraftRow = AlertingTables['alerting_drafts'];

/** An alert that a batch has changed, with all its findings by start. */
export interface ChangedAlert {
  alert: Alert;
  findings: readonly [Finding, ...Finding[]];
}

/** Why an alert gets a draft case, or does not. */
export type DraftReason = 'drafted' | 'no-matter' | 'kind-never' | 'severity-below';

export function draftReason(alert: Alert, config: AlertingConfig['draft']): DraftReason {
  if (alert.matter === null) return 'no-matter';
  const from = config.fromSeverity[alert.kind] ?? 'warning';
  if (from === 'never') return 'kind-never';
  return severityRank(alert.severity) >= severityRank(from) ? 'drafted' : 'severity-below';
}

export interface DraftOutcome {
  /** Drafts made or rewritten. */
  changed: DraftCase[];
  /** Of these, the ones that are new. */
  created: DraftCase[];
  audit: AuditEntry[];
  /** Alerts among those taken whose draft a person has decided. */
  decided: Set<string>;
}

/** What is to be done about an alert's draft. */
interface Plan {
  entry: ChangedAlert;
  old: DraftCase | null;
  seq: number | null;
  /** There is one, and it is not hidden behind another. */
  isShown: boolean;
  step: 'create' | 'rewrite' | 'revive' | 'none';
}

/**
 * Keeps one draft an alert: makes it when the alert first deserves one, rewrites its facts while it is undecided, and
 * leaves it alone once a person has decided. Sets `alert.draftCase`. Call inside the transaction of the alerts.
 */
export class DraftDesk {
  readonly #config: AlertingConfig;
  readonly #sources: DraftSources;

  constructor(config: AlertingConfig, sources: DraftSources) {
    this.#config = config;
    this.#sources = sources;
  }

  async take(tx: Tx, alerts: readonly ChangedAlert[], now: number): Promise<DraftOutcome> {
    const ids = alerts.map((a) => a.alert.id);
    const rows = await this.#load(tx, ids);
    const plans = alerts.map((entry) => this.#plan(entry, rows.get(entry.alert.id)));
    const numbers = await this.#numbers(tx, plans.filter((plan) => plan.step === 'create').length, now);
    const outcome: DraftOutcome = { changed: [], created: [], audit: [], decided: new Set() };
    const saved: DraftRow[] = [];
    for (const plan of plans) {
      const { alert, findings } = plan.entry;
      if (plan.old !== null && plan.old.state !== 'draft') outcome.decided.add(alert.id);
      if (plan.step !== 'none' || plan.isShown) alert.draftCase = draftId(alert.id);
      if (plan.step === 'none') continue;
      const next = plan.old === null ? numbers.shift() : undefined;
      const identity = plan.old === null ? this.#identity(alert, next?.number ?? '', now) : again(plan.old);
      const draft = composeDraft(identity, alert, findings, this.#sources);
      saved.push(draftRow(draft, plan.seq ?? next?.seq ?? 0));
      outcome.changed.push(draft);
      outcome.audit.push(traceOf(draft, plan.old));
      if (plan.step !== 'rewrite') outcome.created.push(draft);
    }
    await insertRows(tx, 'alerting_drafts', saved, ['state', 'unit', 'version', 'merged_into', 'body']);
    return outcome;
  }

  #plan(entry: ChangedAlert, row: DraftRow | undefined): Plan {
    const old = row === undefined ? null : (JSON.parse(row.body) as DraftCase);
    const seq = row?.seq ?? null;
    const isShown = row?.merged_into === null;
    if (old !== null && isShown) {
      const rewrite = old.state === 'draft' && this.#worthRewriting(old, entry.alert);
      return { entry, old, seq, isShown, step: rewrite ? 'rewrite' : 'none' };
    }
    const deserves = draftReason(entry.alert, this.#config.draft) === 'drafted';
    return { entry, old, seq, isShown, step: !deserves ? 'none' : old === null ? 'create' : 'revive' };
  }

  /** The next numbers of the day, many at a time. */
  async #numbers(tx: Tx, count: number, now: number): Promise<{ seq: number; number: string }[]> {
    if (count === 0) return [];
    const date = localDate(now, this.#sources.utcOffsetMinutes);
    const [seq, first] = [await take(tx, 'drafts', count), await take(tx, `drafts/${date}`, count)];
    return Array.from({ length: count }, (_, i) => ({ seq: seq + i, number: draftNumber(date, first + i) }));
  }

  #identity(alert: Alert, number: string, now: number): DraftIdentity {
    const hours = this.#sources.catalog.matters.get(alert.matter ?? '')?.reviewHours ?? 24;
    return { id: draftId(alert.id), number, createdAt: now, dueAt: now + hours * 3_600_000, version: 1 };
  }

  /**
   * A reviewer confirms the version that they read; a lasting violation that rewrote its draft with each reading would
   * never let them. So: at once when something joined, ended or became more severe, else every `refreshS` of data time.
   */
  #worthRewriting(old: DraftCase, alert: Alert): boolean {
    const findings = new Map(old.findings.map((f) => [f.id, f]));
    if (alert.findings.length !== old.findings.length) return true;
    if (alert.findings.some((id) => !findings.has(id))) return true;
    const wasOver = old.findings.every((f) => f.state === 'closed');
    if (wasOver !== (alert.state === 'resolved')) return true;
    const worst = Math.max(...old.findings.map((f) => severityRank(f.severity)));
    if (severityRank(alert.severity) > worst) return true;
    if (alert.startedAt !== old.occurred.from) return true;
    const ahead = alert.lastSeenAt - old.occurred.to;
    return ahead !== 0 && (wasOver || Math.abs(ahead) >= this.#config.draft.refreshS * 1000);
  }

  /** Key: alert. */
  async #load(tx: Tx, alerts: readonly string[]): Promise<Map<string, DraftRow>> {
    const found = new Map<string, DraftRow>();
    for (const some of chunks(alerts)) {
      const rows = await tx.selectFrom('alerting_drafts').selectAll().where('alert', 'in', some).execute();
      for (const row of rows) found.set(row.alert, row);
    }
    return found;
  }

  /** Alerts among these whose draft a person has decided. */
  async decidedAmong(tx: Tx, alerts: readonly string[]): Promise<ReadonlySet<string>> {
    const decided = new Set<string>();
    for (const some of chunks(alerts)) {
      const rows = await tx
        .selectFrom('alerting_drafts')
        .select('alert')
        .where('alert', 'in', some)
        .where('state', '<>', 'draft')
        .execute();
      for (const row of rows) decided.add(row.alert);
    }
    return decided;
  }

  /** The undecided drafts of alerts that were merged are hidden behind the alert that remains. */
  async merge(tx: Tx, merged: readonly { id: string; into: string }[]): Promise<DraftCase[]> {
    const hidden: DraftCase[] = [];
    for (const { id, into } of merged) {
      const row = await tx
        .updateTable('alerting_drafts')
        .set({ merged_into: draftId(into) })
        .where('alert', '=', id)
        .where('merged_into', 'is', null)
        .returning('body')
        .executeTakeFirst();
      if (row !== undefined) hidden.push(JSON.parse(row.body) as DraftCase);
    }
    return hidden;
  }
}

function again({ id, number, createdAt, dueAt, version }: DraftCase): DraftIdentity {
  return { id, number, createdAt, dueAt, version: version + 1 };
}

function traceOf(draft: DraftCase, old: DraftCase | null): AuditEntry {
  const shown = (d: DraftCase) => ({
    number: d.number,
    version: d.version,
    unit: d.route.unit,
    route: d.route.reason,
    standing: d.standing,
    occurred: d.occurred,
    findings: d.findings.map((f) => `${f.id}#${f.revision}`),
  });
  return {
    who: 'system',
    action: old === null ? 'draft.created' : 'draft.rewritten',
    subject: draft.id,
    ...(old === null ? {} : { before: shown(old) }),
    after: shown(draft),
  };
}

export function draftRow(draft: DraftCase, seq: number): DraftRow {
  return {
    id: draft.id,
    seq,
    alert: draft.alert,
    state: draft.state,
    unit: draft.route.unit,
    version: draft.version,
    merged_into: null,
    body: JSON.stringify(draft),
  };
}

import type { Clock, DeviceDirectory } from '../../backbone/index.ts';
import type { Alert, DraftCase, Finding } from '../../contracts/index.ts';
import { type AuditEntry, appendAudit } from '../audit/index.ts';
import type { AlertingConfig } from '../config.ts';
import { type DraftDesk, deviceAt } from '../draft/index.ts';
import type { Metrics } from '../metrics.ts';
import { addTotals, take } from '../store/counters.ts';
import type { EventLog, NewEvent } from '../store/events.ts';
import type { Tx } from '../store/tables.ts';
import { composeAlert } from './compose.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Settlement } from './settle.ts';
import { type AlertRow, alertRow, saveAlerts, saveFindings } from './store.ts';

export interface WriteParts {
  clock: Clock;
  metrics: Metrics;
  directory: DeviceDirectory;
  events: EventLog;
  desk: DraftDesk;
  config: AlertingConfig;
}

/** An alert as a batch leaves it. */
interface Change {
  alert: Alert;
  /** As it was; null = it is new, or comes back after it had been merged. */
  before: Alert | null;
  founder: string;
  seq: number;
  findings: readonly [Finding, ...Finding[]];
}

/** Writes what a batch changes: alerts, drafts, findings, audit, counts, events. Inside the transaction of the batch. */
export async function writeSettlement(tx: Tx, settlement: Settlement, parts: WriteParts): Promise<void> {
  const { desk, clock, events, metrics } = parts;
  const now = clock.now();
  const all = await composeAlerts(tx, settlement, parts, now);
  const gone = goneAlerts(settlement);
  const hidden = await desk.merge(tx, settlement.merged);
  const drafts = await desk.take(tx, all, now);
  const changed = all
    .map((change) => ({ ...change, body: JSON.stringify(change.alert) }))
    .filter((change) => change.before === null || change.body !== settlement.rows.get(change.alert.id)?.body);

  await saveAlerts(tx, [
    ...gone.map(({ row, into }) => ({ ...row, merged_into: into })),
    ...changed.map((c) => alertRow(c.alert, { ...c, settled: isSettled(c.alert, drafts.decided) })),
  ]);
  await saveFindings(tx, findingsToSave(all, settlement));
  const audit = [...gone.map(traceOfMerge), ...changed.flatMap(traceOf), ...drafts.audit];
  await appendAudit(tx, now, audit);
  await addTotals(tx, totals(settlement, changed, gone, drafts.created, hidden));
  await events.add(tx, toldOf(gone, changed, drafts.changed, now));
  for (const { alert } of changed.filter((c) => c.before === null)) metrics.alerts.inc({ kind: alert.kind });
  for (const { alert } of changed.filter((c) => c.before === null)) metrics.lagSeconds.observe(lagS(alert));
}

async function composeAlerts(
  tx: Tx,
  { happenings, rows }: Settlement,
  { directory, config }: WriteParts,
  now: number,
): Promise<Change[]> {
  const fresh = happenings.filter(({ id }) => !rows.has(id)).length;
  let seq = fresh === 0 ? 0 : await take(tx, 'alerts', fresh);
  return happenings.map(({ id, founder, findings }) => {
    const row = rows.get(id);
    const previous = row === undefined ? null : (JSON.parse(row.body) as Alert);
    const [first] = findings;
    const alert = composeAlert({
      id,
      findings,
      previous,
      device: deviceAt(directory, first.device, [first.interval.from, first.trigger.time]),
      matter: first.matter ?? config.draft.matterOf[first.kind] ?? null,
      now,
    });
    return {
      alert,
      before: row?.merged_into === null ? previous : null,
      founder,
      seq: row?.seq ?? seq++,
      findings,
    };
  });
}

interface Gone {
  alert: Alert;
  row: AlertRow;
  into: string;
}

function goneAlerts({ merged, rows }: Settlement): Gone[] {
  return merged.flatMap(({ id, into }) => {
    const row = rows.get(id);
    return row === undefined ? [] : [{ alert: JSON.parse(row.body) as Alert, row, into }];
  });
}

function isSettled(alert: Alert, decided: ReadonlySet<string>): boolean {
  return alert.state === 'resolved' && decided.has(alert.id);
}

/** What is news, and what has moved to another alert. */
function findingsToSave(changes: readonly Change[], { news, homes, frozen }: Settlement) {
  const moved = changes.flatMap(({ alert, findings }) =>
    findings
      .filter((f) => news.has(f.id) || homes.get(f.id) !== alert.id)
      .map((finding) => ({ finding, fingerprint: alert.fingerprint, alert: alert.id })),
  );
  return [
    ...moved,
    ...frozen.map(({ finding, alert }) => ({ finding, fingerprint: fingerprintOf(finding), alert })),
  ];
}

/** The steps of an alert's life; that it lasts is no step. */
function traceOf({ alert, before }: Change): AuditEntry[] {
  const after = {
    kind: alert.kind,
    reason: alert.reason,
    severity: alert.severity,
    device: alert.device,
    startedAt: alert.startedAt,
    findings: alert.findings.length,
  };
  const entry = (action: string): AuditEntry => ({
    who: 'system',
    action,
    subject: alert.id,
    ...(before !== null && { before: { state: before.state } }),
    after: { state: alert.state, ...after },
  });
  const steps: AuditEntry[] = [];
  if (before === null) steps.push(entry('alert.raised'));
  if (before?.state === 'resolved' && alert.state !== 'resolved') steps.push(entry('alert.reopened'));
  if (before?.state !== 'resolved' && alert.state === 'resolved') steps.push(entry('alert.resolved'));
  return steps;
}

function traceOfMerge({ alert, into }: Gone): AuditEntry {
  return { who: 'system', action: 'alert.merged', subject: alert.id, after: { into } };
}

function totals(
  { firstSeen }: Settlement,
  changed: readonly Change[],
  gone: readonly Gone[],
  created: readonly DraftCase[],
  hidden: readonly DraftCase[],
): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (name: string, n: number) => sums.set(name, (sums.get(name) ?? 0) + n);
  const kindOf = (draft: DraftCase) => draft.findings[0]?.kind ?? 'combined';
  for (const finding of firstSeen) add(`findings/${finding.kind}`, 1);
  for (const { alert, before } of changed) if (before === null) add(`alerts/${alert.kind}`, 1);
  for (const { alert } of gone) add(`alerts/${alert.kind}`, -1);
  for (const draft of created) add(`drafts/${kindOf(draft)}`, 1);
  for (const draft of hidden) add(`drafts/${kindOf(draft)}`, -1);
  return sums;
}

function toldOf(
  gone: readonly Gone[],
  changed: readonly { body: string }[],
  drafts: readonly DraftCase[],
  now: number,
): NewEvent[] {
  const over = (alert: Alert) => JSON.stringify({ ...alert, state: 'resolved', resolvedAt: now });
  return [
    // Listeners know no merging: for them the alert is over, and the one that remains follows.
    ...gone.map(({ alert }): NewEvent => ({ type: 'alert', body: over(alert) })),
    ...changed.map(({ body }): NewEvent => ({ type: 'alert', body })),
    ...drafts.map((draft): NewEvent => ({ type: 'draft-case', body: JSON.stringify(draft) })),
  ];
}

/** From the reading's arrival to the alert, in seconds of the product's clock. */
function lagS(alert: Alert): number {
  return Math.max(0, alert.raisedAt - alert.trigger.receivedAt) / 1000;
}

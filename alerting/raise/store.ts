import type { Alert, Finding } from '../../contracts/index.ts';
import { chunks } from '../store/chunks.ts';
import { insertRows } from '../store/insert-rows.ts';
import type { AlertingTables, Tx } from '../store/tables.ts';

/** Rows that one batch of findings touches, read and written many at a time: a batch costs tens of statements. */

export type AlertRow = AlertingTables['alerting_alerts'];

export interface StoredFinding {
  finding: Finding;
  alert: string;
}

interface FindingHead {
  revision: number;
  alert: string;
}

/** Key: finding id. */
export async function loadHeads(tx: Tx, ids: readonly string[]): Promise<Map<string, FindingHead>> {
  const heads = new Map<string, FindingHead>();
  for (const some of chunks(ids)) {
    const rows = await tx
      .selectFrom('alerting_findings')
      .select(['id', 'revision', 'alert'])
      .where('id', 'in', some)
      .execute();
    for (const { id, revision, alert } of rows) heads.set(id, { revision, alert });
  }
  return heads;
}

/** Alerts that findings of these fingerprints could belong to: those that reach to `since`, and those named. */
export async function loadAlerts(
  tx: Tx,
  fingerprints: readonly string[],
  since: number,
  named: readonly string[],
): Promise<AlertRow[]> {
  const rows = new Map<string, AlertRow>();
  for (const some of chunks(fingerprints)) {
    const found = await tx
      .selectFrom('alerting_alerts')
      .selectAll()
      .where('fingerprint', 'in', some)
      .where('merged_into', 'is', null)
      .where((e) => e.or([e('last_seen_at', '>=', since), e('state', '<>', 'resolved')]))
      .execute();
    for (const row of found) rows.set(row.id, row);
  }
  for (const some of chunks(named.filter((id) => !rows.has(id)))) {
    const found = await tx.selectFrom('alerting_alerts').selectAll().where('id', 'in', some).execute();
    for (const row of found) rows.set(row.id, row);
  }
  return [...rows.values()];
}

export async function loadMembers(tx: Tx, alerts: readonly string[]): Promise<StoredFinding[]> {
  const members: StoredFinding[] = [];
  for (const some of chunks(alerts)) {
    const rows = await tx
      .selectFrom('alerting_findings')
      .select(['alert', 'body'])
      .where('alert', 'in', some)
      .execute();
    members.push(...rows.map((row) => ({ finding: JSON.parse(row.body) as Finding, alert: row.alert })));
  }
  return members;
}

export async function saveFindings(
  tx: Tx,
  findings: readonly { finding: Finding; fingerprint: string; alert: string }[],
): Promise<void> {
  const rows = findings.map(({ finding, fingerprint, alert }) => ({
    id: finding.id,
    revision: finding.revision,
    fingerprint,
    alert,
    body: JSON.stringify(finding),
  }));
  await insertRows(tx, 'alerting_findings', rows, ['revision', 'alert', 'body']);
}

/**
 * Upserts alerts. Those that are not open go first, so that of two that change places none meets the unique index on
 * the open alert of a fingerprint on the way.
 */
export async function saveAlerts(tx: Tx, rows: readonly AlertRow[]): Promise<void> {
  const isShut = (row: AlertRow) => row.state === 'resolved' || row.merged_into !== null;
  const changing = ['state', 'settled', 'merged_into', 'started_at', 'last_seen_at', 'body'] as const;
  await insertRows(tx, 'alerting_alerts', rows.filter(isShut), changing);
  const open = rows.filter((row) => !isShut(row));
  await insertRows(tx, 'alerting_alerts', open, changing);
}

export function alertRow(
  alert: Alert,
  of: { seq: number; founder: string; settled: boolean; body: string },
): AlertRow {
  return {
    id: alert.id,
    seq: of.seq,
    fingerprint: alert.fingerprint,
    founder: of.founder,
    kind: alert.kind,
    state: alert.state,
    settled: of.settled ? 1 : 0,
    merged_into: null,
    started_at: alert.startedAt,
    last_seen_at: alert.lastSeenAt,
    body: of.body,
  };
}

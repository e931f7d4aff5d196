import type { Finding } from '../../contracts/index.ts';
import { groupBy } from '../store/group-by.ts';
import type { Tx } from '../store/tables.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type Arrangement, arrange, type Member, type Standing } from './happenings.ts';
import { type AlertRow, loadAlerts, loadHeads, loadMembers, type StoredFinding } from './store.ts';

/**
 * What a batch of findings changes, before anything is written: which findings are news, and into which happenings they
 * and their neighbours fall. Reads inside the transaction, writes nothing.
 */
export interface Settlement {
  /** Findings that are newer than what is stored, the last revision of each. Key: finding id. */
  news: Map<string, Finding>;
  /** Findings seen for the first time. */
  firstSeen: Finding[];
  /** News about alerts that a person has decided and that are over: kept, and nothing else changes. */
  frozen: StoredFinding[];
  happenings: { id: string; founder: string; fingerprint: string; findings: [Finding, ...Finding[]] }[];
  merged: Arrangement['merged'];
  /** Alerts as they stand, merged ones that come back included. Key: alert id. */
  rows: Map<string, AlertRow>;
  /** The alert that each stored finding belongs to so far. Key: finding id. */
  homes: Map<string, string>;
}

export interface SettleOptions {
  gapMs: number;
  /** Alerts whose draft case a person has decided. */
  decidedAmong(tx: Tx, alerts: readonly string[]): Promise<ReadonlySet<string>>;
}

export async function settle(
  tx: Tx,
  batch: readonly Finding[],
  { gapMs, decidedAmong }: SettleOptions,
): Promise<Settlement> {
  const latest = lastRevisions(batch);
  const heads = await loadHeads(tx, [...latest.keys()]);
  const news = new Map([...latest].filter(([id, f]) => f.revision > (heads.get(id)?.revision ?? -1)));
  const groups = groupBy(news.values(), fingerprintOf);
  const since = Math.min(...[...news.values()].map((f) => f.interval.from)) - gapMs;
  const named = [...news.keys()].flatMap((id) => heads.get(id)?.alert ?? []);
  const rows = new Map((await loadAlerts(tx, [...groups.keys()], since, named)).map((row) => [row.id, row]));

  const frozen = [...news.values()].flatMap((finding) => {
    const alert = heads.get(finding.id)?.alert;
    return alert !== undefined && rows.get(alert)?.settled === 1 ? [{ finding, alert }] : [];
  });
  const touched = touchedAlerts(groups, rows, heads, gapMs);
  const standing = await loadStanding(tx, touched, decidedAmong);
  for (const { finding } of frozen) removeFrom(groups, finding);
  const { happenings, merged } = arrangeAll(groups, standing.groups, gapMs);
  await addMissing(tx, rows, happenings);
  const firstSeen = [...news.values()].filter((f) => !heads.has(f.id));
  return { news, firstSeen, frozen, happenings, merged, rows, homes: standing.homes };
}

/** The alerts that a fingerprint has, with their findings. */
interface StandingGroup {
  alerts: Standing[];
  findings: Finding[];
}

async function loadStanding(
  tx: Tx,
  touched: ReadonlyMap<string, readonly AlertRow[]>,
  decidedAmong: SettleOptions['decidedAmong'],
): Promise<{ groups: Map<string, StandingGroup>; homes: Map<string, string> }> {
  const ids = [...touched.values()].flat().map((row) => row.id);
  const decided = await decidedAmong(tx, ids);
  const stored = await loadMembers(tx, ids);
  const members = groupBy(stored, (m) => m.alert);
  const groups = new Map<string, StandingGroup>();
  for (const [fingerprint, rows] of touched) {
    groups.set(fingerprint, {
      alerts: rows.map(({ id, founder, seq }) => ({ id, founder, seq, decided: decided.has(id) })),
      findings: rows.flatMap((row) => members.get(row.id) ?? []).map((m) => m.finding),
    });
  }
  return { groups, homes: new Map(stored.map((m) => [m.finding.id, m.alert])) };
}

function arrangeAll(
  groups: ReadonlyMap<string, readonly Finding[]>,
  standing: ReadonlyMap<string, StandingGroup>,
  gapMs: number,
): Pick<Settlement, 'happenings' | 'merged'> {
  const happenings: Settlement['happenings'] = [];
  const merged: Settlement['merged'] = [];
  for (const [fingerprint, fresh] of groups) {
    const known = standing.get(fingerprint) ?? { alerts: [], findings: [] };
    // What is fresh replaces what was stored of the same finding.
    const pool = new Map([...known.findings, ...fresh].map((f) => [f.id, f]));
    const arrangement = arrange([...pool.values()].map(memberOf), known.alerts, gapMs);
    merged.push(...arrangement.merged);
    for (const { id, founder, members } of arrangement.happenings) {
      const [first, ...others] = members.flatMap((m) => pool.get(m.id) ?? []);
      if (first !== undefined) happenings.push({ id, founder, fingerprint, findings: [first, ...others] });
    }
  }
  return { happenings, merged };
}

function removeFrom(groups: Map<string, Finding[]>, finding: Finding): void {
  const key = fingerprintOf(finding);
  groups.set(
    key,
    (groups.get(key) ?? []).filter((f) => f.id !== finding.id),
  );
}

function lastRevisions(batch: readonly Finding[]): Map<string, Finding> {
  const latest = new Map<string, Finding>();
  for (const finding of batch) {
    const known = latest.get(finding.id);
    if (known === undefined || finding.revision > known.revision) latest.set(finding.id, finding);
  }
  return latest;
}

/** Alerts that may still change and that some news belongs to or touches in time. Key: fingerprint. */
function touchedAlerts(
  groups: ReadonlyMap<string, readonly Finding[]>,
  rows: ReadonlyMap<string, AlertRow>,
  heads: ReadonlyMap<string, { alert: string }>,
  gapMs: number,
): Map<string, AlertRow[]> {
  const open = groupBy(
    [...rows.values()].filter((row) => row.settled === 0 && row.merged_into === null),
    (row) => row.fingerprint,
  );
  const touched = new Map<string, AlertRow[]>();
  for (const [fingerprint, fresh] of groups) {
    const near = (open.get(fingerprint) ?? []).filter((row) =>
      fresh.some((f) => heads.get(f.id)?.alert === row.id || touches(row, f, gapMs)),
    );
    if (near.length > 0) touched.set(fingerprint, near);
  }
  return touched;
}

function touches(row: AlertRow, finding: Finding, gapMs: number): boolean {
  const end = row.state === 'resolved' ? row.last_seen_at : Number.POSITIVE_INFINITY;
  const { from, to } = memberOf(finding);
  return row.started_at <= to + gapMs && from <= end + gapMs;
}

function memberOf(finding: Finding): Member {
  const { id, interval, state } = finding;
  return { id, from: interval.from, to: state === 'closed' ? interval.to : Number.POSITIVE_INFINITY };
}

/** A happening that was split off again finds the alert that it once was. */
async function addMissing(
  tx: Tx,
  rows: Map<string, AlertRow>,
  happenings: readonly { id: string }[],
): Promise<void> {
  const missing = happenings.map(({ id }) => id).filter((id) => !rows.has(id));
  for (const row of await loadAlerts(tx, [], 0, missing)) rows.set(row.id, row);
}

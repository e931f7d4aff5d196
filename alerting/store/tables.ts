import type { Generated, Kysely, Transaction } from 'kysely';
import type { Records } from '../../backbone/index.ts';

/**
 * The tables of this stage. A record of `contracts/` lies whole as JSON in `body`; beside it only the columns that are
 * searched by. Times are epoch ms. Rows are never deleted, but for the bounded event log and ended sessions.
 */
export type AlertingTables = {
  /** Where to go on in the stream: written in the transaction that holds the work. */
  alerting_positions: { topic: string; partition: number; next_offset: number };
  /** Numbers that grow without a hole, by name. The row's lock orders concurrent writers. */
  alerting_sequences: { name: string; value: number };
  /** Counts since the first start, e.g. `alerts/image`. */
  alerting_totals: { name: string; value: number };
  alerting_findings: {
    id: string;
    revision: number;
    fingerprint: string;
    alert: string;
    body: string;
  };
  alerting_alerts: {
    id: string;
    seq: number;
    fingerprint: string;
    /** The finding that its id is made of; always one of its members. */
    founder: string;
    kind: string;
    state: string;
    /** 1 = resolved and decided by a person: it takes no further findings. */
    settled: number;
    /** The alert that it turned out to be part of; hidden from lists and counts then. */
    merged_into: string | null;
    started_at: number;
    last_seen_at: number;
    body: string;
  };
  alerting_drafts: {
    id: string;
    seq: number;
    alert: string;
    state: string;
    unit: string | null;
    version: number;
    merged_into: string | null;
    body: string;
  };
  /** The evidence as it was frozen when the draft was confirmed. */
  alerting_evidence: { draft: string; body: string };
  alerting_leads: {
    id: string;
    seq: number;
    draft: string;
    unit: string;
    state: string;
    attempts: number;
    /** Wall clock; null = nothing is planned. */
    next_try_at: number | null;
    /** Wall clock. */
    deadline_at: number;
    delivered_at: number | null;
    last_error: string | null;
    receipt: string | null;
    /** The LeadEvent, byte for byte what is sent. */
    event: string;
  };
  /** Bounded log behind the event stream; ids grow by one. */
  alerting_events: { id: number; type: string; body: string };
  alerting_audit: {
    seq: number;
    at: number;
    who: string;
    via: string | null;
    action: string;
    subject: string;
    before: string | null;
    after: string | null;
    previous: string;
    hash: string;
  };
  alerting_users: {
    user: string;
    name: string;
    roles: string;
    unit: string | null;
    password: string;
    failures: number;
    locked_until: number | null;
  };
  alerting_sessions: { token_hash: string; user: string; created_at: number; seen_at: number };
  alerting_sign_in_links: { token_hash: string; created_at: number; used_at: Generated<number | null> };
};

export type Db = Kysely<AlertingTables>;
/** Either the database or a transaction on it. */
export type Tx = Transaction<AlertingTables>;

export function tables(records: Records): Db {
  return records.db.withTables<AlertingTables>();
}

import { type Kysely, PostgresAdapter, sql } from 'kysely';
import type { Migrations } from '../../backbone/index.ts';

/** The tables of `tables.ts`, for SQLite and PostgreSQL alike. */
export const alertingMigrations: Migrations = {
  alerting_0001_positions_and_counters: { up: positionsAndCounters },
  alerting_0002_findings_and_alerts: { up: findingsAndAlerts },
  alerting_0003_drafts_and_leads: { up: draftsAndLeads },
  alerting_0004_events_and_audit: { up: eventsAndAudit },
  alerting_0005_access: { up: access },
};

type Any = Kysely<unknown>;

async function positionsAndCounters(db: Any): Promise<void> {
  await db.schema
    .createTable('alerting_positions')
    .addColumn('topic', 'text', (c) => c.notNull())
    .addColumn('partition', 'integer', (c) => c.notNull())
    .addColumn('next_offset', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('alerting_positions_pk', ['topic', 'partition'])
    .execute();
  for (const table of ['alerting_sequences', 'alerting_totals']) {
    await db.schema
      .createTable(table)
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('value', 'bigint', (c) => c.notNull())
      .execute();
  }
}

async function findingsAndAlerts(db: Any): Promise<void> {
  await db.schema
    .createTable('alerting_findings')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .addColumn('alert', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await index(db, 'alerting_findings', ['alert']);
  await db.schema
    .createTable('alerting_alerts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('seq', 'bigint', (c) => c.notNull().unique())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .addColumn('founder', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('settled', 'integer', (c) => c.notNull())
    .addColumn('merged_into', 'text')
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  // What makes "one alert per happening" a fact of the store and not a hope of the code.
  await sql`create unique index alerting_alerts_one_open on alerting_alerts (fingerprint)
    where state <> 'resolved' and merged_into is null`.execute(db);
  await index(db, 'alerting_alerts', ['fingerprint', 'last_seen_at']);
  await index(db, 'alerting_alerts', ['state', 'seq']);
  await index(db, 'alerting_alerts', ['kind', 'seq']);
}

async function draftsAndLeads(db: Any): Promise<void> {
  await db.schema
    .createTable('alerting_drafts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('seq', 'bigint', (c) => c.notNull().unique())
    .addColumn('alert', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('unit', 'text')
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('merged_into', 'text')
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await sql`create unique index alerting_drafts_one_an_alert on alerting_drafts (alert)
    where merged_into is null`.execute(db);
  // For the drafts of merged alerts too, which the unique index leaves out.
  await index(db, 'alerting_drafts', ['alert']);
  await index(db, 'alerting_drafts', ['state', 'seq']);
  await index(db, 'alerting_drafts', ['unit', 'seq']);
  await db.schema
    .createTable('alerting_evidence')
    .addColumn('draft', 'text', (c) => c.primaryKey())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('alerting_leads')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('seq', 'bigint', (c) => c.notNull().unique())
    .addColumn('draft', 'text', (c) => c.notNull().unique())
    .addColumn('unit', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('next_try_at', 'bigint')
    .addColumn('deadline_at', 'bigint', (c) => c.notNull())
    .addColumn('delivered_at', 'bigint')
    .addColumn('last_error', 'text')
    .addColumn('receipt', 'text')
    .addColumn('event', 'text', (c) => c.notNull())
    .execute();
  await index(db, 'alerting_leads', ['state', 'next_try_at']);
}

async function eventsAndAudit(db: Any): Promise<void> {
  await db.schema
    .createTable('alerting_events')
    .addColumn('id', 'bigint', (c) => c.primaryKey())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('alerting_audit')
    .addColumn('seq', 'bigint', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('via', 'text')
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .addColumn('previous', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute();
  await index(db, 'alerting_audit', ['subject']);
  await forbidChanges(db, 'alerting_audit');
}

async function access(db: Any): Promise<void> {
  await db.schema
    .createTable('alerting_users')
    .addColumn('user', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('roles', 'text', (c) => c.notNull())
    .addColumn('unit', 'text')
    .addColumn('password', 'text', (c) => c.notNull())
    .addColumn('failures', 'integer', (c) => c.notNull())
    .addColumn('locked_until', 'bigint')
    .execute();
  await db.schema
    .createTable('alerting_sessions')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('user', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('seen_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('alerting_sign_in_links')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('used_at', 'bigint')
    .execute();
}

async function index(db: Any, table: string, columns: string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_${columns.join('_')}`)
    .on(table)
    .columns(columns)
    .execute();
}

/** Rows of the table can be added, and neither changed nor deleted: not by a fault of ours, not by a stray SQL line. */
async function forbidChanges(db: Any, table: string): Promise<void> {
  if (db.getExecutor().adapter instanceof PostgresAdapter) {
    await sql`create function ${sql.ref(`${table}_append_only`)}() returns trigger language plpgsql as
      $$ begin raise exception 'append-only'; end $$`.execute(db);
    await sql`create trigger ${sql.ref(`${table}_fixed`)} before update or delete on ${sql.table(table)}
      for each row execute function ${sql.ref(`${table}_append_only`)}()`.execute(db);
    return;
  }
  for (const what of ['update', 'delete']) {
    await sql`create trigger ${sql.ref(`${table}_no_${what}`)} before ${sql.raw(what)} on ${sql.table(table)}
      begin select raise(abort, 'append-only'); end`.execute(db);
  }
}

import { SqliteAdapter } from 'kysely';
import type { Migrations } from '../backbone/index.ts';

/** Tables of the quarantine. Entries go when there are too many; totals stay, so that counts are right for ever. */
export type QuarantineTables = {
  quarantine: {
    /** Sorts by time of receipt. */
    id: string;
    reason: string;
    detail: string;
    received_at: number;
    topic: string;
    client: string | null;
    device: string | null;
    /** Whom the room that it takes is counted against: sender, else device, else client. */
    source: string;
    size: number;
    sha256: string;
    raw: Buffer;
    /** The device that proved who it is. */
    sender: string | null;
    /** MQTT 5 user properties as a JSON object; null: there were none. */
    user_properties: string | null;
    /** As contracts' QuarantineState. */
    state: string;
    /** Null: as `reason`. */
    first_reason: string | null;
    resolved_at: number | null;
    resolved_by: string | null;
    note: string | null;
    reruns: number;
    last_rerun_at: number | null;
  };
  /** By reason; in brackets: `(evicted)` and what was resolved, by state. */
  quarantine_totals: { reason: string; count: number };
};

export type QuarantineRow = QuarantineTables['quarantine'];

export const quarantineMigrations: Migrations = {
  ingest_0001_quarantine: {
    async up(db) {
      const bytes = db.getExecutor().adapter instanceof SqliteAdapter ? 'blob' : 'bytea';
      await db.schema
        .createTable('quarantine')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('detail', 'text', (c) => c.notNull())
        .addColumn('received_at', 'bigint', (c) => c.notNull())
        .addColumn('topic', 'text', (c) => c.notNull())
        .addColumn('client', 'text')
        .addColumn('device', 'text')
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('size', 'bigint', (c) => c.notNull())
        .addColumn('sha256', 'text', (c) => c.notNull())
        .addColumn('raw', bytes, (c) => c.notNull())
        .execute();
      await db.schema
        .createIndex('quarantine_by_reason')
        .on('quarantine')
        .columns(['reason', 'id'])
        .execute();
      await db.schema
        .createIndex('quarantine_by_source')
        .on('quarantine')
        .columns(['source', 'id'])
        .execute();
      await db.schema
        .createTable('quarantine_totals')
        .addColumn('reason', 'text', (c) => c.primaryKey())
        .addColumn('count', 'bigint', (c) => c.notNull())
        .execute();
    },
  },
  ingest_0002_rerun: {
    async up(db) {
      for (const name of ['sender', 'user_properties', 'first_reason', 'resolved_by', 'note']) {
        await db.schema.alterTable('quarantine').addColumn(name, 'text').execute();
      }
      for (const name of ['resolved_at', 'last_rerun_at']) {
        await db.schema.alterTable('quarantine').addColumn(name, 'bigint').execute();
      }
      await db.schema
        .alterTable('quarantine')
        .addColumn('state', 'text', (c) => c.notNull().defaultTo('open'))
        .execute();
      await db.schema
        .alterTable('quarantine')
        .addColumn('reruns', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      // What is held and counted is read from indexes alone: rows carry their raw bytes with them.
      await db.schema.dropIndex('quarantine_by_source').execute();
      const indexes = {
        quarantine_by_source: ['source', 'state', 'id'],
        quarantine_by_device: ['device', 'id'],
        quarantine_by_sender: ['sender', 'id'],
        quarantine_by_state: ['state', 'reason', 'received_at', 'id'],
      };
      for (const [name, columns] of Object.entries(indexes)) {
        await db.schema.createIndex(name).on('quarantine').columns(columns).execute();
      }
    },
  },
};

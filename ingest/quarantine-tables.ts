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
    /** Whom the room that it takes is counted against: device, else client. */
    source: string;
    size: number;
    sha256: string;
    raw: Buffer;
  };
  quarantine_totals: { reason: string; count: number };
};

export const ingestMigrations: Migrations = {
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
};

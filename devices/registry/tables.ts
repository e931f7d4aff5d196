import type { Migrations } from '../../backbone/index.ts';

/**
 * Tables of the registry. Each change of a device is a new row, none is ever altered; credentials keep their last
 * state only. `seq` and `changed` grow by one a write: a process that holds the registry in memory asks for what is
 * newer than it knows, which is how a running product learns of `qianliyan devices add`.
 */
export type DeviceTables = {
  device_versions: {
    seq: number;
    id: string;
    version: number;
    /** Epoch ms, by the product's clock. */
    since: number;
    /** The contract's Device as JSON. */
    document: string;
  };
  device_credentials: {
    device: string;
    /** See passwords.ts; null: may not sign in. */
    hash: string | null;
    changed: number;
  };
};

export const deviceMigrations: Migrations = {
  devices_0001_registry: {
    async up(db) {
      await db.schema
        .createTable('device_versions')
        .addColumn('seq', 'bigint', (c) => c.primaryKey())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('version', 'integer', (c) => c.notNull())
        .addColumn('since', 'bigint', (c) => c.notNull())
        .addColumn('document', 'text', (c) => c.notNull())
        .addUniqueConstraint('device_versions_id_version', ['id', 'version'])
        .execute();
      await db.schema
        .createTable('device_credentials')
        .addColumn('device', 'text', (c) => c.primaryKey())
        .addColumn('hash', 'text')
        .addColumn('changed', 'bigint', (c) => c.notNull())
        .execute();
    },
  },
};

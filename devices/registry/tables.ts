import type { Migrations } from '../../backbone/index.ts';

/**
 * Tables of the registry. Each change of a device or template is a new row, none is ever altered; credentials keep their
 * last state only. `seq` and `changed` grow by one a write: a process that holds the registry in memory asks for what is
 * newer than it knows, which is how a running product learns of `qianliyan devices add`.
 */
export type DeviceTables = {
  device_versions: {
    seq: number;
    id: string;
    version: number;
    /** Epoch ms, by the product's clock. */
    since: number;
    /** The contract's Device as JSON, without the part that `shared` names. */
    document: string;
    /** What it has in common with others, see device_shared; null: nothing, the document is whole. */
    shared: string | null;
    /** Account or program that made the change; null in rows older than the column. */
    who: string | null;
    /** Address that the request came from; null = this machine. */
    via: string | null;
    /** The template that it follows, with the version that it was last made from. */
    template: string | null;
    template_version: number | null;
  };
  /** Kind, model and datastreams, once for all devices that have the same. */
  device_shared: {
    /** SHA-256 of the document. */
    hash: string;
    document: string;
  };
  device_templates: {
    name: string;
    version: number;
    document: string;
    /** `own`: people wrote it; `product`: as the product had it when a device was made from it. */
    source: 'own' | 'product';
    since: number;
    who: string | null;
    via: string | null;
    changed: number;
  };
  device_credentials: {
    device: string;
    /** See passwords.ts; null: may not sign in. */
    hash: string | null;
    changed: number;
  };
  device_certificates: {
    /** SHA-256 of the certificate, 64 lower-case hex digits. */
    fingerprint: string;
    device: string;
    subject: string;
    /** Epoch ms of the certificate's end; null = not known, because only its fingerprint was given. */
    not_after: number | null;
    revoked: 0 | 1;
    changed: number;
  };
  device_secrets: {
    device: string;
    name: string;
    /** Sealed, see secrets.ts; null: taken away. */
    sealed: string | null;
    changed: number;
  };
  device_strangers: {
    name: string;
    kind: 'readings' | 'picture';
    /** Epoch ms. */
    first_seen: number;
    last_seen: number;
    count: number;
    /** JSON array of topics. */
    topics: string;
    client: string | null;
    /** Head of the last payload, base64. */
    payload: string;
    payload_bytes: number;
    dismissed: 0 | 1;
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
  devices_0002_authors_templates_certificates: {
    async up(db) {
      for (const column of ['shared', 'who', 'via', 'template']) {
        await db.schema.alterTable('device_versions').addColumn(column, 'text').execute();
      }
      await db.schema.alterTable('device_versions').addColumn('template_version', 'integer').execute();
      await db.schema
        .createTable('device_shared')
        .addColumn('hash', 'text', (c) => c.primaryKey())
        .addColumn('document', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('device_templates')
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('version', 'integer', (c) => c.notNull())
        .addColumn('document', 'text', (c) => c.notNull())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('since', 'bigint', (c) => c.notNull())
        .addColumn('who', 'text')
        .addColumn('via', 'text')
        .addColumn('changed', 'bigint', (c) => c.notNull())
        .addPrimaryKeyConstraint('device_templates_name_version', ['name', 'version'])
        .execute();
      await db.schema
        .createTable('device_certificates')
        .addColumn('fingerprint', 'text', (c) => c.primaryKey())
        .addColumn('device', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('not_after', 'bigint')
        .addColumn('revoked', 'integer', (c) => c.notNull())
        .addColumn('changed', 'bigint', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('device_secrets')
        .addColumn('device', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('sealed', 'text')
        .addColumn('changed', 'bigint', (c) => c.notNull())
        .addPrimaryKeyConstraint('device_secrets_device_name', ['device', 'name'])
        .execute();
      await db.schema
        .createTable('device_strangers')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('first_seen', 'bigint', (c) => c.notNull())
        .addColumn('last_seen', 'bigint', (c) => c.notNull())
        .addColumn('count', 'bigint', (c) => c.notNull())
        .addColumn('topics', 'text', (c) => c.notNull())
        .addColumn('client', 'text')
        .addColumn('payload', 'text', (c) => c.notNull())
        .addColumn('payload_bytes', 'bigint', (c) => c.notNull())
        .addColumn('dismissed', 'integer', (c) => c.notNull())
        .execute();
    },
  },
  /** Every process asks for what is newer, every two seconds. */
  devices_0003_indexes_of_changes: {
    async up(db) {
      for (const table of [
        'device_credentials',
        'device_certificates',
        'device_secrets',
        'device_templates',
      ]) {
        await db.schema.createIndex(`${table}_changed`).on(table).column('changed').execute();
      }
    },
  },
};

import type { Kysely, Migration } from 'kysely';

/**
 * Records port: rows with transactions, fsync on commit. The same Kysely queries and migrations serve SQLite and
 * PostgreSQL; each folder owns its tables and hands in its migrations, named `<folder>_<nnnn>_<what>`.
 */
export interface Records {
  /** `records.db.withTables<MyTables>()` gives a folder the view of its own tables. */
  // biome-ignore lint/complexity/noBannedTypes: Kysely's own word for "no tables yet"
  readonly db: Kysely<{}>;
  readonly dialect: 'sqlite' | 'postgres';
  close(): Promise<void>;
}

export type Migrations = Record<string, Migration>;

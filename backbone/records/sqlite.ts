import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { QianliyanError } from '../../contracts/index.ts';
import type { Log } from '../log.ts';
import { migrate } from './migrate.ts';
import type { Migrations, Records } from './port.ts';

/**
 * Records in one SQLite file, through libsql.
 *
 * Promises: a commit is on disk when it returns (WAL with synchronous=FULL: one fsync a commit), foreign keys hold,
 * and all migrations have run when `openSqliteRecords` resolves. Queries run on the calling thread, one at a time:
 * keep transactions short and never wait for anything else inside one. SQLite knows no booleans: store 0 and 1.
 */

export interface SqliteRecordsOptions {
  file: string;
  /** Each folder hands in its own; they are merged and run in the order of their names. */
  migrations: readonly Migrations[];
  log: Log;
  /** How long a commit waits for another process's (a backup, a shell) before it fails. Default 5,000. */
  busyTimeoutMs?: number;
}

/** @throws QianliyanError STORE_UNAVAILABLE when the file cannot be opened or a migration fails. */
export async function openSqliteRecords(options: SqliteRecordsOptions): Promise<Records> {
  const database = openDatabase(options);
  const db = new Kysely<object>({ dialect: new SqliteDialect({ database }) });
  try {
    await migrate(db, options.migrations, options.log);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return { db: db as Records['db'], dialect: 'sqlite', close: () => close(db, database) };
}

function openDatabase({ file, busyTimeoutMs = 5_000 }: SqliteRecordsOptions) {
  try {
    const database = new Database(file);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma(`busy_timeout = ${Math.round(busyTimeoutMs)}`);
    return database;
  } catch (cause) {
    throw new QianliyanError('STORE_UNAVAILABLE', `cannot open the records file ${file}`, { cause });
  }
}

async function close(db: Kysely<object>, database: { open: boolean; pragma(source: string): unknown }) {
  // Folds the write-ahead log into the file, so that a copy of the one file is a whole backup.
  try {
    if (database.open) database.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // Another process is at work on the file: the last one to close it folds the log.
  }
  await db.destroy();
}

import { type Kysely, type Migration, Migrator } from 'kysely';
import { QianliyanError } from '../../contracts/index.ts';
import type { Log } from '../log.ts';
import type { Migrations } from './port.ts';

/**
 * Runs what has not run yet of all folders' migrations, in the order of their names. Folders grow independently, so a
 * new migration may sort before one that has run already: names say the owner first (`alerting_0002_…`), and no
 * migration touches another folder's tables.
 */
export async function migrate(
  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own word for "whatever tables"
  db: Kysely<any>,
  folders: readonly Migrations[],
  log: Log,
): Promise<void> {
  const all = mergeMigrations(folders);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(all) },
    allowUnorderedMigrations: true,
  });
  const { error, results } = await migrator.migrateToLatest();
  for (const result of results ?? []) {
    if (result.status === 'Success') log.info({ migration: result.migrationName }, 'migration done');
  }
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'before the first';
    throw new QianliyanError('STORE_UNAVAILABLE', `migration failed: ${failed}`, { cause: error });
  }
}

/** By name; two folders that claim the same name are a mistake in the program. */
export function mergeMigrations(folders: readonly Migrations[]): Record<string, Migration> {
  const all: Record<string, Migration> = {};
  for (const folder of folders) {
    for (const [name, migration] of Object.entries(folder)) {
      if (name in all) throw new QianliyanError('INTERNAL', `two migrations are called ${name}`);
      all[name] = migration;
    }
  }
  return all;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Log, manualClock, type Records } from '../../backbone/index.ts';
import { openSqliteRecords } from '../../backbone/records/sqlite.ts';
import { openRegistry, type Registry, type RegistryDeps, type RegistryStep } from '../registry/registry.ts';
import { deviceMigrations } from '../registry/tables.ts';

/** A registry on a real SQLite file in a folder of its own, on a clock that stands still. */
export interface TestRegistry {
  folder: string;
  records: Records;
  registry: Registry;
  clock: ReturnType<typeof manualClock>;
  log: Log;
  /** What went into the audit trail. */
  steps: RegistryStep[];
  /** Another process on the same records. */
  another(): Promise<Registry>;
  close(): Promise<void>;
}

export const START = Date.parse('2026-11-22T00:00:00+08:00');

export async function testRegistry(): Promise<TestRegistry> {
  const log = pino({ level: 'silent' });
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-registry-'));
  const file = join(folder, 'r.sqlite');
  const clock = manualClock(START);
  const records = await openSqliteRecords({ file, migrations: [deviceMigrations], log });
  const steps: RegistryStep[] = [];
  const deps: RegistryDeps = {
    records,
    clock,
    log,
    refreshMs: 0,
    secretKeyFile: join(folder, 'device-secrets.key'),
    audit: async (_tx, _at, some) => void steps.push(...some),
  };
  const registry = await openRegistry(deps);
  const closers: (() => Promise<void>)[] = [() => registry.close()];
  return {
    folder,
    records,
    registry,
    clock,
    log,
    steps,
    async another() {
      const own = await openSqliteRecords({ file, migrations: [deviceMigrations], log });
      const other = await openRegistry({ ...deps, records: own });
      closers.push(
        () => other.close(),
        () => own.close(),
      );
      return other;
    },
    async close() {
      for (const close of closers) await close();
      await records.close();
      await rm(folder, { recursive: true });
    },
  };
}

import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { describeRecordsContract, RECORDS_CONTRACT_MIGRATIONS } from '../../tests/contract/records.ts';
import { silentLog, temporaryFolder } from '../../tests/contract/support.ts';
import { mergeMigrations } from './migrate.ts';
import { openSqliteRecords } from './sqlite.ts';

describeRecordsContract('SQLite', async () => {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'records.sqlite');
  let records = await openSqliteRecords({ file, migrations: [RECORDS_CONTRACT_MIGRATIONS], log: silentLog });
  return {
    records,
    async reopen(migrations) {
      await records.close();
      records = await openSqliteRecords({ file, migrations, log: silentLog });
      return records;
    },
    async dispose() {
      await records.close();
      await folder.remove();
    },
  };
});

describe('the SQLite records', () => {
  it('sync every commit to the disk', async () => {
    const folder = await temporaryFolder();
    const file = join(folder.path, 'records.sqlite');
    const records = await openSqliteRecords({ file, migrations: [], log: silentLog });
    const pragma = async (name: string) => {
      const { rows } = await sql.raw<Record<string, unknown>>(`PRAGMA ${name}`).execute(records.db);
      return Object.values(rows[0] ?? {})[0];
    };
    expect(await pragma('journal_mode')).toBe('wal');
    // 2 = FULL
    expect(await pragma('synchronous')).toBe(2);
    expect(await pragma('foreign_keys')).toBe(1);
    await records.close();
    await folder.remove();
  });

  it('refuse a file that cannot be opened', async () => {
    const file = join('does', 'not', 'exist', 'records.sqlite');
    await expect(openSqliteRecords({ file, migrations: [], log: silentLog })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('refuse two migrations of one name', () => {
    expect(() => mergeMigrations([RECORDS_CONTRACT_MIGRATIONS, RECORDS_CONTRACT_MIGRATIONS])).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
  });
});

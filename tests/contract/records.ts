import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Migrations, Records } from '../../backbone/records/port.ts';

/** What every adapter of the records port must do. Run unchanged against each of them. */

export interface RecordsUnderTest {
  records: Records;
  /** Closes and opens on the same data, with these migrations. */
  reopen(migrations: readonly Migrations[]): Promise<Records>;
  dispose(): Promise<void>;
}

// A type, not an interface: Kysely asks for an index signature.
type Tables = {
  unit: { id: string; name: string };
  desk: { id: number; unit: string; version: number };
};

export const RECORDS_CONTRACT_MIGRATIONS: Migrations = {
  contract_0001_units: {
    async up(db) {
      await db.schema
        .createTable('unit')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('desk')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('unit', 'text', (column) => column.notNull().references('unit.id'))
        .addColumn('version', 'integer', (column) => column.notNull())
        .execute();
    },
  },
};

/** @param open makes empty records that have run `RECORDS_CONTRACT_MIGRATIONS` */
export function describeRecordsContract(name: string, open: () => Promise<RecordsUnderTest>): void {
  describe(`records contract: ${name}`, () => {
    let one: RecordsUnderTest;
    let records: Records;
    const db = () => records.db.withTables<Tables>();
    beforeEach(async () => {
      one = await open();
      records = one.records;
      await db().insertInto('unit').values({ id: 'u-fire', name: '示范区消防救援大队' }).execute();
    });
    afterEach(() => one.dispose());

    it('keeps rows over a restart', async () => {
      records = await one.reopen([RECORDS_CONTRACT_MIGRATIONS]);
      expect(await db().selectFrom('unit').selectAll().execute()).toEqual([
        { id: 'u-fire', name: '示范区消防救援大队' },
      ]);
    });

    it('takes back the whole transaction when a part fails', async () => {
      const work = db()
        .transaction()
        .execute(async (trx) => {
          await trx.insertInto('unit').values({ id: 'u-eco', name: 'eco' }).execute();
          throw new Error('changed my mind');
        });
      await expect(work).rejects.toThrow('changed my mind');
      expect((await db().selectFrom('unit').selectAll().execute()).length).toBe(1);
    });

    it('holds foreign keys', async () => {
      await expect(
        db().insertInto('desk').values({ id: 1, unit: 'nobody', version: 1 }).execute(),
      ).rejects.toThrow();
    });

    it('upserts and returns', async () => {
      const put = (name: string) =>
        db()
          .insertInto('unit')
          .values({ id: 'u-eco', name })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ name }))
          .returningAll()
          .executeTakeFirstOrThrow();
      expect(await put('one')).toEqual({ id: 'u-eco', name: 'one' });
      expect(await put('two')).toEqual({ id: 'u-eco', name: 'two' });
    });

    it('says how many rows an update met: the base of optimistic locking', async () => {
      await db().insertInto('desk').values({ id: 1, unit: 'u-fire', version: 1 }).execute();
      const update = () =>
        db()
          .updateTable('desk')
          .set({ version: 2 })
          .where('id', '=', 1)
          .where('version', '=', 1)
          .executeTakeFirst();
      expect(Number((await update()).numUpdatedRows)).toBe(1);
      expect(Number((await update()).numUpdatedRows)).toBe(0);
    });

    it('runs transactions that were not awaited one after the other', async () => {
      await db().insertInto('desk').values({ id: 1, unit: 'u-fire', version: 0 }).execute();
      const increment = () =>
        db()
          .transaction()
          .execute(async (trx) => {
            await trx.updateTable('desk').set({ version: sql`version + 1` }).where('id', '=', 1).execute();
          });
      await Promise.all(Array.from({ length: 20 }, increment));
      expect((await db().selectFrom('desk').select('version').executeTakeFirstOrThrow()).version).toBe(20);
    });

    it("runs a folder's new migration, although its name sorts before one that has run", async () => {
      const earlier: Migrations = {
        alerting_0001_notes: {
          up: (schema) => schema.schema.createTable('note').addColumn('id', 'integer').execute(),
        },
      };
      records = await one.reopen([RECORDS_CONTRACT_MIGRATIONS, earlier]);
      const notes = await records.db
        .withTables<{ note: { id: number } }>()
        .selectFrom('note')
        .selectAll()
        .execute();
      expect(notes).toEqual([]);
    });

    it('does not open when a migration fails, and names it', async () => {
      const broken: Migrations = {
        contract_0002_broken: {
          async up() {
            throw new Error('no');
          },
        },
      };
      await expect(one.reopen([RECORDS_CONTRACT_MIGRATIONS, broken])).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining('contract_0002_broken'),
      });
    });
  });
}

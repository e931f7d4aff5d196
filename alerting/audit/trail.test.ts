import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStore } from '../testing/stage.ts';
import { appendAudit, canonical, verifyAudit } from './index.ts';

let store: Awaited<ReturnType<typeof openTestStore>>;
beforeEach(async () => {
  store = await openTestStore();
  for (const n of [1, 2, 3, 4]) {
    await store.db
      .transaction()
      .execute((tx) =>
        appendAudit(tx, n, [{ who: 'a', action: `step.${n}`, subject: 's', after: { n, 城: '千' } }]),
      );
  }
});
afterEach(() => store.close());

/** As somebody would who owns the file: without the triggers. */
async function tamper(statement: string): Promise<void> {
  for (const what of ['update', 'delete']) {
    await sql`drop trigger ${sql.ref(`alerting_audit_no_${what}`)}`.execute(store.db);
  }
  await sql.raw(statement).execute(store.db);
}

describe('the audit trail', () => {
  it('holds', async () => {
    expect(await verifyAudit(store.db)).toMatchObject({ valid: true, entries: 4, broken: null });
  });

  it('takes no update and no delete', async () => {
    await expect(sql`update alerting_audit set who = 'b'`.execute(store.db)).rejects.toThrow('append-only');
    await expect(sql`delete from alerting_audit`.execute(store.db)).rejects.toThrow('append-only');
  });

  for (const [what, statement, broken] of [
    ['a changed entry', `update alerting_audit set who = 'b' where seq = 2`, { seq: 2, why: 'changed' }],
    ['a changed hash', `update alerting_audit set hash = 'x' where seq = 2`, { seq: 2, why: 'changed' }],
    ['an entry taken out', 'delete from alerting_audit where seq = 2', { seq: 2, why: 'missing' }],
    ['an end cut off', 'delete from alerting_audit where seq > 2', { seq: 3, why: 'cut-off' }],
    ['another link', `update alerting_audit set previous = 'x' where seq = 3`, { seq: 3, why: 'not-linked' }],
  ] as const) {
    it(`shows ${what}`, async () => {
      await tamper(statement);
      expect(await verifyAudit(store.db)).toMatchObject({ valid: false, broken });
    });
  }

  it('an entry that is rolled back leaves no gap', async () => {
    const failing = store.db.transaction().execute(async (tx) => {
      await appendAudit(tx, 5, [{ who: 'a', action: 'x', subject: 's' }]);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await store.db
      .transaction()
      .execute((tx) => appendAudit(tx, 6, [{ who: 'a', action: 'y', subject: 's' }]));
    expect(await verifyAudit(store.db)).toMatchObject({ valid: true, entries: 5 });
  });
});

describe('canonical JSON', () => {
  it('has one spelling for one value', () => {
    expect(canonical({ b: 1, a: [{ d: null, c: '千' }], u: undefined })).toBe(
      '{"a":[{"c":"千","d":null}],"b":1}',
    );
    expect(canonical({ a: 1, b: 2 })).toBe(canonical({ b: 2, a: 1 }));
  });
});

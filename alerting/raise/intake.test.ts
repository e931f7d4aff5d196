import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../backbone/codec.ts';
import { Alert, DraftCase, type Finding } from '../../contracts/index.ts';
import { verifyAudit } from '../audit/index.ts';
import { totalsOf } from '../store/counters.ts';
import type { Db } from '../store/tables.ts';
import { EVENING, finding, findingId, MINUTE } from '../testing/fixtures.ts';
import { openTestIntake } from '../testing/stage.ts';

let open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
});

async function stage(config: unknown = {}) {
  const made = await openTestIntake({ config });
  open.push(made);
  return made;
}

async function alerts(db: Db): Promise<Alert[]> {
  const rows = await db
    .selectFrom('alerting_alerts')
    .selectAll()
    .where('merged_into', 'is', null)
    .orderBy('started_at')
    .execute();
  return rows.map((row) => Alert.parse(JSON.parse(row.body)));
}

async function drafts(db: Db): Promise<DraftCase[]> {
  const rows = await db
    .selectFrom('alerting_drafts')
    .selectAll()
    .where('merged_into', 'is', null)
    .orderBy('seq')
    .execute();
  return rows.map((row) => DraftCase.parse(JSON.parse(row.body)));
}

async function actions(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('alerting_audit').select('action').orderBy('seq').execute();
  return rows.map((row) => row.action);
}

describe('findings become alerts', () => {
  it('one alert from open to resolved, over the life of its finding', async () => {
    const { take, db } = await stage();
    await take(finding({ revision: 0 }));
    expect(await alerts(db)).toMatchObject([{ state: 'open', severity: 'violation', site: 'site-linhe-1' }]);
    await take(finding({ revision: 1, state: 'update', to: EVENING + 20 * MINUTE }));
    await take(finding({ revision: 2, state: 'closed', to: EVENING + 30 * MINUTE }));
    expect(await alerts(db)).toMatchObject([
      {
        state: 'resolved',
        lastSeenAt: EVENING + 30 * MINUTE,
        findings: [findingId('one')],
        resolvedAt: EVENING,
      },
    ]);
    expect((await actions(db)).filter((a) => a.startsWith('alert'))).toEqual([
      'alert.raised',
      'alert.resolved',
    ]);
  });

  it('an older revision after a newer one changes nothing', async () => {
    const { take, db } = await stage();
    await take(finding({ revision: 3, state: 'closed', to: EVENING + 30 * MINUTE }));
    const before = await alerts(db);
    await take(finding({ revision: 0 }), finding({ revision: 2, state: 'update' }));
    expect(await alerts(db)).toEqual(before);
  });

  it('two things found on one device are two alerts', async () => {
    const { take, db } = await stage();
    await take(finding({ name: 'a' }), finding({ name: 'b', kind: 'falsification', reason: 'stuck' }));
    expect((await alerts(db)).map((a) => a.kind).sort()).toEqual(['falsification', 'limit-exceeded']);
  });

  it('what comes again soon is the same happening, and has to be acknowledged anew', async () => {
    const { take, db } = await stage();
    await take(finding({ name: 'a', state: 'closed' }));
    await take(finding({ name: 'b', from: EVENING + 8 * MINUTE }));
    expect(await alerts(db)).toMatchObject([{ state: 'open', findings: [findingId('a'), findingId('b')] }]);
    expect(await actions(db)).toContain('alert.reopened');
  });

  it('what comes again later is another one', async () => {
    const { take, db } = await stage();
    await take(finding({ name: 'a', state: 'closed' }));
    await take(finding({ name: 'b', from: EVENING + 60 * MINUTE }));
    expect(await alerts(db)).toMatchObject([{ state: 'resolved' }, { state: 'open' }]);
    expect(await drafts(db)).toHaveLength(2);
  });

  it('two alerts that turn out to be one are merged with their drafts, and nothing is deleted', async () => {
    const { take, db } = await stage({ raise: { rejoinS: 0 } });
    await take(finding({ name: 'a', state: 'closed' }));
    await take(finding({ name: 'c', from: EVENING + 60 * MINUTE }));
    await take(
      finding({ name: 'b', state: 'closed', from: EVENING + 2 * MINUTE, to: EVENING + 90 * MINUTE }),
    );
    expect(await alerts(db)).toMatchObject([{ findings: ['a', 'b', 'c'].map(findingId), state: 'open' }]);
    expect(await drafts(db)).toHaveLength(1);
    expect(await totalsOf(db, 'alerts')).toEqual({ 'limit-exceeded': 1 });
    expect(await totalsOf(db, 'drafts')).toEqual({ 'limit-exceeded': 1 });
    expect(await db.selectFrom('alerting_alerts').selectAll().execute()).toHaveLength(2);
  });

  it('a batch that is handed in twice counts once', async () => {
    const { db, intake } = await stage();
    const records = [{ key: 'dust-01', value: encodeRecord(finding()), offset: 0 }];
    const batch = { topic: 'findings', partition: 0, records, nextOffset: 1 };
    await intake.takeBatch(batch);
    const before = await actions(db);
    await intake.takeBatch(batch);
    expect(await actions(db)).toEqual(before);
    expect(await intake.position('findings', 0)).toBe(1);
  });

  it('a fault in the middle of a batch leaves nothing of it', async () => {
    const { db, intake } = await stage();
    const records = [
      { key: 'dust-01', value: encodeRecord(finding()), offset: 0 },
      { key: 'dust-01', value: new TextEncoder().encode('no json'), offset: 1 },
    ];
    await expect(
      intake.takeBatch({ topic: 'findings', partition: 0, records, nextOffset: 2 }),
    ).rejects.toThrow();
    expect(await alerts(db)).toEqual([]);
    expect(await intake.position('findings', 0)).toBeNull();
  });

  it('an alert of a device that the registry does not know is raised and goes to a person', async () => {
    const { take, db } = await stage();
    await take(finding({ device: 'dust-99' }));
    expect(await drafts(db)).toMatchObject([
      { route: { unit: null, reason: 'no-match' }, standing: 'on-site-check', regulatedParty: null },
    ]);
  });
});

/** The life of a finding as the detectors tell it: revisions 0, 1, …, the last one closed or not. */
const lives = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    device: fc.constantFrom('dust-01', 'water-01'),
    from: fc.nat(40).map((m) => EVENING + m * MINUTE),
    lengths: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }),
    closed: fc.boolean(),
    severity: fc.constantFrom('watch', 'warning', 'violation') as fc.Arbitrary<Finding['severity']>,
  }),
  { selector: (life) => life.name, minLength: 1, maxLength: 5 },
);

const revisionsOf = (
  life: {
    name: string;
    device: string;
    from: number;
    lengths: number[];
    closed: boolean;
    severity: Finding['severity'];
  },
  run: number,
): Finding[] => {
  let to = life.from;
  return life.lengths.map((length, revision) => {
    to += length * MINUTE;
    const last = revision === life.lengths.length - 1;
    const state = last && life.closed ? 'closed' : revision === 0 ? 'open' : 'update';
    const { name, device, from, severity } = life;
    // Each run has a reason of its own, so that all can use one store.
    return finding({
      name: `${run}-${name}`,
      reason: `run-${run}`,
      device,
      from,
      to,
      revision,
      state,
      severity,
    });
  });
};

describe('the same findings give the same alerts', () => {
  /** All that the set of findings decides: not the id's label, and not when the product came to know it. */
  const decidedByTheSet = (alert: Alert) => {
    const { id: _id, raisedAt: _raised, draftCase, trigger: _trigger, ...rest } = alert;
    return { ...rest, drafted: draftCase !== null };
  };

  it('in any order, with any repetition, in any batches', async () => {
    const config = { raise: { rejoinS: 120 }, draft: { fromSeverity: { 'limit-exceeded': 'watch' } } };
    const [first, second] = [await stage(config), await stage(config)];
    let run = 0;
    const scenario = lives.chain((list) => {
      const all = list.flatMap((life) => revisionsOf(life, run));
      return fc.record({
        inOrder: fc.constant(all),
        shuffled: fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }),
        sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
      });
    });
    const property = fc.asyncProperty(scenario, async ({ inOrder, shuffled, sizes }) => {
      const reason = inOrder[0]?.reason;
      run++;
      for (const one of inOrder) await first.take(one);
      for (let i = 0, n = 0; i < shuffled.length; n++) {
        const size = sizes[n % sizes.length] ?? 1;
        await second.take(...shuffled.slice(i, i + size));
        i += size;
      }
      const [expected, got] = [await alerts(first.db), await alerts(second.db)].map((all) =>
        all.filter((a) => a.reason === reason),
      );
      expect(expected?.length).toBeGreaterThan(0);
      expect(got?.map(decidedByTheSet)).toEqual(expected?.map(decidedByTheSet));
    });
    await fc.assert(property, { numRuns: 25, seed: 11, endOnFailure: true });

    expect(await totalsOf(second.db, 'alerts')).toEqual(await totalsOf(first.db, 'alerts'));
    expect(await totalsOf(second.db, 'findings')).toEqual(await totalsOf(first.db, 'findings'));
    for (const { db } of [first, second]) {
      expect((await drafts(db)).map((d) => d.alert).sort()).toEqual(
        (await alerts(db)).map((a) => a.id).sort(),
      );
      expect((await verifyAudit(db)).valid).toBe(true);
    }
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { DraftCase, type Finding } from '../../contracts/index.ts';
import type { Db } from '../store/tables.ts';
import {
  CAMERA_IN_QINGSHI,
  DUST_IN_LINHE,
  directoryOf,
  EVENING,
  finding,
  MINUTE,
  WATER_IN_QINGSHI,
} from '../testing/fixtures.ts';
import { openTestIntake } from '../testing/stage.ts';

let open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
});

async function stage(options: Parameters<typeof openTestIntake>[0] = {}) {
  const made = await openTestIntake(options);
  open.push(made);
  return made;
}

async function drafts(db: Db): Promise<DraftCase[]> {
  const rows = await db.selectFrom('alerting_drafts').selectAll().orderBy('seq').execute();
  return rows.map((row) => DraftCase.parse(JSON.parse(row.body)));
}

async function draftOf(one: Finding, options: Parameters<typeof openTestIntake>[0] = {}): Promise<DraftCase> {
  const { take, db } = await stage(options);
  await take(one);
  const [draft] = await drafts(db);
  expect(draft).toBeDefined();
  return draft!;
}

const resultOf = (draft: DraftCase, id: string) => draft.checklist.find((item) => item.id === id)?.result;
const withDevice = (change: Partial<typeof DUST_IN_LINHE>) => ({
  directory: directoryOf([{ ...DUST_IN_LINHE, ...change }]),
});

describe('an alert becomes a draft case', () => {
  it('on the desk of the empowered street, with number, party, cause and due time', async () => {
    const draft = await draftOf(finding());
    expect(draft).toMatchObject({
      number: 'XS-20261122-0001',
      state: 'draft',
      cause: { zh: '涉嫌施工单位未采取有效扬尘防治措施' },
      regulatedParty: { name: '临河建设有限公司' },
      route: { unit: 'u-linhe', coUnits: ['u-urban'], reason: 'empowerment' },
      standing: 'evidence',
      dueAt: EVENING + 24 * 3_600_000,
      version: 1,
    });
  });

  it('its facts state when, where, what and how much, from the data', async () => {
    const { facts } = await draftOf(finding({ to: EVENING + 7 * MINUTE }));
    for (const part of [
      '2026年11月22日22时00分00秒至2026年11月22日22时07分00秒（+08:00）',
      '临河街道（东经123.44500°、北纬41.80000°）',
      '临河工地1号扬尘监测点',
      '5分钟均值为1.23 mg/m³',
      '对照值0.8 mg/m³（DB21/2642-2016 表1）',
      '有效数据10/10个',
    ]) {
      expect(facts.zh).toContain(part);
    }
    expect(facts.en).toContain('From 2026-11-22 22:00:00 to 2026-11-22 22:07:00 (+08:00)');
    expect(facts.en).toContain('5-minute mean: 1.23 mg/m³');
  });

  it('cites the law in force when it happened, and its successor after that', async () => {
    const before = Date.parse('2026-08-14T12:00:00+08:00');
    const after = Date.parse('2026-08-15T12:00:00+08:00');
    const old = await draftOf(finding({ from: before }));
    expect(old.bases.map((b) => `${b.law.zh} ${b.article}`)).toEqual([
      '中华人民共和国大气污染防治法 第六十九条',
      '中华人民共和国大气污染防治法 第一百一十五条',
    ]);
    expect(resultOf(old, 'legal-basis')).toBe('met');
    const code = await draftOf(finding({ from: after }));
    expect(code.bases.map((b) => b.law.zh)).toEqual(['中华人民共和国生态环境法典']);
    expect(code.checklist.find((i) => i.id === 'legal-basis')).toMatchObject({
      result: 'for-person',
      detail: { zh: expect.stringContaining('条文尚未核实') },
    });
  });

  it('where no basis in force is known, says so and stays a lead', async () => {
    const long = Date.parse('2015-06-01T12:00:00+08:00');
    const draft = await draftOf(
      finding({ from: long, trigger: { device: 'dust-01', time: long, receivedAt: long } }),
    );
    expect(draft.bases).toEqual([]);
    expect(draft.checklist.find((i) => i.id === 'legal-basis')).toMatchObject({ result: 'not-met' });
    expect(draft.standing).toBe('on-site-check');
  });

  it('an unconfirmed limit is for a person to check', async () => {
    const draft = await draftOf(
      finding({
        matter: 'm-noise-night',
        detector: {
          name: 'limits',
          version: '1',
          parameters: { rule: { id: 'l-gb12523-night', version: 2 } },
        },
      }),
    );
    expect(draft.checklist.find((i) => i.id === 'limit')).toMatchObject({
      result: 'for-person',
      detail: { zh: expect.stringContaining('尚未核实') },
    });
  });

  const record = DUST_IN_LINHE.article41!;
  for (const [what, id, article41] of [
    ['no legal review', 'legal-review', { ...record, legalReview: null }],
    [
      'a failed review',
      'technical-review',
      { ...record, technicalReview: { by: 'x', on: '2026-01-12', result: 'failed' as const } },
    ],
    [
      'a review after the capture',
      'legal-review',
      { ...record, legalReview: { by: 'x', on: '2026-11-23', result: 'passed' as const } },
    ],
    [
      'an expired verification',
      'verification',
      { ...record, verification: { certificate: 'c', from: '2025-01-01', to: '2025-12-31' } },
    ],
    ['no signs', 'signs', { ...record, signsSetUp: null }],
    [
      'a location made public later',
      'published',
      { ...record, locationPublished: { on: '2026-12-01', url: 'https://example.org' } },
    ],
  ] as const) {
    it(`${what} leaves a lead for an on-site check`, async () => {
      const draft = await draftOf(finding(), withDevice({ article41 }));
      expect(resultOf(draft, id)).toBe('not-met');
      expect(draft.standing).toBe('on-site-check');
    });
  }

  it('a unit that is not stated does too', async () => {
    const draft = await draftOf(
      finding(),
      withDevice({ datastreams: [{ property: 'TSP', unit: null, range: [0, 100], intervalS: 30 }] }),
    );
    expect(resultOf(draft, 'unit-stated')).toBe('not-met');
    expect(draft.standing).toBe('on-site-check');
  });

  it('what counts is the record at the capture, not the one that was mended later', async () => {
    const bare = { ...DUST_IN_LINHE, article41: { ...record, legalReview: null } };
    const directory = directoryOf([bare], [{ from: EVENING + 60 * MINUTE, device: DUST_IN_LINHE }]);
    expect(resultOf(await draftOf(finding(), { directory }), 'legal-review')).toBe('not-met');
  });

  for (const kind of ['falsification', 'anomaly', 'device-silent'] as const) {
    it(`${kind} is a lead, never proof`, async () => {
      const draft = await draftOf(
        finding({
          kind,
          reason: 'stuck',
          device: 'water-01',
          matter: 'm-monitoring-data',
          severity: 'warning',
        }),
      );
      expect(resultOf(draft, 'kind-of-proof')).toBe('not-met');
      expect(draft).toMatchObject({ standing: 'on-site-check', route: { unit: 'u-eco' } });
    });
  }
});

describe('which alerts become draft cases', () => {
  const count = async (one: Partial<Parameters<typeof finding>[0]>, config: unknown = {}) => {
    const { take, db } = await stage({ config });
    await take(finding(one));
    return (await drafts(db)).length;
  };

  it('not what is only to be watched, not early warnings', async () => {
    expect(await count({ severity: 'watch' })).toBe(0);
    expect(await count({ severity: 'info' })).toBe(0);
    expect(await count({ kind: 'early-warning', severity: 'warning' })).toBe(0);
    expect(await count({ severity: 'warning' })).toBe(1);
  });

  it('the configuration may draw the line elsewhere, kind by kind', async () => {
    const config = { draft: { fromSeverity: { anomaly: 'watch' } } };
    expect(await count({ kind: 'anomaly', severity: 'watch', matter: 'm-monitoring-abnormal' }, config)).toBe(
      1,
    );
    expect(await count({ severity: 'watch' }, config)).toBe(0);
  });

  it('one that becomes more severe gets its draft then', async () => {
    const { take, db } = await stage();
    await take(finding({ severity: 'watch' }));
    expect(await drafts(db)).toHaveLength(0);
    await take(finding({ revision: 1, state: 'update', severity: 'violation' }));
    expect(await drafts(db)).toHaveLength(1);
  });

  it('a kind whose rule names no matter takes the one that is configured', async () => {
    const { take, db } = await stage();
    const { matter: _matter, ...silent } = finding({ kind: 'device-silent', severity: 'warning' });
    await take(silent);
    expect(await drafts(db)).toMatchObject([{ matter: 'm-device-offline' }]);
  });
});

describe('news about a draft', () => {
  it('rewrites its facts while it is undecided, though not with each reading', async () => {
    const { take, db } = await stage();
    await take(finding());
    await take(finding({ revision: 1, state: 'update', to: EVENING + 6 * MINUTE }));
    expect(await drafts(db)).toMatchObject([{ version: 1 }]);
    await take(finding({ revision: 2, state: 'update', to: EVENING + 20 * MINUTE }));
    expect(await drafts(db)).toMatchObject([{ version: 2, occurred: { to: EVENING + 20 * MINUTE } }]);
    await take(finding({ revision: 3, state: 'closed', to: EVENING + 21 * MINUTE }));
    const [draft] = await drafts(db);
    expect(draft).toMatchObject({ version: 3, number: 'XS-20261122-0001' });
    expect(draft?.facts.zh).not.toContain('仍在持续');
  });

  it('devices of all kinds, one number after the other', async () => {
    const directory = directoryOf([DUST_IN_LINHE, CAMERA_IN_QINGSHI, WATER_IN_QINGSHI]);
    const { take, db } = await stage({ directory });
    await take(
      finding({ name: 'a' }),
      finding({
        name: 'b',
        kind: 'image',
        reason: 'fire-lane-occupied',
        device: 'cam-01',
        matter: 'm-fire-lane',
      }),
    );
    expect((await drafts(db)).map((d) => [d.number, d.route.unit])).toEqual([
      ['XS-20261122-0001', 'u-linhe'],
      ['XS-20261122-0002', 'u-qingshi'],
    ]);
  });
});

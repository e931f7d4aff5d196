import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../contracts/index.ts';
import {
  at,
  clock,
  DUST_5MIN,
  findingsOf,
  inOrder,
  NIGHT_NOISE,
  reading,
  readings,
  testCatalog,
  testDevice,
  testDirectory,
  testPlans,
  testRouter,
  ticks,
} from '../testing/index.ts';

const T = at('2026-11-22 10:00');
const dust = (changes: Parameters<typeof testDevice>[2] = {}) => testDevice('dust-01', ['TSP'], changes);
const noise = testDevice('noise-01', ['LAeq']);

function watch(device = dust(), limits: readonly unknown[] = [DUST_5MIN], params = {}) {
  return testRouter({
    directory: testDirectory([device]),
    catalog: testCatalog(limits),
    plans: testPlans({ type: 'limits', params }),
    updateEveryMs: 0,
  });
}
/** Ten values, 30 s apart: one window of five minutes. */
const window = (value: number): number[] => Array(10).fill(value);
const brief = (f: Finding): string =>
  `${f.state} ${f.reason} ${clock(f.interval.from).slice(5, 16)}-${clock(f.interval.to).slice(11, 16)} ${f.measure.value}`;

describe('a five-minute mean over the limit', () => {
  test('opens when the window is full, tells each further one, and closes after two good ones', () => {
    const values = [0.3, 0.3, 1.2, 1.5, 0.9, 0.4, 0.5, 0.5].flatMap(window);
    const findings = findingsOf(watch(), readings('dust-01/TSP', T, 30, values));
    expect(findings.map(brief)).toEqual([
      'open mean-5min 11-22 10:10-10:15 1.2',
      'update mean-5min 11-22 10:10-10:20 1.5',
      'update mean-5min 11-22 10:10-10:25 1.5',
      'closed mean-5min 11-22 10:10-10:25 1.5',
    ]);
    expect(new Set(findings.map((f) => f.id)).size).toBe(1);
    expect(clock(findings[0]!.trigger.time)).toBe('2026-11-22 10:15:00');
  });

  test('carries what a person and a court need', () => {
    const [finding] = findingsOf(watch(), readings('dust-01/TSP', T, 30, [...window(1.2), 0.1]));
    expect(finding).toMatchObject({
      kind: 'limit-exceeded',
      severity: 'violation',
      matter: 'm-dust-site',
      clause: 'DB21/2642-2016 4.1',
      measure: { statistic: 'mean-5min', unit: 'mg/m3', limit: 0.8, validCount: 10, expectedCount: 10 },
      input: { datastreams: ['dust-01/TSP'], from: T, to: T + 300_000 },
    });
    expect(finding!.detector.parameters).toMatchObject({
      rule: { id: 'l-dust', version: 1, certainty: 'secondary' },
      windows: 1,
    });
    expect(finding!.summary.zh).toBe(
      'TSP 5 分钟均值 1.2 mg/m³，超过限值 0.8 mg/m³（超出 0.4；2026-11-22 10:00–10:05；有效数据 10/10；DB21/2642-2016 4.1）',
    );
    expect(finding!.summary.en).toContain('TSP 5 min mean 1.2 mg/m³ is over the limit of 0.8 mg/m³ (by 0.4;');
  });

  test('a mean of exactly the limit does not break it, whatever floating point makes of the sum', () => {
    const values = [0.7, 0.9, 0.8, 0.7, 0.9, 0.8, 0.7, 0.9, 0.8, 0.8];
    expect(findingsOf(watch(), readings('dust-01/TSP', T, 30, [...values, ...window(0.8), 0]))).toEqual([]);
  });

  test('a peak within the window that the mean does not show is no finding', () => {
    const values = [5, ...Array(9).fill(0.2), 0.2];
    expect(findingsOf(watch(), readings('dust-01/TSP', T, 30, values))).toEqual([]);
  });

  test('a gap of hours between two violations makes two findings', () => {
    const records = [
      ...readings('dust-01/TSP', T, 30, window(1.2)),
      ...readings('dust-01/TSP', T + 3 * 3_600_000, 30, [...window(1.2), 0]),
    ];
    const findings = findingsOf(watch(), records);
    expect(findings.map((f) => f.state)).toEqual(['open', 'closed', 'open']);
    expect(findings[0]!.id).not.toBe(findings[2]!.id);
  });

  test('when the device stops after a bad window, the clock closes the window, and later the finding', () => {
    const router = watch();
    const records = inOrder(readings('dust-01/TSP', T, 30, window(1.2)), ticks(T, T + 2 * 3_600_000, 10));
    const findings = findingsOf(router, records);
    expect(findings.map((f) => [f.state, clock(f.trigger.time).slice(11)])).toEqual([
      ['open', '10:06:00'],
      ['closed', '11:06:00'],
    ]);
  });
});

describe('validity', () => {
  test('seven of ten values are too few, eight are enough; the reason has a name', () => {
    const seven = [1.2, 1.2, undefined, 1.2, undefined, 1.2, 1.2, undefined, 1.2, 1.2];
    const router = watch();
    expect(findingsOf(router, readings('dust-01/TSP', T, 30, [...seven, ...window(0.2)]))).toEqual([]);
    expect([...router.tally.notes]).toEqual([['limits not-enough-valid-data', 1]]);
    expect(router.tally.latestNotes[0]!.text).toContain('not enough valid data: 7 of 10');

    const eight = [1.2, 1.2, 1.2, 1.2, undefined, 1.2, 1.2, undefined, 1.2, 1.2];
    const [finding] = findingsOf(watch(), readings('dust-01/TSP', T, 30, [...eight, 0.2]));
    expect(finding!.measure).toMatchObject({ validCount: 8, expectedCount: 10 });
  });

  test.each(['maintenance', 'unknown', 'calibration', 'over-range'] as const)(
    '%s values do not count',
    (q) => {
      const records = Array.from({ length: 21 }, (_, i) => reading('dust-01/TSP', T + i * 30_000, 5, q));
      expect(findingsOf(watch(), records)).toEqual([]);
    },
  );

  test('ten values within ten seconds are no five minutes', () => {
    const burst = Array.from({ length: 10 }, (_, i) => reading('dust-01/TSP', T + i * 1000, 5));
    const router = watch();
    expect(findingsOf(router, [...burst, ...readings('dust-01/TSP', T + 300_000, 30, window(0.1))])).toEqual(
      [],
    );
    expect(router.tally.notes.get('limits not-enough-valid-data')).toBe(1);
  });

  test('one value a day never makes a five-minute mean', () => {
    const daily = readings('dust-01/TSP', T, 86_400, Array(30).fill(9));
    expect(findingsOf(watch(), daily)).toEqual([]);
  });

  test('a hundred values a second give the mean of all of them', () => {
    const records = Array.from({ length: 30_001 }, (_, i) =>
      reading('dust-01/TSP', T + i * 10, i % 2 === 0 ? 0 : 2),
    );
    const [finding] = findingsOf(watch(), records);
    expect(finding!.measure).toMatchObject({ value: 1, validCount: 10 });
  });
});

describe('which limit applies', () => {
  const loud = readings('dust-01/TSP', T, 30, [...window(1.2), 0.1]);

  test('not outside its region, not for other devices', () => {
    expect(findingsOf(watch(dust(), [{ ...DUST_5MIN, region: '13' }]), loud)).toEqual([]);
    expect(findingsOf(watch(dust({ location: [100, 30] })), loud)).toEqual([]);
    expect(findingsOf(watch(dust({ attributes: { siteType: 'school' } })), loud)).toEqual([]);
  });

  test('µg/m³ is converted, an unstated or foreign unit gives no finding but a named reason', () => {
    const micro = readings('dust-01/TSP', T, 30, [...window(1200), 1]);
    const [finding] = findingsOf(watch(dust({ unit: 'ug/m3' })), micro);
    expect(finding!.measure).toMatchObject({ value: 1.2, unit: 'mg/m3', limit: 0.8 });
    expect(
      findingsOf(watch(dust({ unit: 'ug/m3' })), readings('dust-01/TSP', T, 30, [...window(800), 1])),
    ).toEqual([]);
    for (const unit of [null, 'mg/L', '1']) {
      const router = watch(dust({ unit }));
      expect(findingsOf(router, micro)).toEqual([]);
      expect([...router.tally.notes.keys()]).toEqual(['limits limit-not-comparable-unit']);
    }
  });

  test('hourly means of a device are not held against a five-minute limit', () => {
    const hourly = dust({
      datastreams: [{ property: 'TSP', statistic: 'hour', unit: 'mg/m3', range: [0, 20], intervalS: 3600 }],
    });
    const router = watch(hourly);
    expect(findingsOf(router, readings('dust-01/TSP@hour', T, 3600, [5, 5, 5]))).toEqual([]);
    expect([...router.tally.notes.keys()]).toEqual(['limits limit-not-comparable-statistic']);
  });

  test('the rule in force when it happened is applied, at the turn of the year to the window', () => {
    const old = { ...DUST_5MIN, id: 'l-old', valid: { from: '2016-11-01', to: '2026-01-01' } };
    const now = { ...DUST_5MIN, id: 'l-new', max: 0.5, valid: { from: '2026-01-01', to: null } };
    const eve = at('2025-12-31 23:50');
    const device = dust({ since: at('2025-01-01 00:00') });
    const records = readings('dust-01/TSP', eve, 30, [...Array(40).fill(0.9), 0.1]);
    const findings = findingsOf(watch(device, [old, now]), records);
    const byRule = findings.map((f) => [f.detector.parameters.rule, f.state, clock(f.interval.to)]);
    expect(byRule).toMatchObject([
      [{ id: 'l-old' }, 'open', '2025-12-31 23:55:00'],
      [{ id: 'l-old' }, 'update', '2026-01-01 00:00:00'],
      [{ id: 'l-old' }, 'closed', '2026-01-01 00:00:00'],
      [{ id: 'l-new' }, 'open', '2026-01-01 00:05:00'],
      [{ id: 'l-new' }, 'update', '2026-01-01 00:10:00'],
    ]);
  });
});

describe('night noise', () => {
  const night = (from: string, values: number[]) =>
    findingsOf(watch(noise, [NIGHT_NOISE]), readings('noise-01/LAeq', at(from), 30, values));

  test('LAeq is the energy mean: a quarter of the time at 61 dB outweighs the rest at 40 dB', () => {
    const values = Array.from({ length: 41 }, (_, i) => (i % 4 === 0 ? 63 : 40));
    const [finding] = night('2026-11-22 23:00', values);
    expect(finding!.reason).toBe('LAeq-20min');
    expect(finding!.measure.value).toBeCloseTo(10 * Math.log10((10 ** 6.3 + 3 * 10 ** 4) / 4), 9);
    expect(
      night(
        '2026-11-22 23:00',
        values.map((v) => (v === 63 ? 60 : v)),
      ),
    ).toEqual([]);
  });

  test('only windows that lie wholly in the night count, also past midnight', () => {
    const all = night('2026-11-22 21:00', Array(12 * 120).fill(60));
    expect(clock(all[0]!.interval.from)).toBe('2026-11-22 22:00:00');
    expect(all.at(-1)!.state).toBe('closed');
    expect(clock(all.at(-1)!.interval.to)).toBe('2026-11-23 06:00:00');
    expect(new Set(all.map((f) => f.id)).size).toBe(1);
  });

  test('the same noise by day is no finding', () => {
    expect(night('2026-11-22 09:00', Array(400).fill(60))).toEqual([]);
  });
});

describe('an instant limit', () => {
  const max70 = { ...NIGHT_NOISE, id: 'l-max', statistic: { type: 'instant' }, max: 70 };

  test('one value is enough; five good ones end it; the worst is kept', () => {
    const values = [60, 71, 74, 72, 60, 60, 60, 60, 60];
    const records = readings('noise-01/LAeq', at('2026-11-22 23:00'), 30, values);
    const findings = findingsOf(watch(noise, [max70]), records);
    expect(findings.map((f) => [f.state, f.measure.value])).toEqual([
      ['open', 71],
      ['update', 74],
      ['update', 74],
      ['closed', 74],
    ]);
  });

  test('when values stop, the clock ends it', () => {
    const start = at('2026-11-22 23:00');
    const records = inOrder([reading('noise-01/LAeq', start, 90)], ticks(start, start + 7_200_000, 60));
    const findings = findingsOf(watch(noise, [max70]), records);
    expect(findings.map((f) => [f.state, clock(f.trigger.time).slice(11, 16)])).toEqual([
      ['open', '23:00'],
      ['closed', '23:30'],
    ]);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDuckDbSeries } from '../backbone/series/duckdb.ts';
import type { Series, SeriesPoint } from '../backbone/series/port.ts';
import type { Finding, ObservationRecord } from '../contracts/index.ts';
import { explainFinding } from './explain.ts';
import {
  at,
  BEIJING_MS,
  findingsOf,
  inOrder,
  readings,
  seeded,
  testCatalog,
  testDevice,
  testDirectory,
  testPlans,
  testRouter,
  ticks,
} from './sensors/testing/index.ts';

const T = at('2026-11-22 08:00');
const directory = testDirectory([
  testDevice('dust-01', ['TSP', 'PM10']),
  testDevice('dust-02', ['TSP']),
  testDevice('noise-01', ['LAeq']),
]);
const catalog = testCatalog();

/** A ramp over the limit and a stuck value; a site that is loud into the night; a device that stops. */
function story(): ObservationRecord[] {
  const random = seeded(3);
  const noisy = (base: number, swing: number) => base + swing * (random() + random() - 1);
  const ramp = Array.from({ length: 480 }, (_, i) => noisy(0.3 + Math.max(0, i / 120 - 1) * 0.4, 0.04));
  const stuck = Array.from({ length: 480 }, (_, i) => (i < 200 || i > 300 ? noisy(90, 8) : 88.125));
  const night = Array.from({ length: 200 }, () => noisy(58.3, 3));
  const night22 = at('2026-11-22 21:30');
  return inOrder(
    readings('dust-01/TSP', T, 30, ramp),
    readings('dust-01/PM10', T + 7, 30, stuck),
    readings('dust-02/TSP', T, 30, Array(40).fill(0.2)),
    readings('noise-01/LAeq', night22, 30, night),
    ticks(T, T + 5 * 3_600_000, 10),
  );
}

const records = story();
const plans = testPlans(
  { type: 'limits' },
  { type: 'early-warning' },
  { type: 'stuck' },
  { type: 'silence' },
);
const findings = findingsOf(testRouter({ directory, catalog, plans }), records);
const points: SeriesPoint[] = records.flatMap((r) =>
  r.type === 'observations' ? r.observations.map((o) => ({ ...o, receivedAt: r.receivedAt })) : [],
);

let folder: string;
let series: Series;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-explain-'));
  series = await openDuckDbSeries({ file: join(folder, 'series.duckdb'), log: pino({ level: 'silent' }) });
  await series.write(points);
});
afterAll(async () => {
  await series.close();
  await rm(folder, { recursive: true, force: true });
});

const explain = (finding: Finding, from: Series = series) =>
  explainFinding(finding, { series: from, directory, catalog, utcOffsetMs: BEIJING_MS });

describe('a finding computed again from what is stored', () => {
  test('every finding of four detectors comes out equal to the last bit, in each of its states', async () => {
    const kinds = new Set(findings.map((f) => f.kind));
    expect([...kinds].sort()).toEqual(['device-silent', 'early-warning', 'falsification', 'limit-exceeded']);
    for (const finding of findings) {
      const explanation = await explain(finding);
      const { differences } = explanation.steps.at(-1)!.detail;
      expect(differences, `${finding.kind} ${finding.device} ${finding.state}`).toEqual([]);
      expect(explanation.equal).toBe(true);
      expect(explanation.recomputed!.measure).toEqual(finding.measure);
    }
  });

  test('tells its steps', async () => {
    const { steps } = await explain(findings.find((f) => f.kind === 'limit-exceeded')!);
    expect(steps.map((s) => `${s.step} ${s.outcome}`)).toEqual([
      'detector same-version',
      'device found',
      'data points-read',
      'replay replayed',
      'compare equal',
    ]);
    expect(steps[2]!.detail).toMatchObject({ points: 11, valid: 11 });
  });

  test('one stored value that was changed shows', async () => {
    const finding = findings.find((f) => f.kind === 'limit-exceeded' && f.device === 'dust-01')!;
    const changed = readingFrom((point) =>
      point.time === finding.interval.from ? { ...point, value: point.value + 1e-9 } : point,
    );
    const explanation = await explain(finding, changed);
    expect(explanation.equal).toBe(false);
    expect(explanation.steps.at(-1)!.detail.differences).toContain('measure');
  });

  test('data that retention took away leave nothing to find', async () => {
    const finding = findings.find((f) => f.kind === 'limit-exceeded')!;
    expect(
      await explain(
        finding,
        readingFrom(() => null),
      ),
    ).toMatchObject({ recomputed: null, equal: false });
  });

  test('of an unknown detector it says so', async () => {
    const finding = { ...findings[0]!, detector: { name: 'tea-leaves', version: '1', parameters: {} } };
    await expect(explain(finding)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

/** The stored series, read through a change: null leaves a point out. */
function readingFrom(change: (point: SeriesPoint) => SeriesPoint | null): Series {
  const range: Series['range'] = async (query) =>
    (await series.range(query)).flatMap((point) => change(point) ?? []);
  return Object.assign(Object.create(series), { range });
}

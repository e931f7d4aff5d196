import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Finding, type ObservationRecord } from '../../contracts/index.ts';
import { restoreSnapshot, Snapshot, snapshotNow } from './snapshot.ts';
import {
  at,
  DUST_5MIN,
  findingsOf,
  inOrder,
  NIGHT_NOISE,
  reading,
  readings,
  seeded,
  testCatalog,
  testDevice,
  testDirectory,
  testPlans,
  testRouter,
  ticks,
} from './testing/index.ts';

const T = at('2026-11-22 22:00');
const directory = testDirectory([
  testDevice('dust-01', ['TSP', 'PM10']),
  testDevice('dust-02', ['TSP']),
  testDevice('noise-01', ['LAeq']),
]);
/** Detectors as configured for a quick story: learn in minutes instead of hours. */
const plans = testPlans(
  { type: 'limits' },
  { type: 'early-warning', params: { learnBuckets: 5, confirmBuckets: 1 } },
  { type: 'stuck', params: { minDurationS: 300, learnS: 300, minSamples: 5 } },
  { type: 'silence', params: { floorS: 120 } },
  { type: 'anomaly' },
);

/** Half a night of three devices: noise, a ramp, a violation, a stuck value, a silence, gaps, spikes and bad flags. */
function night(seed: number, rows: number): ObservationRecord[] {
  const random = seeded(seed);
  const lists: ObservationRecord[][] = [ticks(T, T + rows * 30_000, 20)];
  for (const id of ['dust-01/TSP', 'dust-01/PM10', 'dust-02/TSP', 'noise-01/LAeq']) {
    const base = id.endsWith('LAeq') ? 52 : id.endsWith('PM10') ? 90 : 0.5;
    const stuckFrom = Math.floor(random() * rows);
    const silentFrom = Math.floor(random() * rows);
    let value = base;
    for (let i = 0; i < rows; i += 1) {
      if (i > silentFrom && i < silentFrom + 20) continue;
      if (i < stuckFrom || i > stuckFrom + 30) value = base * (1 + (i / rows) * 0.9 + 0.2 * (random() - 0.5));
      const spike = random() < 0.005 ? 30 : 1;
      const quality = random() < 0.01 ? 'maintenance' : 'valid';
      lists.push([reading(id, T + i * 30_000 + Math.floor(random() * 900), value * spike, quality)]);
    }
  }
  return inOrder(...lists);
}

describe('the routing core', () => {
  test('every detector speaks in the story that the other tests rest on, in valid findings', () => {
    const findings = [1, 2, 3].flatMap((seed) =>
      findingsOf(testRouter({ directory, plans }), night(seed, 300)),
    );
    for (const finding of findings) expect(Finding.parse(finding)).toEqual(finding);
    const names = new Set(findings.map((f) => f.detector.name));
    expect([...names].sort()).toEqual(['anomaly', 'early-warning', 'limits', 'silence', 'stuck']);
  });

  test('revisions of a finding count from 0 without a hole, open first and nothing after closed', () => {
    const findings = findingsOf(testRouter({ directory, plans }), night(3, 300));
    const last = new Map<string, Finding>();
    for (const finding of findings) {
      const before = last.get(finding.id);
      expect(finding.revision).toBe(before === undefined ? 0 : before.revision + 1);
      expect(before?.state).not.toBe('closed');
      if (before === undefined && finding.state !== 'closed') expect(finding.state).toBe('open');
      last.set(finding.id, finding);
    }
    expect(last.size).toBeGreaterThan(3);
  });

  test('restarted from a checkpoint at any record, it finds the same, id by id, in the same order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        (seed, cuts) => {
          const records = night(seed, 100);
          const undisturbed = findingsOf(testRouter({ directory, plans }), records);
          const at = [...new Set(cuts.map((cut) => Math.floor(cut * records.length)))].sort((a, b) => a - b);
          const restarted: Finding[] = [];
          let router = testRouter({ directory, plans });
          records.forEach((record, i) => {
            if (at.includes(i)) {
              const bytes = snapshotNow(router);
              router = testRouter({ directory, plans });
              restoreSnapshot(
                router,
                bytes,
                (f) => restarted.push(f),
                (problem) => expect.fail(problem),
              );
            }
            router.handle(record, (f) => restarted.push(f));
          });
          expect(restarted).toEqual(undisturbed);
        },
      ),
      { numRuns: 12, seed: 7 },
    );
  });

  test('a snapshot taken in slices while records go on is the state of the moment it was begun', () => {
    const records = night(11, 150);
    const router = testRouter({ directory, plans });
    findingsOf(router, records.slice(0, 400));
    const expected = lines(snapshotNow(router));
    const snapshot = new Snapshot(router);
    const sliced: boolean[] = [];
    for (const record of records.slice(400, 440)) {
      router.handle(record, () => {});
      if (sliced.at(-1) !== true) sliced.push(snapshot.step(1));
    }
    while (sliced.at(-1) !== true) sliced.push(snapshot.step(1));
    expect(lines(snapshot.bytes())).toEqual(expected);
    expect(sliced.length).toBeGreaterThan(3);
  });

  test('the same time again and older times are passed over and counted', () => {
    const router = testRouter({ directory, plans });
    findingsOf(router, [
      reading('dust-02/TSP', T, 0.3),
      reading('dust-02/TSP', T, 0.9),
      reading('dust-02/TSP', T - 30_000, 0.9),
      reading('dust-02/TSP', T + 30_000, 0.3),
    ]);
    expect(router.tally).toMatchObject({ observed: 2, repeats: 1, outOfOrder: 1 });
  });

  test('what the registry does not know is passed over and counted', () => {
    const router = testRouter({ directory, plans });
    findingsOf(router, [reading('ghost/TSP', T, 1), reading('dust-02/SO2', T, 1)]);
    expect(router.tally).toMatchObject({ observed: 0, undeclared: 2 });
  });

  test('a detector that throws is stopped for that datastream and named; the others go on, also after a restart', () => {
    const faulty = {
      ...plans[0]!,
      label: 'faulty',
      detector: {
        ...plans[0]!.detector,
        name: 'faulty',
        attach: ({ id }: { id: string }) => ({
          observe: (_time: number, value: number) => {
            if (id === 'dust-02/TSP' && value > 0.5) throw new Error('divided by zero');
          },
          save: () => null,
          restore: () => {},
        }),
      },
    };
    const told: string[] = [];
    const options = {
      directory,
      plans: [faulty, ...plans],
      onFault: (detector: string, about: string) => told.push(`${detector} ${about}`),
    };
    const router = testRouter(options);
    const loud = readings('dust-02/TSP', T, 30, Array(11).fill(1.2));
    const findings = findingsOf(router, loud);
    expect(told).toEqual(['faulty dust-02/TSP']);
    expect(router.tally.latestFaults).toEqual([
      { detector: 'faulty', about: 'dust-02/TSP', message: 'divided by zero' },
    ]);
    expect(findings.map((f) => f.kind)).toContain('limit-exceeded');

    const again = testRouter(options);
    restoreSnapshot(
      again,
      snapshotNow(router),
      () => {},
      (problem) => expect.fail(problem),
    );
    findingsOf(again, readings('dust-02/TSP', T + 600_000, 30, [1.2]));
    expect(told).toHaveLength(1);
  });

  test('a device whose name changes keeps its windows; one whose unit changes begins anew', () => {
    const half = readings('dust-09/TSP', T, 30, Array(5).fill(1.2));
    const rest = readings('dust-09/TSP', T + 150_000, 30, Array(6).fill(1.2));
    const story = (changed: Parameters<typeof testDevice>[2]) => {
      const registry = testDirectory([testDevice('dust-09', ['TSP'])]);
      const router = testRouter({ directory: registry, plans: testPlans({ type: 'limits' }) });
      findingsOf(router, half);
      registry.put(testDevice('dust-09', ['TSP'], { ...changed, version: 2, since: T + 140_000 }));
      router.unsettle('dust-09');
      return findingsOf(router, rest).map((f) => f.measure.validCount);
    };
    expect(story({ name: { zh: '新名', en: 'new name' } })).toEqual([10]);
    expect(story({ unit: 'g/m3' })).toEqual([]);
  });

  test('a finding that is open when its limit is withdrawn is closed', () => {
    const router = testRouter({ directory, plans: testPlans({ type: 'limits' }) });
    const opened = findingsOf(router, readings('dust-02/TSP', T, 30, Array(11).fill(1.2)));
    const after: Finding[] = [];
    router.useCatalog(testCatalog([NIGHT_NOISE]), (f) => after.push(f));
    expect(after).toMatchObject([{ id: opened[0]!.id, state: 'closed', revision: 1 }]);
    router.useCatalog(testCatalog([DUST_5MIN]), (f) => after.push(f));
    expect(after).toHaveLength(1);
  });
});

function lines(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString('utf8').split('\n').sort();
}

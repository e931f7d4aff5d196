import { describe, expect, test } from 'vitest';
import type { ObservationRecord } from '../../../contracts/index.ts';
import {
  at,
  clock,
  findingsOf,
  inOrder,
  reading,
  readings,
  testDevice,
  testDirectory,
  testPlans,
  testRouter,
  ticks,
} from '../testing/index.ts';

const T = at('2026-11-22 10:00');
const MIN = 60_000;
const water = testDevice('water-01', ['COD', 'NH3N', 'PH', 'FLOW', 'TEMP']);

function story(records: readonly ObservationRecord[], devices = [water], params = {}) {
  const router = testRouter({
    directory: testDirectory(devices),
    plans: testPlans({ type: 'silence', params }),
    updateEveryMs: 3_600_000,
  });
  return findingsOf(router, records);
}
const short = (f: ReturnType<typeof story>[number]) =>
  `${clock(f.trigger.time).slice(11)} ${f.device} ${f.state} ${f.reason}`;

describe('a silent device', () => {
  test('of five datastreams makes one finding, after its time and not before', () => {
    const speaking = water.datastreams.flatMap((d) =>
      readings(`water-01/${d.property}`, T, 30, Array(20).fill(1)),
    );
    const findings = story(inOrder(speaking, ticks(T, T + 40 * MIN, 10)));
    // Last word at 10:09:30; the floor of 300 s is more than 4 × 30 s.
    expect(findings.map(short)).toEqual(['10:14:30 water-01 open silent']);
    expect(findings[0]).toMatchObject({
      kind: 'device-silent',
      matter: 'm-device-offline',
      measure: { statistic: 'silence', value: 300, unit: 's', limit: 300 },
      interval: { from: T + 9.5 * MIN },
    });
    expect(findings[0]!.input.datastreams).toHaveLength(5);
  });

  test('closes when it speaks again, and says for how long it was silent', () => {
    const records = inOrder(
      readings('water-01/COD', T, 30, Array(4).fill(1)),
      readings('water-01/COD', T + 20 * MIN, 30, [1, 1]),
      ticks(T, T + 24 * MIN, 10),
    );
    const findings = story(records);
    expect(findings.map(short)).toEqual(['10:06:30 water-01 open silent', '10:20:00 water-01 closed silent']);
    expect(findings[1]!.summary.en).toContain('speaks again since 2026-11-22 10:20, after');
  });

  test('a slow device is given four of its own intervals', () => {
    const hourly = testDevice('slow-01', ['COD'], { intervalS: 3600 });
    const records = inOrder([reading('slow-01/COD', T, 1)], ticks(T, T + 5 * 60 * MIN, 60));
    expect(story(records, [hourly]).map(short)).toEqual(['14:00:00 slow-01 open silent']);
  });

  test('a wrong clock in the device is not silence', () => {
    const wrong = Array.from({ length: 60 }, (_, i) =>
      reading('water-01/COD', T - 86_400_000 + i * 30_000, 1, 'valid', T + i * 30_000),
    );
    expect(story(inOrder(wrong, ticks(T, T + 29 * MIN, 10)))).toEqual([]);
  });

  test('a lost connection is named as supporting reason', () => {
    const records = inOrder(
      readings('water-01/COD', T, 30, [1, 1, 1]),
      [{ type: 'device', device: 'water-01', time: T + 90_000, event: 'lost' }],
      ticks(T, T + 10 * MIN, 10),
    );
    const [finding] = story(records);
    expect(finding!.detector.parameters.connection).toEqual({ time: T + 90_000, event: 'lost' });
    expect(finding!.summary.zh).toContain('连接于 2026-11-22 10:01 中断');
  });
});

describe('when it was us who did not listen', () => {
  const all = [water, testDevice('dust-01', ['TSP']), testDevice('dust-02', ['TSP'])];
  const speak = (from: number, rows: number) =>
    all.flatMap((d) => readings(`${d.id}/${d.datastreams[0]!.property}`, from, 30, Array(rows).fill(1)));

  test('an outage of an hour makes nobody silent; who stays silent after it is found with full patience', () => {
    const back = T + 70 * MIN;
    const records = inOrder(
      speak(T, 20),
      ticks(T, T + 10 * MIN, 10),
      ticks(back, back + 20 * MIN, 10),
      speak(back + MIN, 40).filter((r) => r.device !== 'dust-02'),
    );
    expect(story(records, all).map(short)).toEqual(['11:15:00 dust-02 open silent']);
  });

  test('ticks further apart, as on a fast clock, are no outage', () => {
    const records = inOrder(speak(T, 10), ticks(T, T + 60 * MIN, 120));
    expect(story(records, all)).toHaveLength(3);
  });

  test('a silence that was open before the outage stays one finding', () => {
    const records = inOrder(
      readings('dust-01/TSP', T, 30, [1, 1]),
      ticks(T, T + 20 * MIN, 10),
      ticks(T + 80 * MIN, T + 300 * MIN, 10),
    );
    const findings = story(records, all);
    expect(new Set(findings.map((f) => f.id)).size).toBe(1);
    expect(findings.map((f) => f.state)).toEqual(['open', 'update', 'update', 'update', 'update']);
  });
});

describe('a device that never spoke', () => {
  test('is named after the grace for its installation only', () => {
    const fresh = testDevice('dust-03', ['TSP'], { since: T });
    const router = testRouter({
      directory: testDirectory([fresh]),
      plans: testPlans({ type: 'silence', params: { neverHeardAfterS: 7200 } }),
    });
    router.expect('dust-03');
    const findings = findingsOf(router, ticks(T, T + 121 * MIN, 10));
    expect(findings.map(short)).toEqual(['12:00:00 dust-03 open never-heard']);
    const after = findingsOf(router, [reading('dust-03/TSP', T + 122 * MIN, 1)]);
    expect(after.map(short)).toEqual(['12:02:00 dust-03 closed never-heard']);
  });

  test('a new device that speaks and stops within the grace is silent as any other', () => {
    const fresh = testDevice('dust-03', ['TSP'], { since: T });
    const router = testRouter({ directory: testDirectory([fresh]), plans: testPlans({ type: 'silence' }) });
    router.expect('dust-03');
    const records = inOrder(readings('dust-03/TSP', T, 30, [1, 1]), ticks(T, T + 20 * MIN, 10));
    expect(findingsOf(router, records).map(short)[0]).toEqual('10:05:30 dust-03 open silent');
  });
});

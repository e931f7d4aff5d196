import { describe, expect, test } from 'vitest';
import {
  at,
  clock,
  findingsOf,
  reading,
  readings,
  seeded,
  testDevice,
  testDirectory,
  testPlans,
  testRouter,
} from '../testing/index.ts';

const T = at('2026-11-22 08:00');
const HOUR = 120;

function story(property: string, values: readonly number[], params = {}) {
  const id = `dev-01/${property}`;
  const router = testRouter({
    directory: testDirectory([testDevice('dev-01', [property])]),
    plans: testPlans({ type: 'stuck', params }),
    updateEveryMs: 3_600_000,
  });
  return findingsOf(router, readings(id, T, 30, values));
}

/** Dust as a sensor sees it: wanders, with noise, in steps of 0.001. */
function dust(rows: number, seed = 1): number[] {
  const random = seeded(seed);
  let level = 0.3;
  return Array.from({ length: rows }, () => {
    level += 0.02 * (random() - 0.5) - 0.01 * (level - 0.3);
    return Math.round((level + 0.03 * (random() - 0.5)) * 1000) / 1000;
  });
}

describe('a stuck value', () => {
  test('is found half an hour after it began, as a lead and not as proof, and ends when it moves again', () => {
    const values = [...dust(2 * HOUR), ...Array(HOUR).fill(0.312), ...dust(HOUR, 2)];
    const findings = story('TSP', values);
    expect(findings.map((f) => [f.state, clock(f.trigger.time).slice(11, 16)])).toEqual([
      ['open', '10:30'],
      ['closed', '11:00'],
    ]);
    expect(findings[0]).toMatchObject({
      kind: 'falsification',
      reason: 'stuck',
      severity: 'warning',
      matter: 'm-monitoring-data',
      interval: { from: T + 2 * 3_600_000 },
      measure: { statistic: 'swing', value: 0, unit: 'mg/m3' },
    });
    expect(findings[0]!.summary.zh).toContain('作为线索');
    expect(findings[0]!.summary.en).toContain('not proof');
  });

  test('a tiny wiggle around one value is found as well', () => {
    const random = seeded(5);
    const wiggle = Array.from({ length: HOUR }, () => 0.312 + 0.0001 * random());
    expect(story('TSP', [...dust(2 * HOUR), ...wiggle], { minSteps: 1 }).map((f) => f.state)).toEqual([
      'open',
    ]);
  });

  test('twenty minutes of it are not enough', () => {
    expect(story('TSP', [...dust(2 * HOUR), ...Array(40).fill(0.312), ...dust(HOUR, 2)])).toEqual([]);
  });

  test('a gap or a maintenance flag in the middle begins the count anew', () => {
    const records = readings('dev-01/TSP', T, 30, [...dust(2 * HOUR), ...Array(100).fill(0.312)]);
    const flagged = records.map((r, i) =>
      i === 2 * HOUR + 50 ? reading('dev-01/TSP', T + i * 30_000, 0.312, 'maintenance') : r,
    );
    const router = testRouter({
      directory: testDirectory([testDevice('dev-01', ['TSP'])]),
      plans: testPlans({ type: 'stuck' }),
    });
    expect(findingsOf(router, flagged)).toEqual([]);
  });
});

describe('what is constant by nature is left alone', () => {
  test('a value that never moved: nothing was learnt that it departs from', () => {
    expect(story('TSP', Array(10 * HOUR).fill(0.312))).toEqual([]);
  });

  test('a rain gauge: zeros, a shower, zeros again', () => {
    const rain = [...Array(6 * HOUR).fill(0), ...dust(HOUR).map((v) => v * 10), ...Array(6 * HOUR).fill(0)];
    expect(story('RAIN', rain)).toEqual([]);
  });

  test('a source that is switched off after a working day reads zero', () => {
    expect(story('COD', [...dust(8 * HOUR).map((v) => v * 100), ...Array(6 * HOUR).fill(0)])).toEqual([]);
  });

  test('a level to the centimetre: it moves by day and rests at night', () => {
    const day = dust(12 * HOUR).map((v) => Math.round(v * 20) / 100 + 2);
    const night = Array(12 * HOUR).fill(2.06);
    expect(story('LEVEL', [...day, ...night])).toEqual([]);
  });

  test('healthy dust, thirty days of it, with nights five times as calm', () => {
    const random = seeded(9);
    const values = Array.from({ length: 30 * 24 * HOUR }, (_, i) => {
      const night = Math.floor(i / HOUR) % 24 >= 14;
      return 0.3 + (night ? 0.006 : 0.03) * (random() + random() - 1);
    });
    expect(story('TSP', values)).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import {
  at,
  DUST_5MIN,
  findingsOf,
  inOrder,
  NIGHT_NOISE,
  readings,
  seeded,
  testCatalog,
  testDevice,
  testDirectory,
  testPlans,
  testRouter,
  ticks,
} from '../testing/index.ts';
import { learn, newTrend, upperTail } from './trend.ts';

const T = at('2026-11-22 08:00');
const MIN = 60_000;

function story(
  values: readonly number[],
  options: { property?: string; from?: number; limits?: boolean } = {},
) {
  const { property = 'TSP', from = T, limits = false } = options;
  const router = testRouter({
    directory: testDirectory([testDevice('dev-01', [property])]),
    catalog: testCatalog([DUST_5MIN, NIGHT_NOISE]),
    plans: limits
      ? testPlans({ type: 'early-warning' }, { type: 'limits' })
      : testPlans({ type: 'early-warning' }),
    updateEveryMs: 300_000,
  });
  return findingsOf(router, readings(`dev-01/${property}`, from, 30, values));
}

/** An hour at 0.3 mg/m³, then rising by `perHour`, with noise. */
function ramp(perHour: number, hours: number, seed: number, noise = 0.04): number[] {
  const random = seeded(seed);
  return Array.from({ length: (1 + hours) * 120 }, (_, i) => {
    const rise = Math.max(0, i / 120 - 1) * perHour;
    return 0.3 + rise + noise * (random() + random() - 1);
  });
}

describe('a slow ramp towards the limit', () => {
  test('is foreseen at least ten minutes ahead, and the warning comes true', () => {
    const leads: number[] = [];
    for (let seed = 1; seed <= 20; seed += 1) {
      const findings = story(ramp(0.4, 2, seed), { limits: true });
      const broken = findings.find((f) => f.kind === 'limit-exceeded');
      const warned = findings.find((f) => f.kind === 'early-warning');
      expect(broken, `seed ${seed}`).toBeDefined();
      expect(warned, `seed ${seed}`).toBeDefined();
      leads.push((broken!.interval.to - warned!.trigger.time) / MIN);
      const ended = findings.find((f) => f.kind === 'early-warning' && f.state === 'closed');
      expect(ended!.detector.parameters).toMatchObject({ rule: { id: 'l-dust' } });
      expect(broken!.detector.parameters).toMatchObject({ rule: { id: 'l-dust' } });
    }
    leads.sort((a, b) => a - b);
    expect(leads[10]).toBeGreaterThanOrEqual(10);
  });

  test('tells level, probability, window and time left, first as a watch, then as a warning', () => {
    const findings = story(ramp(0.4, 2, 3));
    expect(findings[0]).toMatchObject({
      kind: 'early-warning',
      reason: 'mean-5min-forecast',
      state: 'open',
      matter: 'm-dust-site',
      measure: { limit: 0.8, unit: 'mg/m3' },
    });
    const { probability, timeToLimitS } = findings[0]!.detector.parameters as Record<string, number>;
    expect(probability).toBeGreaterThanOrEqual(0.6);
    expect(timeToLimitS).toBeGreaterThan(0);
    expect(findings.map((f) => f.severity)).toContain('warning');
    const last = findings.findLast((f) => f.state === 'closed');
    expect(last!.detector.parameters.outcome).toBe('came-true');
  });

  test('nothing is said while the limit is broken already', () => {
    const findings = story(ramp(0.4, 4, 3));
    expect(findings.filter((f) => f.state === 'open').length).toBeLessThanOrEqual(1);
    expect(findings.at(-1)!.state).toBe('closed');
  });

  test('a ramp that turns back recedes', () => {
    const up = ramp(0.45, 1, 3);
    const down = ramp(0.45, 1, 4).slice(120).reverse();
    const findings = story([...up, ...down, ...ramp(0, 1, 5)]);
    expect(findings.at(-1)).toMatchObject({
      state: 'closed',
      detector: { parameters: { outcome: 'receded' } },
    });
  });

  test('when data stop, the warning ends honestly', () => {
    const values = ramp(0.4, 2, 3).slice(0, 272);
    const router = testRouter({
      directory: testDirectory([testDevice('dev-01', ['TSP'])]),
      plans: testPlans({ type: 'early-warning' }),
    });
    const records = inOrder(readings('dev-01/TSP', T, 30, values), ticks(T, T + 6 * 60 * MIN, 60));
    const last = findingsOf(router, records).at(-1);
    expect(last!.detector.parameters.outcome).toBe('no-data');
  });
});

describe('no ramp, no warning', () => {
  test('noise at half the limit: ten days without a word', () => {
    expect(story(ramp(0, 240, 7, 0.15))).toEqual([]);
  });

  test('by day the night limit is not warned of, however loud the site', () => {
    expect(story(Array(200).fill(68), { property: 'LAeq', from: at('2026-11-22 20:00') })).toEqual([]);
  });
});

describe('the trend', () => {
  test('its variance is that of the noise it sees', () => {
    const random = seeded(3);
    const trend = newTrend();
    for (let i = 0; i < 2000; i += 1) learn(trend, 5 + random() - 0.5);
    // Uniform noise has 1/12; one-step errors of a smoothing forecast have somewhat more.
    expect(trend.variance).toBeGreaterThan(1 / 12);
    expect(trend.variance).toBeLessThan(1.6 / 12);
  });

  test('the normal tail is right to six digits', () => {
    expect(upperTail(0)).toBeCloseTo(0.5, 6);
    expect(upperTail(1.959964)).toBeCloseTo(0.025, 6);
    expect(upperTail(-1.644854)).toBeCloseTo(0.95, 6);
  });
});

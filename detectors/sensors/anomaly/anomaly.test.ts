import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Catalog } from '../../../backbone/catalog.ts';
import { Device } from '../../../contracts/index.ts';
import type { DatastreamContext, Said } from '../detector.ts';
import { AnomalyParams, anomalyDetector, createScorer } from './index.ts';

const START = Date.parse('2026-11-22T13:40:00Z');

describe('anomaly detector on a river level, a value every 10 s', () => {
  it('opens one finding when the level jumps after 70 minutes, and closes it once quiet', () => {
    const said = watchRiver((i, healthy) => (i >= 420 && i < 480 ? healthy + 0.8 : healthy), 700);
    expect(said.map((s) => s.state).filter((s) => s !== 'update')).toEqual(['open', 'closed']);
    expect(said[0]?.since).toBe(START + 420 * 10_000);
    expect(said[0]?.reason).toBe('sudden-change');
    expect(said[0]?.summary.en).toMatch(
      /^LEVEL changed suddenly to 2\.8\d* m where 2\.0\d* m was to be expected; off by 0\.\d+ m/,
    );
    expect(said[0]?.summary.zh).toMatch(/^LEVEL 突变为 2\.8\d* m/);
  });

  it('says nothing about healthy noise with a slow drift', () => {
    expect(watchRiver((_, healthy) => healthy, 2000)).toEqual([]);
  });

  it('neither judges nor learns what is not valid', () => {
    const watch = attach();
    const heard: Said[] = [];
    const before = JSON.stringify(watch.save());
    for (let i = 0; i < 300; i++) watch.observe(START + i * 10_000, 99, 'maintenance', (s) => heard.push(s));
    expect(JSON.stringify(watch.save())).toBe(before);
    expect(heard).toEqual([]);
  });
});

describe('scorer', () => {
  it('continues bit for bit from a saved state', () => {
    const row = fc.tuple(
      fc.integer({ min: 0, max: 600_000 }),
      fc.double({ noNaN: true, min: -1e12, max: 1e12 }),
    );
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 200 }), fc.nat(199), (rows, cut) => {
        const whole = createScorer();
        let half = createScorer();
        let time = START;
        rows.forEach(([passed, value], i) => {
          time += passed;
          if (i === cut % rows.length) {
            const state = JSON.parse(JSON.stringify(half.save()));
            half = createScorer();
            expect(half.restore(state)).toBe(true);
          }
          expect(half.step(time, value)).toBe(whole.step(time, value));
        });
        expect(half.save()).toBe(whole.save());
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('keeps within [0, 1] whatever comes', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 1, 1e308, -1e308, 5e-324),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 80, maxLength: 300 }), (values) => {
        const scorer = createScorer();
        values.forEach((v, i) => {
          const score = scorer.step(START + i * 1000, v);
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        });
      }),
      { seed: 11, numRuns: 60 },
    );
  });
});

function watchRiver(shape: (i: number, healthy: number) => number, rows: number): Said[] {
  const watch = attach();
  const said: Said[] = [];
  const noise = gaussian(42);
  let slow = 0;
  for (let i = 0; i < rows; i++) {
    slow = 0.95 * slow + 0.004 * noise();
    const level = 2 + slow + (0.05 * i) / 360;
    watch.observe(START + i * 10_000, Math.round(shape(i, level) * 1000) / 1000, 'valid', (s) =>
      said.push(s),
    );
  }
  return said;
}

function attach() {
  const device = Device.parse({
    id: 'river-01',
    kind: 'sensor',
    name: { zh: '河道水位', en: 'River level' },
    site: 'site-river',
    location: [123.43, 41.8],
    datastreams: [{ property: 'LEVEL', unit: 'm', range: [0, 20], intervalS: 10 }],
  });
  const context: DatastreamContext = {
    id: 'river-01/LEVEL',
    device: { ...device, version: 1, since: START },
    datastream: device.datastreams[0]!,
    catalog: {} as Catalog,
    region: '210199',
    utcOffsetMs: 8 * 3_600_000,
  };
  const watch = anomalyDetector.attach(context, AnomalyParams.parse({}));
  if (watch === null) throw new Error('nothing attached');
  return watch;
}

/** Seeded standard normal numbers. */
function gaussian(seed: number): () => number {
  let a = seed;
  const uniform = () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

import { describe, expect, it } from 'vitest';
import type { Catalog } from '../../../backbone/catalog.ts';
import { Device } from '../../../contracts/index.ts';
import type { DatastreamContext, DatastreamWatch, Said } from '../detector.ts';
import { AnomalyParams, anomalyDetector } from './index.ts';
import { gaussian } from './testing.ts';

const START = Date.parse('2026-11-22T13:40:00Z');
const RIVER_S = 10;

describe('anomaly detector on a river level, a value every 10 s', () => {
  it('opens one finding at once when the level leaps after 70 minutes, and closes it once quiet', () => {
    const said = watchRiver((i, healthy) => (i >= 420 && i < 480 ? healthy + 0.8 : healthy), 700);
    expect(said.map((s) => s.state).filter((s) => s !== 'update')).toEqual(['open', 'closed']);
    expect(said[0]?.since).toBe(START + 420 * 10_000);
    expect(said[0]?.reason).toBe('sudden-change');
    expect(said[0]?.summary.en).toMatch(
      /^LEVEL changed suddenly to 2\.8\d* m where 2\.0\d* m was to be expected; off by 0\.\d+ m/,
    );
    expect(said[0]?.summary.zh).toMatch(/^LEVEL 突变为 2\.8\d* m/);
  });

  it('opens a finding three minutes into a rise that no single value proves, and says since when', () => {
    const rise = (i: number) => (i < 420 ? 0 : 0.9 * (1 - Math.exp(-(i - 420) / 10)));
    const said = watchRiver((i, healthy) => healthy + rise(i), 480);
    expect(said[0]).toMatchObject({ state: 'open', matter: 'm-monitoring-abnormal' });
    expect(said[0]!.since).toBeLessThanOrEqual(START + 423 * 10_000);
    expect(said[0]!.input.to - said[0]!.since).toBeGreaterThanOrEqual(180_000);
  });

  it('says nothing about a wave that is gone within a minute', () => {
    const wave = (i: number) => (i >= 420 && i < 426 ? 0.06 : 0);
    expect(watchRiver((i, healthy) => healthy + wave(i), 700)).toEqual([]);
  });

  it('takes a higher level of a day not yet seen for that of the hour, until it is far outside', () => {
    const opensAt = (lift: number) =>
      watchRiver((i, healthy) => healthy + (i < 420 ? 0 : lift * (1 - Math.exp(-(i - 420) / 4))), 600);
    expect(opensAt(0.12)).toEqual([]);
    expect(opensAt(0.4).map((s) => s.state)).toContain('open');
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

  it('finds the same when it is saved and restored at any observation', () => {
    const shape = (i: number, healthy: number) => (i >= 420 && i < 470 ? healthy + 0.25 : healthy);
    const whole = watchRiver(shape, 600);
    expect(whole.length).toBeGreaterThan(0);
    for (const cut of [1, 60, 419, 421, 425, 440, 471, 520]) {
      expect(watchRiver(shape, 600, cut), `cut at ${cut}`).toEqual(whole);
    }
  });

  it('does not start when it is switched off', () => {
    expect(anomalyDetector.attach(context(), AnomalyParams.parse({ enabled: false }))).toBeNull();
  });
});

/** What is said of a river whose healthy level wanders by millimetres, shaped by `shape`. */
function watchRiver(shape: (i: number, healthy: number) => number, rows: number, cut = -1): Said[] {
  let watch = attach();
  const said: Said[] = [];
  const noise = gaussian(42);
  let slow = 0;
  for (let i = 0; i < rows; i++) {
    if (i === cut) {
      const state: unknown = JSON.parse(JSON.stringify(watch.save()));
      watch = attach();
      watch.restore(state);
    }
    slow = 0.95 * slow + 0.004 * noise();
    const level = 2 + slow + (0.05 * i) / 360;
    const value = Math.round(shape(i, level) * 1000) / 1000;
    watch.observe(START + i * RIVER_S * 1000, value, 'valid', (s) => said.push(s));
  }
  return said;
}

function attach(): DatastreamWatch {
  const watch = anomalyDetector.attach(context(), AnomalyParams.parse({}));
  if (watch === null) throw new Error('nothing attached');
  return watch;
}

function context(): DatastreamContext {
  const device = Device.parse({
    id: 'river-01',
    kind: 'sensor',
    name: { zh: '河道水位', en: 'River level' },
    site: 'site-river',
    location: [123.43, 41.8],
    datastreams: [{ property: 'LEVEL', unit: 'm', range: [0, 20], intervalS: RIVER_S }],
  });
  return {
    id: 'river-01/LEVEL',
    device: { ...device, version: 1, since: START },
    datastream: device.datastreams[0]!,
    catalog: { limits: [] as Catalog['limits'] } as Catalog,
    region: '210199',
    utcOffsetMs: 8 * 3_600_000,
  };
}

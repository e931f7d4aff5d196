import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Device, NativeMessage } from '../contracts/index.ts';
import { districtDevices } from './district/index.ts';
import { type Dispatch, playDevice, playFleet, type ReadingsDispatch } from './fleet.ts';
import { demoScenario, type Happening, truthOf } from './scenarios/index.ts';
import { DAY, HOUR, hourOf, isNight, MINUTE } from './time.ts';

const ORIGIN = Date.parse('2026-11-22T21:40:00+08:00');
/** Of one hour of the demonstration under seed 1. A change of it changes every figure ever recorded: say so in the commit. */
const GOLDEN = '288ca698d8475f81';
const devices = districtDevices();
const demo = demoScenario(ORIGIN, devices).happenings;
const device = (id: string): Device => devices.find((d) => d.id === id)!;

interface Point {
  time: number;
  value: number;
}
/** What a device says of one property, repeats left out, in order of its own time. */
function seriesOf(
  id: string,
  property: string,
  happenings: readonly Happening[],
  from: number,
  to: number,
  seed = 1,
): Point[] {
  const points = new Map<number, number>();
  for (const d of playDevice(device(id), { seed, happenings }, from, to)) {
    if (d.type !== 'readings') continue;
    const message = NativeMessage.parse(JSON.parse(d.payload.toString()));
    points.set(message.time, message.readings[property] as number);
  }
  return [...points].map(([time, value]) => ({ time, value })).sort((a, b) => a.time - b.time);
}

const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
const leq = (xs: readonly number[]) => 10 * Math.log10(mean(xs.map((x) => 10 ** (x / 10))));

/** The largest statistic of any window of that length that lies wholly among the points. */
function worst(
  points: readonly Point[],
  windowMs: number,
  statistic: (xs: readonly number[]) => number,
): number {
  let most = -Infinity;
  let first = 0;
  for (let last = 0; last < points.length; last++) {
    while (points[last]!.time - points[first]!.time >= windowMs) first += 1;
    if (points[last]!.time - points[0]!.time < windowMs) continue;
    most = Math.max(most, statistic(points.slice(first, last + 1).map((p) => p.value)));
  }
  return most;
}

function digest(dispatches: Iterable<Dispatch>): string {
  const hash = createHash('sha256');
  for (const d of dispatches) hash.update(JSON.stringify(d));
  return hash.digest('hex').slice(0, 16);
}

describe('a fleet', () => {
  it('says the same, byte for byte, for the same seed: a change here changes every recorded figure', () => {
    const hour = () => playFleet(devices, { seed: 1, happenings: demo }, ORIGIN, ORIGIN + HOUR);
    expect(digest(hour())).toBe(digest(hour()));
    expect(digest(hour())).toBe(GOLDEN);
    expect(digest(playFleet(devices, { seed: 2, happenings: demo }, ORIGIN, ORIGIN + HOUR))).not.toBe(GOLDEN);
  });

  it('says the same of a moment wherever the playing began', () => {
    const later = ORIGIN + 37 * MINUTE;
    const readAt = (from: number) =>
      [...playDevice(device('dust-03'), { seed: 1, happenings: demo }, from, later + 5 * MINUTE)]
        .filter((d): d is ReadingsDispatch => d.type === 'readings' && d.time >= later)
        .map((d) => d.payload.toString());
    expect(readAt(later)).toEqual(readAt(ORIGIN));
  });

  it('adding a device changes nothing that the others say', () => {
    const alone = [...playFleet([device('dust-01')], { seed: 1, happenings: [] }, ORIGIN, ORIGIN + HOUR)];
    const among = [...playFleet(devices, { seed: 1, happenings: [] }, ORIGIN, ORIGIN + HOUR)];
    expect(among.filter((d) => d.device === 'dust-01')).toEqual(alone);
  });

  it('sends in order of sending time and nothing before it was read', () => {
    const sent = [...playFleet(devices, { seed: 3, happenings: demo }, ORIGIN, ORIGIN + 2 * HOUR)];
    expect(sent.filter((d, i) => i > 0 && d.sendAt < sent[i - 1]!.sendAt)).toEqual([]);
    expect(sent.filter((d) => d.type !== 'power' && d.sendAt <= d.time)).toEqual([]);
  });

  it('has readings lost, told twice and overtaken, each rarely', () => {
    const sent = [
      ...playDevice(device('river-01'), { seed: 1, happenings: [] }, ORIGIN, ORIGIN + DAY),
    ].filter((d) => d.type === 'readings');
    const first = sent.filter((d) => !d.repeat);
    const overtaken = first.filter((d, i) => i > 0 && d.time < first[i - 1]!.time);
    expect(8640 - first.length).toBeGreaterThan(5);
    expect(8640 - first.length).toBeLessThan(40);
    expect(sent.length - first.length).toBeGreaterThan(10);
    expect(overtaken.length).toBeGreaterThan(1);
    expect(overtaken.length).toBeLessThan(20);
  });

  it('keeps every value inside the range that the registry states', () => {
    const outside: string[] = [];
    for (const d of playFleet(devices, { seed: 5, happenings: demo }, ORIGIN, ORIGIN + 2 * HOUR)) {
      if (d.type !== 'readings') continue;
      const { readings } = NativeMessage.parse(JSON.parse(d.payload.toString()));
      for (const { property, range } of device(d.device).datastreams) {
        const value = readings[property] as number;
        if (!(value >= range[0] && value <= range[1])) outside.push(`${d.device} ${property} ${value}`);
      }
    }
    expect(outside).toEqual([]);
  });
});

describe('healthy sources', () => {
  // Days and nights of other seeds, judged by this test's own arithmetic.
  const seeds = [11, 12];

  it.each(['dust-01', 'dust-04', 'dust-08'])('%s never breaks 0.8 mg/m3 TSP over 5 minutes', (id) => {
    for (const seed of seeds)
      expect(worst(seriesOf(id, 'TSP', [], ORIGIN, ORIGIN + DAY, seed), 5 * MINUTE, mean)).toBeLessThan(0.7);
  });

  it.each(['noise-01', 'noise-05'])('%s keeps 55 dB at night and 70 dB by day over 20 minutes', (id) => {
    for (const seed of seeds) {
      const points = seriesOf(id, 'LAeq', [], ORIGIN, ORIGIN + DAY, seed);
      const evening = points.filter((p) => isNight(p.time) && p.time < ORIGIN + 12 * HOUR);
      expect(worst(evening, 20 * MINUTE, leq)).toBeLessThan(53);
      expect(worst(points, 20 * MINUTE, leq)).toBeLessThan(68);
    }
  });

  it('water stays within what its permit allows, and its properties move together', () => {
    const [cod, nh3] = ['COD', 'NH3N'].map((p) =>
      seriesOf('water-04', p, [], ORIGIN, ORIGIN + DAY).map((x) => x.value),
    );
    expect(Math.max(...cod!)).toBeLessThan(90);
    expect(Math.min(...cod!)).toBeGreaterThan(15);
    const [mc, mn] = [mean(cod!), mean(nh3!)];
    const covariance = mean(cod!.map((c, i) => (c - mc) * (nh3![i]! - mn)));
    const deviation = (xs: number[], m: number) => Math.sqrt(mean(xs.map((x) => (x - m) ** 2)));
    expect(covariance / (deviation(cod!, mc) * deviation(nh3!, mn))).toBeGreaterThan(0.6);
  });

  it('no healthy series stands still: never the same value for ten minutes', () => {
    for (const d of devices.filter((x) => x.kind === 'sensor')) {
      for (const { property, intervalS } of d.datastreams) {
        const values = seriesOf(d.id, property, [], ORIGIN, ORIGIN + 2 * HOUR).map((p) => p.value);
        let run = 1;
        let longest = 1;
        for (let i = 1; i < values.length; i++) {
          run = values[i] === values[i - 1] ? run + 1 : 1;
          longest = Math.max(longest, run);
        }
        expect(longest * intervalS, `${d.id} ${property}`).toBeLessThan(600);
      }
    }
  });

  it('days are louder than nights', () => {
    const points = seriesOf('noise-06', 'LAeq', [], ORIGIN, ORIGIN + DAY);
    const between = (a: number, b: number) =>
      leq(points.filter((p) => hourOf(p.time) >= a && hourOf(p.time) < b).map((p) => p.value));
    expect(between(9, 12)).toBeGreaterThan(between(1, 4) + 6);
  });
});

describe('the demonstration evening', () => {
  const truth = truthOf(demo, devices).filter((v) => v.from < ORIGIN + 2 * HOUR);
  const end = ORIGIN + 2 * HOUR;

  it('has one violation of each kind, all findable before 23:40', () => {
    expect(truth.map((v) => v.kind).sort()).toEqual([
      'anomaly',
      'device-silent',
      'falsification',
      'image',
      'limit-exceeded',
      'limit-exceeded',
    ]);
    expect(truth.every((v) => v.findableBy < end)).toBe(true);
  });

  it('dust-03 without spraying breaks the 5-minute mean soon, and only then', () => {
    const v = truth.find((t) => t.id === 'dust-without-spraying')!;
    const points = seriesOf('dust-03', 'TSP', demo, ORIGIN, end);
    expect(
      worst(
        points.filter((p) => p.time < v.from + 8 * MINUTE),
        5 * MINUTE,
        mean,
      ),
    ).toBeGreaterThan(0.9);
    expect(
      worst(
        points.filter((p) => p.time < v.from),
        5 * MINUTE,
        mean,
      ),
    ).toBeLessThan(0.6);
    expect(
      worst(
        points.filter((p) => p.time > v.to + v.aftermathMs),
        5 * MINUTE,
        mean,
      ),
    ).toBeLessThan(0.6);
  });

  it('piling at noise-02 breaks the night level within its first 20 minutes', () => {
    const v = truth.find((t) => t.id === 'piling-at-night')!;
    const points = seriesOf('noise-02', 'LAeq', demo, v.from - 20 * MINUTE, v.from + 20 * MINUTE);
    expect(worst(points, 20 * MINUTE, leq)).toBeGreaterThan(60);
  });

  it('the lawful neighbours stay lawful: evening work, gust, passing truck', () => {
    const evening = seriesOf('noise-04', 'LAeq', demo, ORIGIN, end);
    expect(leq(evening.filter((p) => p.time < ORIGIN + 15 * MINUTE).map((p) => p.value))).toBeGreaterThan(60);
    expect(
      worst(
        evening.filter((p) => isNight(p.time)),
        20 * MINUTE,
        leq,
      ),
    ).toBeLessThan(54);

    const gust = seriesOf('dust-05', 'TSP', demo, ORIGIN, end);
    expect(Math.max(...gust.map((p) => p.value))).toBeGreaterThan(0.8);
    expect(worst(gust, 5 * MINUTE, mean)).toBeLessThan(0.7);

    const truck = seriesOf('noise-03', 'LAeq', demo, ORIGIN + 20 * MINUTE, end);
    expect(Math.max(...truck.map((p) => p.value))).toBeGreaterThan(60);
    expect(worst(truck, 20 * MINUTE, leq)).toBeLessThan(54);
  });

  it('holds the COD of water-02 at one value while its other properties go on', () => {
    const from = ORIGIN + 66 * MINUTE;
    expect(new Set(seriesOf('water-02', 'COD', demo, from, end).map((p) => p.value)).size).toBe(1);
    expect(new Set(seriesOf('water-02', 'PH', demo, from, end).map((p) => p.value)).size).toBeGreaterThan(10);
  });

  it('takes the power from dust-07 and never hears of it again in these two hours', () => {
    const sent = [...playDevice(device('dust-07'), { seed: 1, happenings: demo }, ORIGIN, end)];
    const off = sent.findIndex((d) => d.type === 'power' && !d.on);
    expect(sent[off]!.sendAt).toBe(ORIGIN + 25 * MINUTE);
    expect(sent.slice(off + 1)).toEqual([]);
    expect(off).toBeGreaterThan(40);
  });

  it('raises the river by some decimetres where it moved by millimetres', () => {
    const v = truth.find((t) => t.kind === 'anomaly')!;
    const points = seriesOf('river-01', 'LEVEL', demo, ORIGIN, end);
    const span = (xs: Point[]) => Math.max(...xs.map((p) => p.value)) - Math.min(...xs.map((p) => p.value));
    expect(span(points.filter((p) => p.time >= v.from - 20 * MINUTE && p.time < v.from))).toBeLessThan(0.05);
    expect(span(points.filter((p) => p.time >= v.from && p.time < v.from + 6 * MINUTE))).toBeGreaterThan(
      0.35,
    );
  });

  it('puts the stays into the stories of the cameras, and each into pictures where it must be seen', () => {
    const withStay = (id: string, stay: string) =>
      [...playDevice(device(id), { seed: 1, happenings: demo }, ORIGIN, end)].filter(
        (d) =>
          d.type === 'picture' &&
          d.story.stays.some((s) => s.id === stay && s.from <= d.time && d.time < s.to),
      ).length;
    expect(withStay('cam-01', 'truck-in-fire-lane')).toBeGreaterThanOrEqual(11);
    expect(withStay('cam-02', 'passenger-gets-out')).toBeLessThanOrEqual(1);
    expect(withStay('cam-03', 'delivery-van')).toBeGreaterThan(35);
  });
});

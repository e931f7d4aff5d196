import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bestThreshold,
  geometryOf,
  PROFILES,
  type Profile,
  type RowWindow,
  resultAt,
  type ScoredSeries,
  scoreAt,
} from './window-score.ts';

const { standard, lowFp, lowFn } = PROFILES;

describe('the window score', () => {
  it('is 100 for alerts on the first row of each window, and nothing else', () => {
    const series = oneSeries(100, [
      [40, 59],
      [80, 89],
    ]);
    series.scores[40] = 1;
    series.scores[80] = 1;
    for (const profile of Object.values(PROFILES)) expect(scoreAt([series], profile, 1)).toBeCloseTo(100, 12);
  });

  it('is 0 for silence', () => {
    const series = oneSeries(100, [[40, 59]]);
    for (const profile of Object.values(PROFILES)) expect(scoreAt([series], profile, 0.5)).toBe(0);
  });

  it('gives about 0.86 half-way through a window and next to nothing on its last row', () => {
    const { worth } = geometryOf(1000, [[400, 499]]);
    expect(worth[400]).toBe(1);
    expect(worth[450]).toBeCloseTo(0.86, 2);
    expect(worth[499]).toBeGreaterThan(0);
    expect(worth[499]).toBeLessThan(0.03);
  });

  it('counts the earliest alert in a window; repeats are free, each false alarm costs', () => {
    const series = oneSeries(100, [[40, 59]]);
    series.scores.fill(1, 40, 60);
    expect(scoreAt([series], standard, 1)).toBeCloseTo(100, 12);
    series.scores.fill(1, 20, 29);
    expect(resultAt(series, standard, 1)).toMatchObject({ hit: 1, falseAlarms: 9, alarms: 29 });
    expect(scoreAt([series], standard, 1)).toBeCloseTo(100 - (9 * 11) / 2, 9);
    expect(scoreAt([series], lowFp, 1)).toBeCloseTo(100 - (9 * 22) / 2, 9);
  });

  it('costs less just behind a window than far from it, and full price before the first', () => {
    const { worth } = geometryOf(1000, [[400, 499]]);
    expect(worth[399]).toBe(-1);
    expect(worth[500]).toBeGreaterThan(-0.06);
    expect(worth[900]).toBe(-1);
  });

  it('never counts the first 15 % of rows, at most 750, as hits or as false alarms', () => {
    const series = oneSeries(100, [[10, 30]]);
    series.scores.fill(1, 0, 15);
    expect(resultAt(series, lowFn, 1)).toEqual({ raw: -2, hit: 0, falseAlarms: 0, alarms: 0 });
    expect(geometryOf(100_000, []).skip).toBe(750);
  });

  it('finds the threshold that trying each one by hand finds', () => {
    fc.assert(
      fc.property(fc.array(seriesOf(), { minLength: 1, maxLength: 4 }), profiles(), (set, profile) => {
        if (set.every((s) => s.geometry.windows === 0)) return;
        const tried = [Number.POSITIVE_INFINITY, ...new Set(set.flatMap((s) => [...s.scores]))];
        const scores = tried.map((threshold) => naiveScore(set, profile, threshold));
        const best = Math.max(...scores);
        const found = bestThreshold(set, profile);
        expect(scoreAt(set, profile, found)).toBeCloseTo(best, 9);
        const highest = Math.max(...tried.filter((_, i) => (scores[i] ?? 0) > best - 1e-9));
        expect(found).toBe(highest);
      }),
      { seed: 3, numRuns: 150 },
    );
  });

  it('agrees to 1e-9 with the rule written down a second time', () => {
    fc.assert(
      fc.property(
        seriesOf(),
        profiles(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (series, profile, t) => {
          if (series.geometry.windows === 0) return;
          expect(Math.abs(scoreAt([series], profile, t) - naiveScore([series], profile, t))).toBeLessThan(
            1e-9,
          );
        },
      ),
      { seed: 4, numRuns: 300 },
    );
  });
});

function oneSeries(rows: number, windows: RowWindow[]): Described {
  return { geometry: geometryOf(rows, windows), scores: new Float64Array(rows), windows };
}

interface Described extends ScoredSeries {
  windows: RowWindow[];
}

function profiles(): fc.Arbitrary<Profile> {
  return fc.constantFrom(standard, lowFp, lowFn);
}

/** A series of 20 to 200 rows with up to three windows in order, and scores with many ties. */
function seriesOf(): fc.Arbitrary<Described> {
  return fc
    .tuple(
      fc.integer({ min: 20, max: 200 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { maxLength: 6 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 8 })),
    )
    .map(([rows, cuts, stream]) => {
      const places = cuts.sort((a, b) => a - b).map((cut) => Math.floor((cut * rows) / 20));
      const windows: RowWindow[] = [];
      for (let i = 0; i + 1 < places.length; i += 2) windows.push([places[i]!, places[i + 1]! - 1]);
      const usable = windows.filter(([first, last]) => last > first);
      const scores = Float64Array.from({ length: rows }, () => (stream.next().value ?? 0) / 8);
      return { ...oneSeries(rows, usable), scores };
    });
}

/** The rule of docs/detectors/anomaly.md, window by window and row by row, with nothing shared with the code under test. */
function naiveScore(set: readonly Described[], profile: Profile, threshold: number): number {
  const g = (p: number) => (p > 3 ? -1 : 2 / (1 + Math.exp(5 * p)) - 1);
  let raw = 0;
  let windows = 0;
  for (const { windows: spans, scores } of set) {
    const skip = Math.min(Math.floor(scores.length * 0.15), 750);
    const alerts = [...scores.keys()].filter((i) => i >= skip && scores[i]! >= threshold);
    windows += spans.length;
    for (const [l, r] of spans) {
      const first = alerts.find((i) => i >= l && i <= r);
      raw += first === undefined ? -profile.fn : (profile.tp * g(-(r - first + 1) / (r - l + 1))) / g(-1);
    }
    for (const i of alerts.filter((a) => !spans.some(([l, r]) => a >= l && a <= r))) {
      const before = spans.filter(([, r]) => r < i).at(-1);
      raw += profile.fp * (before === undefined ? -1 : g((i - before[1]) / (before[1] - before[0])));
    }
  }
  return (100 * (raw + profile.fn * windows)) / ((profile.tp + profile.fn) * windows);
}

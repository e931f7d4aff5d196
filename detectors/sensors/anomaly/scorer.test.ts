import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScorer, FULL_DIGITS, PROBATION_ROWS, REST_ROWS, SCORER_BYTES } from './scorer.ts';
import { gaussian, uniform } from './testing.ts';
import { thresholdFor } from './threshold.ts';

const START = Date.parse('2026-11-01T00:00:00Z');
const FIVE_MINUTES = 300_000;
const DAY_ROWS = 288;

describe('the scorer is surprised by', () => {
  it('a value far outside everything seen', () => {
    const noise = gaussian(1);
    const { digits, branch } = surpriseAt(1000, (i) => (i === 1000 ? 40 : 10 + noise()));
    expect(digits).toBeGreaterThan(4);
    expect(['value-never-seen', 'sudden-change']).toContain(branch);
  });

  it('a leap within the range of values, where the curve is smooth', () => {
    const noise = gaussian(2);
    const smooth = (i: number) => 10 + 5 * Math.sin((2 * Math.PI * i) / DAY_ROWS) + 0.01 * noise();
    const { digits, branch } = surpriseAt(1500, (i) => smooth(i) - (i === 1500 ? 1.5 : 0));
    expect(branch).toBe('sudden-change');
    expect(digits).toBeGreaterThan(4);
  });

  it('works that do not start on the tenth day, although every value was seen before', () => {
    const noise = gaussian(3);
    const works = (i: number) => (i % DAY_ROWS > 100 && i % DAY_ROWS < 220 ? 80 : 20) + 0.5 * noise();
    const branches = branchesFrom(9 * DAY_ROWS, 10 * DAY_ROWS, (i) =>
      i >= 9 * DAY_ROWS && i < 10 * DAY_ROWS ? 20 + 0.5 * noise() : works(i),
    );
    expect(branches).toContain('unlike-other-days');
  });
});

describe('the scorer is not surprised by', () => {
  it('the hundredth burst of a bursty datastream', () => {
    const next = uniform(4);
    const bursts = (i: number) => (i % 50 === 0 ? 100 + 300 * next() : next());
    const { digits } = surpriseAt(6000, (i) => (i === 6000 ? 420 : bursts(i)));
    expect(digits).toBeLessThan(4);
  });

  it('a gap of ten days, whatever the level on its other side', () => {
    const noise = gaussian(5);
    const scorer = createScorer();
    for (let i = 0; i < 600; i++) scorer.step(START + i * FIVE_MINUTES, 10 + 0.1 * i + noise());
    scorer.step(START + 3000 * FIVE_MINUTES, 45);
    expect(scorer.last.branch === 'sudden-change' && scorer.last.digits > 0).toBe(false);
  });

  it('anything during its probation', () => {
    const scorer = createScorer();
    for (let i = 0; i < PROBATION_ROWS; i++) {
      expect(scorer.step(START + i * FIVE_MINUTES, i === 50 ? 1e6 : Math.sin(i))).toBe(0);
    }
  });
});

describe('the scorer', () => {
  it('rests after a peak: the same again scores nothing, more of it does', () => {
    const noise = gaussian(6);
    const scorer = createScorer();
    const leaps = new Map([
      [1000, 30],
      [1000 + REST_ROWS / 4, 30],
      [1000 + REST_ROWS / 2, 3000],
    ]);
    const scores = new Map<number, number>();
    for (let i = 0; i < 1100; i++) {
      const score = scorer.step(START + i * FIVE_MINUTES, leaps.get(i) ?? 10 + noise());
      if (leaps.has(i)) scores.set(i, score);
    }
    const [first = 0, same, more = 0] = [...scores.values()];
    expect(first).toBeGreaterThan(0.3);
    expect(same).toBe(0);
    expect(more).toBeGreaterThan(first);
  });

  it('keeps its state below 1 KB', () => {
    expect(SCORER_BYTES).toBeLessThanOrEqual(1024);
    expect(Buffer.from(createScorer().save(), 'base64').length).toBe(SCORER_BYTES);
  });

  it('refuses a state of another size and keeps its own', () => {
    const scorer = createScorer();
    scorer.step(START, 1);
    const before = scorer.save();
    expect(scorer.restore('AAAA')).toBe(false);
    expect(scorer.save()).toBe(before);
  });

  it('continues bit for bit from a saved state', () => {
    const row = fc.tuple(
      fc.integer({ min: 0, max: 9_000_000 }),
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

  it('keeps within [0, 1] whatever comes, at whatever times', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 1, 1e308, -1e308, 5e-324),
    );
    const passed = fc.constantFrom(0, 1, 10, 1000, 900_000, 7_200_000, 86_400_000, 31_536_000_000);
    fc.assert(
      fc.property(fc.array(fc.tuple(passed, value), { minLength: 80, maxLength: 300 }), (rows) => {
        const scorer = createScorer();
        let time = START;
        for (const [later, v] of rows) {
          time += later;
          const score = scorer.step(time, v);
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        }
      }),
      { seed: 11, numRuns: 80 },
    );
  });
});

describe('the stated false-alarm rate', () => {
  // Ten kinds of healthy noise; 3 days each at 30 s: 60 datastream days, in which 0.006 alarms are stated.
  const kinds: Record<string, (n: () => number, u: () => number) => (i: number) => number> = {
    white: (n) => () => 10 + n(),
    uniform: (_, u) => () => u(),
    wandering: (n) => autoregressive(1, n),
    correlated: (n) => autoregressive(0.95, n),
    drifting: (n) => {
      const noise = autoregressive(0.9, n);
      return (i) => noise() + 0.002 * i;
    },
    daily: (n) => (i) => 20 + 5 * Math.sin((2 * Math.PI * i) / 2880) + n(),
    rounded: (n) => {
      const noise = autoregressive(0.95, n);
      return () => Math.round((7 + 0.1 * noise()) * 10) / 10;
    },
    skewed: (_, u) => () => -Math.log(1 - u()) - Math.log(1 - u()),
    constant: () => () => 4.2,
    counts: (_, u) => () => Math.floor(-2 * Math.log(1 - u())),
  };

  for (const [kind, make] of Object.entries(kinds)) {
    it(`holds on ${kind} data`, () => {
      const threshold = thresholdFor(0.0001, 30);
      const alarms: number[] = [];
      for (const seed of [1, 2]) {
        const value = make(gaussian(seed), uniform(seed + 100));
        const scorer = createScorer();
        for (let i = 0; i < 3 * 2880; i++) {
          if (scorer.step(START + i * 30_000, value(i)) >= threshold) alarms.push(i);
        }
      }
      expect(alarms).toEqual([]);
    });
  }

  it('asks for more digits where values come more often', () => {
    expect(FULL_DIGITS * thresholdFor(0.001, 86.4)).toBeCloseTo(6, 9);
    expect(FULL_DIGITS * thresholdFor(0.001, 8.64)).toBeCloseTo(7, 9);
  });
});

/** x ← share · x + noise. */
function autoregressive(share: number, noise: () => number): () => number {
  let x = 0;
  return () => {
    x = share * x + noise();
    return x;
  };
}

/** The last surprise when rows 0 … `row` of a five-minute series have been seen. */
function surpriseAt(row: number, value: (i: number) => number) {
  const scorer = createScorer();
  for (let i = 0; i <= row; i++) scorer.step(START + i * FIVE_MINUTES, value(i));
  return scorer.last;
}

/** Branches of the surprises of at least 3 digits within a span of rows. */
function branchesFrom(from: number, to: number, value: (i: number) => number): string[] {
  const scorer = createScorer();
  const branches: string[] = [];
  for (let i = 0; i < to; i++) {
    const score = scorer.step(START + i * FIVE_MINUTES, value(i));
    if (i >= from && score * FULL_DIGITS >= 3) branches.push(scorer.last.branch);
  }
  return branches;
}

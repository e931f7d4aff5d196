/** Seeded chance: the same numbers give the same street on every machine. Not for secrets. */

/** Mixes numbers and strings into 32 bits (murmur-like finish), so that seeds side by side share nothing. */
export function hash(...parts: (number | string)[]): number {
  let h = 0x9e3779b9;
  for (const part of parts) {
    for (const word of typeof part === 'string' ? [...part].map((c) => c.charCodeAt(0)) : words(part)) {
      h = Math.imul(h ^ word, 0x85ebca6b);
      h ^= h >>> 13;
    }
  }
  h = Math.imul(h ^ (h >>> 16), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function words(n: number): number[] {
  return [n | 0, Math.floor(n / 0x1_0000_0000) | 0, Math.round((n % 1) * 1e6) | 0];
}

export interface Chance {
  /** In [0, 1). */
  next(): number;
  between(from: number, to: number): number;
  int(from: number, to: number): number;
  pick<T>(of: readonly T[]): T;
  /** True in a share `p` of the cases. */
  is(p: number): boolean;
}

/** mulberry32. */
export function chance(...seed: (number | string)[]): Chance {
  let a = hash(...seed);
  const next = () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    between: (from, to) => from + next() * (to - from),
    int: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: (of) => {
      const chosen = of[Math.floor(next() * of.length)];
      if (chosen === undefined) throw new RangeError('nothing to pick from');
      return chosen;
    },
    is: (p) => next() < p,
  };
}

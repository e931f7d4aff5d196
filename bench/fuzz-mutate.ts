/**
 * Mutations for fuzzing: bytes in, broken bytes out, by a seeded generator, so that what was found can be found again.
 */
export type Random = () => number;

/** A small seeded generator (mulberry32): 0 ≤ r < 1. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const MOST_BYTES = 16_384;
/** What parsers stumble over. */
const WORDS = [
  '1e999',
  '-0',
  'NaN',
  '\u0000',
  '"',
  '\\u0000',
  '{',
  '[[[[[[[[',
  '##0000',
  '##9999',
  '&&',
  ';',
  ',',
  '=',
  '\r\n',
  '99999999999999999999',
  '__proto__',
  'ÿ',
].map((word) => Buffer.from(word));
const BYTES = [0x00, 0x7f, 0x80, 0xff, 0x0a, 0x0d, 0x22, 0x5c, 0x7b, 0x9f, 0xbf, 0xdf, 0xfb];

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const at = (length: number, random: Random) => Math.floor(random() * length);
const pick = <T>(all: readonly T[], random: Random): T => all[at(all.length, random)] as T;

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  bitFlip(bytes, random) {
    const copy = Buffer.from(bytes);
    const place = at(copy.length, random);
    if (copy.length > 0) copy[place] = (copy[place] ?? 0) ^ (1 << at(8, random));
    return copy;
  },
  oddByte(bytes, random) {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[at(copy.length, random)] = pick(BYTES, random);
    return copy;
  },
  truncate: (bytes, random) => bytes.subarray(0, at(bytes.length + 1, random)),
  remove(bytes, random) {
    const from = at(bytes.length + 1, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + at(16, random))]);
  },
  duplicate(bytes, random) {
    const from = at(bytes.length, random);
    const part = bytes.subarray(from, from + 1 + at(64, random));
    const times = 1 + at(random() < 0.05 ? 200 : 3, random);
    return Buffer.concat([bytes.subarray(0, from), ...Array(times).fill(part), bytes.subarray(from)]);
  },
  splice(bytes, random, other) {
    return Buffer.concat([
      bytes.subarray(0, at(bytes.length + 1, random)),
      other.subarray(at(other.length + 1, random)),
    ]);
  },
  insertWord(bytes, random) {
    const place = at(bytes.length + 1, random);
    return Buffer.concat([bytes.subarray(0, place), pick(WORDS, random), bytes.subarray(place)]);
  },
  /** A number that says how long something is, says something else: in digits, or as one, two or four bytes. */
  lengthLie(bytes, random) {
    const copy = Buffer.from(bytes);
    const digits = [...copy.keys()].filter((i) => (copy[i] ?? 0) >= 0x30 && (copy[i] ?? 0) <= 0x39);
    if (digits.length > 0 && random() < 0.5) copy[pick(digits, random)] = 0x30 + at(10, random);
    else if (copy.length >= 4) {
      const place = at(copy.length - 3, random);
      if (random() < 0.5) copy.writeUInt32BE(at(0xffffffff, random), place);
      else copy.writeUInt16BE(at(0xffff, random), place);
    }
    return copy;
  },
};

/** Values where others are meant. */
const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  0.1,
  '',
  '1',
  [],
  {},
  [[]],
  'x'.repeat(300),
  253_402_300_800_000,
];

/** Of JSON: one of its values becomes another one, so that it stays JSON and its meaning breaks. Else null. */
function otherValue(bytes: Buffer, random: Random): Buffer | null {
  let all: unknown;
  try {
    all = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  for (let inside: unknown = all; typeof inside === 'object' && inside !== null; ) {
    const keys = Object.keys(inside);
    if (keys.length === 0) return null;
    const key = pick(keys, random);
    const value: unknown = Reflect.get(inside, key);
    if (typeof value !== 'object' || value === null || random() < 0.2) {
      Reflect.set(inside, key, pick(ODD, random));
      return Buffer.from(JSON.stringify(all));
    }
    inside = value;
  }
  return null;
}

const NAMES = Object.keys(MUTATIONS);

/** One to four mutations, one on top of the other. */
export function mutate(bytes: Buffer, other: Buffer, random: Random): Buffer {
  let mutated = (random() < 0.3 ? otherValue(bytes, random) : null) ?? bytes;
  if (mutated !== bytes && random() < 0.8) return mutated;
  for (let i = at(random() < 0.5 ? 1 : 4, random); i >= 0; i--) {
    mutated = MUTATIONS[pick(NAMES, random)]?.(mutated, random, other) ?? mutated;
  }
  return mutated.subarray(0, MOST_BYTES);
}

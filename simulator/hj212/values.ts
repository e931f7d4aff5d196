import { ripple, seedOf } from '../random.ts';
import { MINUTE } from '../time.ts';

/** What a dust monitor (ST=39) measures: factor codes of HJ 212-2017 Appendix B, and the properties they stand for. */
export const FACTORS = [
  { code: 'a34002', property: 'PM10', unit: 'ug/m3', mid: 80, swing: 20, range: [0, 10_000] },
  { code: 'a34004', property: 'PM2.5', unit: 'ug/m3', mid: 35, swing: 8, range: [0, 10_000] },
  { code: 'a01001', property: 'TEMP', unit: 'Cel', mid: 12, swing: 4, range: [-60, 80] },
] as const;

/** Values at a time, a function of MN and time alone: asked for again, they are the same. */
export function valuesAt(mn: string, time: number): { code: string; value: string }[] {
  const seed = seedFor(mn);
  return FACTORS.map(({ code, mid, swing }, i) => ({
    code,
    value: (mid + swing * ripple(seed + i, time, 5 * MINUTE)).toFixed(1),
  }));
}

/** By MN; bounded, as there is one for each device of a load. */
const seeds = new Map<string, number>();

function seedFor(mn: string): number {
  const known = seeds.get(mn);
  if (known !== undefined) return known;
  if (seeds.size > 1_000_000) seeds.clear();
  const seed = seedOf(mn);
  seeds.set(mn, seed);
  return seed;
}

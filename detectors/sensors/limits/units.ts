/**
 * Which units may stand in for one another, by exact factors. A unit that is missing, or that is not listed here with
 * the limit's, gives no finding: a value in an unstated unit is no evidence.
 */
export interface Conversion {
  /** value in the limit's unit = value × times / by: both exact, so that 800 ug/m3 is 0.8 mg/m3 to the last bit. */
  times: number;
  by: number;
}

/** Size of each UCUM unit in the smallest of its family. */
const FAMILIES: readonly Readonly<Record<string, number>>[] = [
  { 'g/m3': 1_000_000_000, 'mg/m3': 1_000_000, 'ug/m3': 1000, 'ng/m3': 1 },
  { 'g/L': 1_000_000, 'mg/L': 1000, 'ug/L': 1 },
  // Levels in this field are A-weighted (GB 3096, GB 12523); UCUM itself knows only the plain decibel.
  { dB: 1, 'dB[A]': 1, 'dB(A)': 1 },
];

/** Null: not comparable. */
export function conversion(from: string | null, to: string): Conversion | null {
  if (from === null) return null;
  if (from === to) return { times: 1, by: 1 };
  for (const family of FAMILIES) {
    const [a, b] = [family[from], family[to]];
    if (a === undefined || b === undefined) continue;
    return a >= b ? { times: a / b, by: 1 } : { times: 1, by: b / a };
  }
  return null;
}

export function convert(value: number, { times, by }: Conversion): number {
  return (value * times) / by;
}

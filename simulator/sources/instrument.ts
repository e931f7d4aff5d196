/** From what is so to what the instrument shows: noise, a slow drift of its zero, the digits it has, its range. */
import type { Datastream } from '../../contracts/index.ts';
import { normal, seedOf, wander } from '../random.ts';
import { DAY } from '../time.ts';

interface Make {
  /** Deviation of the noise as a share of the value … */
  relative: number;
  /** … and apart from it, in the unit of the value. */
  absolute: number;
  /** Digits behind the point. */
  decimals: number;
}

/** By property, as data sheets of common instruments state them. */
const MAKES: Record<string, Make> = {
  TSP: { relative: 0.04, absolute: 0.004, decimals: 3 },
  PM10: { relative: 0.04, absolute: 1.5, decimals: 1 },
  'PM2.5': { relative: 0.05, absolute: 1, decimals: 1 },
  TEMP: { relative: 0, absolute: 0.1, decimals: 1 },
  RH: { relative: 0, absolute: 0.5, decimals: 1 },
  LAeq: { relative: 0, absolute: 0.25, decimals: 1 },
  COD: { relative: 0.015, absolute: 0.5, decimals: 1 },
  NH3N: { relative: 0.015, absolute: 0.03, decimals: 2 },
  PH: { relative: 0, absolute: 0.02, decimals: 2 },
  COND: { relative: 0.005, absolute: 2, decimals: 0 },
  FLOW: { relative: 0.01, absolute: 0.1, decimals: 1 },
  LEVEL: { relative: 0, absolute: 0.002, decimals: 3 },
};
const PLAIN: Make = { relative: 0.01, absolute: 0, decimals: 3 };

export interface Instrument {
  show(time: number, truth: number): number;
}

export function instrumentFor(deviceSeed: number, { property, range }: Datastream): Instrument {
  const { relative, absolute, decimals } = MAKES[property] ?? PLAIN;
  const seed = seedOf(deviceSeed, 'instrument', property);
  const [least, most] = range;
  return {
    show(time, truth) {
      const drift = 0.5 * absolute * wander(seed + 1, time, 2 * DAY);
      const noise = normal(seed, time) * Math.hypot(relative * truth, absolute);
      const shown = Math.min(most, Math.max(least, truth + drift + noise));
      return Number(shown.toFixed(decimals));
    },
  };
}

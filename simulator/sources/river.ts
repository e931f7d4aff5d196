/** The level of a small river at a gauge, in m: slow swell, ripples, rain, and what somebody lets off upstream. LEVEL. */

import { seedOf, unit, wander } from '../random.ts';
import { felt, of } from '../scenarios/deeds.ts';
import { HOUR, MINUTE, SECOND } from '../time.ts';
import type { Source, Surroundings } from './source.ts';

export function riverSource({ seed, weather, happenings }: Surroundings): Source {
  const s = (what: string) => seedOf(seed, 'river', what);
  const [swell, ripple] = [s('swell'), s('ripple')];
  const bed = 2 + unit(swell, 0);
  const discharges = of(happenings, 'discharge');
  return {
    at(time) {
      const slow = 0.05 * wander(swell, time, 9 * HOUR) + 0.008 * wander(swell + 1, time, 50 * MINUTE);
      const ripples = 0.003 * wander(ripple, time, 15 * SECOND);
      const letOff = 0.42 * felt(discharges, time, 100 * SECOND, 7 * MINUTE);
      return { LEVEL: bed + slow + ripples + runOff(weather, time) + letOff };
    },
  };
}

/** Rain arrives in the river over the three hours after it fell. */
function runOff(weather: Surroundings['weather'], time: number): number {
  let sum = 0;
  for (let minutesAgo = 15; minutesAgo <= 180; minutesAgo += 15) {
    sum += weather.rain(time - minutesAgo * MINUTE) * Math.exp(-minutesAgo / 90);
  }
  return 0.012 * sum;
}

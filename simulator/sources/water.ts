/**
 * Waste water at an outlet: one load on the works drives all properties, so that they move together as they do in
 * life. FLOW in L/s, COD and NH3N in mg/L, PH, COND (conductivity) in uS/cm.
 */

import { seedOf, unit, wander } from '../random.ts';
import { felt, of } from '../scenarios/deeds.ts';
import { HOUR, hourOf, MINUTE } from '../time.ts';
import type { Source, Surroundings } from './source.ts';

export function waterSource({ seed, weather, happenings }: Surroundings): Source {
  const s = (what: string) => seedOf(seed, 'water', what);
  const [load, process, acid, flow] = [s('load'), s('process'), s('acid'), s('flow')];
  const size = 0.7 + 0.8 * unit(load, 0);
  const discharges = of(happenings, 'discharge');
  return {
    at(time) {
      const loaded =
        daily(time) + 0.35 * wander(load, time, 3 * HOUR) + 0.12 * wander(process, time, 12 * MINUTE);
      const letOff = felt(discharges, time, 2 * MINUTE, 8 * MINUTE);
      return {
        FLOW:
          size *
          (32 +
            9 * daily(time) +
            1.5 * wander(flow, time, 9 * MINUTE) +
            2 * Math.min(weather.at(time).rain, 4) +
            14 * letOff),
        COD: 44 + 8 * loaded + 85 * letOff,
        NH3N: 4.2 + 0.8 * loaded + 0.25 * wander(process + 1, time, 25 * MINUTE) + 6 * letOff,
        PH:
          7.35 +
          0.09 * wander(acid, time, 2 * HOUR) +
          0.03 * wander(acid + 1, time, 6 * MINUTE) -
          0.9 * letOff,
        COND: 980 + 60 * loaded + 15 * wander(process + 2, time, 10 * MINUTE) + 700 * letOff,
      };
    },
  };
}

/** People and shifts: a peak at nine in the morning and one at eight in the evening; -1 to 1. */
function daily(time: number): number {
  const turn = (hourOf(time) / 24) * 2 * Math.PI;
  return (
    0.55 * Math.cos(turn - (14 / 24) * 2 * Math.PI) + 0.4 * Math.cos(2 * (turn - (9 / 24) * 2 * Math.PI))
  );
}

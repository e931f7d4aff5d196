/**
 * Dust at the fence of a building site: the city's background, what work stirs up, what spraying lays, what trucks
 * leave behind them; the wind thins it, rain washes it out. TSP in mg/m3, PM10 and PM2.5 in ug/m3, TEMP, RH.
 */

import { bursts, seedOf, unit, wander } from '../random.ts';
import { during, felt, of } from '../scenarios/deeds.ts';
import { HOUR, hourOf, MINUTE, SECOND } from '../time.ts';
import type { Source, Surroundings } from './source.ts';

export function dustSource({ seed, weather, happenings }: Surroundings): Source {
  const s = (what: string) => seedOf(seed, 'dust', what);
  const [city, site, trucks, stirred] = [s('city'), s('site'), s('trucks'), s('stirred')];
  const dryWorks = of(happenings, 'dry-earthworks');
  const gusts = of(happenings, 'dust-gust');
  const place = unit(site, 0);
  return {
    at(time) {
      const air = weather.at(time);
      const washed = 1 / (1 + air.rain);
      // mg/m3 of TSP: what comes from afar, and what the site adds.
      const background =
        (0.085 + 0.02 * wander(city, time, 5 * HOUR) + 0.006 * wander(city + 1, time, 7 * MINUTE)) * washed;
      const thinned = Math.min(1.4, 2.6 / (0.8 + air.wind));
      const works = (0.1 + 0.05 * place) * workload(time) * sprayed(site, time) * thinned * washed;
      const passed = 0.13 * workload(time) * wakeOfTrucks(trucks, time) * washed;
      const dry =
        1.2 *
        felt(dryWorks, time, 80 * SECOND, 110 * SECOND) *
        (1 + 0.12 * wander(stirred, time, 2 * MINUTE));
      const gust = during(gusts, time) ? 0.75 * (1 + 0.1 * wander(stirred, time, 20 * SECOND)) : 0;
      const coarse = works + passed + dry + gust;
      return {
        TSP: background + coarse,
        PM10: 1000 * (0.72 * background + 0.46 * coarse),
        'PM2.5': 1000 * (0.42 * background + 0.09 * coarse),
        TEMP: air.temperature + 0.8 * (place - 0.5),
        RH: Math.min(100, air.humidity - 2 * (place - 0.5)),
      };
    },
  };
}

/** Share of full work on a site that keeps its hours: 06:30 to 21:00, with a rest at noon. */
function workload(time: number): number {
  const hour = hourOf(time);
  const ramp = (from: number, to: number) => Math.min(1, Math.max(0, (hour - from) / (to - from)));
  const day = ramp(6.5, 7.5) * (1 - ramp(20.5, 21.2));
  const noon = 0.5 * ramp(12, 12.2) * (1 - ramp(13, 13.3));
  return 0.12 + 0.88 * day * (1 - noon);
}

/** A spray cannon goes round every 20 minutes; in between the ground dries. */
function sprayed(seed: number, time: number): number {
  const cycle = 20 * MINUTE;
  const share = ((time + unit(seed, 1) * cycle) % cycle) / cycle;
  return 0.5 + 0.5 * share;
}

/** Each truck that leaves whirls up a cloud which settles within two minutes. */
function wakeOfTrucks(seed: number, time: number): number {
  return bursts(seed, time, 12 * MINUTE, 4 * MINUTE).reduce((sum, { since, size }) => {
    return sum + (0.4 + 0.6 * size) * Math.exp(-since / (50 * SECOND));
  }, 0);
}

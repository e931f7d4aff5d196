import type { Happening } from '../scenarios/deeds.ts';
import type { Weather } from './weather.ts';

/**
 * A source as it truly is, before any instrument looks at it: a pure function of time. Values by observed property, in
 * the unit that the registry names. Asked for any moment, in any order, it answers the same.
 */
export interface Source {
  /** The mean over the `spanMs` that end at `time` where the instrument averages, else the value at `time`. */
  at(time: number, spanMs: number): Record<string, number>;
}

/** What a source is made of. */
export interface Surroundings {
  /** The device's own seed. */
  seed: number;
  weather: Weather;
  /** What happens to this device's source. */
  happenings: readonly Happening[];
}

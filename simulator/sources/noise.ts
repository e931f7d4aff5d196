/**
 * Sound at the fence of a building site: levels in dB(A), added as energies. The instrument gives the equivalent level
 * of each interval, so the source is asked for it over the span that ends at a time. LAeq in dB.
 */

import { bursts, seedOf, unit, wander } from '../random.ts';
import { during, of } from '../scenarios/deeds.ts';
import { HOUR, hourOf, isNight, MINUTE, SECOND } from '../time.ts';
import type { Source, Surroundings } from './source.ts';

/** Nothing changes faster than a passing truck; this catches it. */
const STEP_MS = 2 * SECOND;

const energy = (level: number) => 10 ** (level / 10);
const level = (energies: number) => 10 * Math.log10(energies);

export function noiseSource({ seed, weather, happenings }: Surroundings): Source {
  const s = (what: string) => seedOf(seed, 'noise', what);
  const seeds = { city: s('city'), cars: s('cars'), site: s('site'), machines: s('machines') };
  const machines = of(happenings, 'machines');
  const trucks = of(happenings, 'truck-passing');

  /** Energy at one moment, relative to 0 dB(A). */
  function momentary(time: number): number {
    let sum =
      energy(cityLevel(seeds.city, time) + 2 * Math.min(1, weather.at(time).rain)) +
      carsPassing(seeds.cars, time);
    if (ownWork(seeds.site, time)) sum += energy(siteLevel(seeds.machines, time));
    const work = during(machines, time);
    if (work) sum += energy(work.levelDb + rhythm(seeds.machines, time));
    const truck = during(trucks, time);
    if (truck) sum += energy(70 - ((time - (truck.from + truck.to) / 2) / (6 * SECOND)) ** 2 * 4.3);
    return sum;
  }

  return {
    at(time, spanMs) {
      const steps = Math.max(1, Math.round(spanMs / STEP_MS));
      let sum = 0;
      for (let i = 0; i < steps; i++) sum += momentary(time - spanMs + (i + 0.5) * (spanMs / steps));
      return { LAeq: level(sum / steps) };
    },
  };
}

/** The hum of the city: quietest at three in the night, loud from seven to nine in the evening. */
function cityLevel(seed: number, time: number): number {
  const hour = hourOf(time);
  const day = 0.5 - 0.5 * Math.cos(((hour - 3) / 24) * 2 * Math.PI);
  return (
    43 +
    9 * day ** 0.8 -
    (isNight(time) ? 2 : 0) +
    wander(seed, time, HOUR) +
    0.8 * wander(seed + 1, time, MINUTE)
  );
}

/** Single cars on the road outside, 6 s each: many by day, few at night. */
function carsPassing(seed: number, time: number): number {
  const share = isNight(time) ? 0.25 : 0.8;
  return bursts(seed, time, 45 * SECOND, 12 * SECOND, share).reduce((sum, { since, size }) => {
    return sum + energy(50 + 7 * size - ((since - 6 * SECOND) / (2 * SECOND)) ** 2 * 2);
  }, 0);
}

/** A site that keeps its hours: from 07:00 to somewhere between 19:00 and 21:00, quiet at noon. */
function ownWork(seed: number, time: number): boolean {
  const hour = hourOf(time);
  const closes = 19 + 2 * unit(seed, 0);
  return hour >= 7 && hour < closes && !(hour >= 12 && hour < 13.2);
}

/** Day work: machines start and stop, some louder than others, together below the day limit. */
function siteLevel(seed: number, time: number): number {
  const shift = Math.floor(time / (9 * MINUTE));
  const running = unit(seed, shift) < 0.75;
  return (running ? 57 + 6 * unit(seed + 1, shift) : 48) + rhythm(seed, time);
}

/** The rhythm of a machine under load, a few dB up and down. */
function rhythm(seed: number, time: number): number {
  return 0.8 * wander(seed + 2, time, 90 * SECOND) + 0.6 * wander(seed + 3, time, 5 * SECOND);
}

import { FULL_DIGITS } from './scorer.ts';

/**
 * The one threshold for labelled series, frozen: the middle of the plateau on which the standard profile of both
 * development sets together (28 NAB and 10 LRO series, one shared threshold) is highest, also when their rows are
 * thinned, shifted and cut at random. It is much more talkative than the product's own threshold, because the rule of
 * those sets pays for early hits and asks little for false alarms.
 */
export const FROZEN_THRESHOLD = { score: 0.2625, chosenOn: ['nab', 'lro'], profile: 'standard' } as const;

/**
 * The score at which a finding opens at once, so that a healthy datastream with a value every `intervalS` raises about
 * `falseAlarmsPerDay`: the score counts digits of improbability per observation, a day has 86,400 / intervalS of them.
 */
export function thresholdFor(falseAlarmsPerDay: number, intervalS: number): number {
  const digits = Math.log10(86_400 / intervalS / falseAlarmsPerDay);
  return Math.min(1, Math.max(LEAST_DIGITS, digits) / FULL_DIGITS);
}

/** However seldom a datastream reports, less than 1 in 1,000 is no news. */
const LEAST_DIGITS = 3;

/**
 * A surprise of so many digits (1 in 100,000 values) opens a finding when it lasts. Few healthy datastreams get there
 * in a year of minutes, and what stays away from its forecast is hardly ever noise.
 */
export const SUSPICION_DIGITS = 5;

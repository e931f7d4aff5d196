/**
 * Chance without state: every number is a function of a seed and a place on a line (mostly a time), so that any moment
 * can be asked for, in any order, and a fleet needs no memory of what it has said. Not for secrets.
 */
export { hash as seedOf } from './scenes/random.ts';

/** Evenly spread in [0, 1). `n` is an integer up to 2^53, such as epoch ms. */
export function unit(seed: number, n: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  h = mix(h ^ (n | 0));
  h = mix(h ^ Math.floor(n / 4_294_967_296));
  return (h >>> 0) / 4_294_967_296;
}

/** The finisher of murmur3: every bit of the input moves every bit of the output. */
function mix(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Normally distributed, mean 0, deviation 1 (Box and Muller). */
export function normal(seed: number, n: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - unit(seed, n)));
  return radius * Math.cos(2 * Math.PI * unit(seed ^ 0x5bd1e995, n));
}

/**
 * A smooth random curve over time, as processes draw it: mean 0, deviation about 0.8, never beyond ±2, and two
 * moments more than two periods apart know nothing of each other.
 */
export function wander(seed: number, time: number, periodMs: number): number {
  const place = time / periodMs;
  const step = Math.floor(place);
  const share = place - step;
  const blend = share ** 3 * (share * (share * 6 - 15) + 10);
  const knot = (n: number) => Math.max(-2, Math.min(2, normal(seed, n)));
  return knot(step) * (1 - blend) + knot(step + 1) * blend;
}

/** A curve between -1.1 and 1.1 that costs next to nothing: a sine with some noise on it, for loads of many values. */
export function ripple(seed: number, time: number, periodMs: number): number {
  return Math.sin((2 * Math.PI * time) / periodMs + seed) + 0.2 * (unit(seed, time) - 0.5);
}

export interface Burst {
  /** Ms since it began; at least 0, less than asked for. */
  since: number;
  /** Evenly spread in [0, 1): how big it is. */
  size: number;
}

/** Things that come by chance, one in each span of `everyMs` with probability `share`: those begun within `lastsMs`. */
export function bursts(seed: number, time: number, everyMs: number, lastsMs: number, share = 1): Burst[] {
  const found: Burst[] = [];
  for (let slot = Math.floor((time - lastsMs) / everyMs); slot <= Math.floor(time / everyMs); slot++) {
    if (unit(seed ^ 0x2545f491, slot) >= share) continue;
    const since = time - (slot + unit(seed, slot)) * everyMs;
    if (since >= 0 && since < lastsMs) found.push({ since, size: unit(seed ^ 0x1b873593, slot) });
  }
  return found;
}

import type { Clock } from '../backbone/index.ts';

/**
 * A token bucket for each source of messages: `perS` a second in the long run, `burst` at once. Rates are by the wall
 * clock's seconds, also where the product's clock runs faster. Holds MOST_SOURCES buckets at most; the one that was
 * made first is forgotten first, which is the same as giving that source a full one.
 */
export interface RateLimit {
  /** Takes a token; false when there is none. */
  allows(source: string): boolean;
}

const MOST_SOURCES = 200_000;

interface Bucket {
  tokens: number;
  filledAt: number;
}

export function rateLimit(limits: { perS: number; burst: number }, clock: Clock): RateLimit {
  /** By source: device id, else connection. */
  const buckets = new Map<string, Bucket>();
  return {
    allows(source) {
      const now = clock.now();
      let bucket = buckets.get(source);
      if (bucket === undefined) {
        bucket = { tokens: limits.burst, filledAt: now };
        buckets.set(source, bucket);
        forgetFirst(buckets);
      } else if (bucket.tokens < limits.burst) {
        const seconds = Math.max(0, now - bucket.filledAt) / clock.speed / 1000;
        bucket.tokens = Math.min(limits.burst, bucket.tokens + seconds * limits.perS);
        bucket.filledAt = now;
      } else {
        bucket.filledAt = now;
      }
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
  };
}

function forgetFirst(buckets: Map<string, Bucket>): void {
  if (buckets.size <= MOST_SOURCES) return;
  const first = buckets.keys().next().value;
  if (first !== undefined) buckets.delete(first);
}

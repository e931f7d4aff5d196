/** The product's clock. Handed in everywhere; nothing of ours calls Date.now() to decide something. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** How many times faster than the wall clock it runs: 1, but for the demo and tests. */
  readonly speed: number;
}

export const wallClock: Clock = { now: () => Date.now(), speed: 1 };

export interface StartableClock extends Clock {
  /** From here on it runs. */
  begin(): void;
}

/** A clock that stands at `origin` until it begins, and then runs `speed` times as fast as the wall clock. */
export function fastClock(origin: number, speed: number): StartableClock {
  let begun: number | null = null;
  return {
    now: () => (begun === null ? origin : Math.round(origin + (Date.now() - begun) * speed)),
    speed,
    begin: () => {
      begun ??= Date.now();
    },
  };
}

/** A clock for tests that stands still until it is moved. */
export function manualClock(start: number): Clock & { advance(ms: number): void } {
  let now = start;
  return {
    now: () => now,
    speed: 1,
    advance(ms) {
      now += ms;
    },
  };
}

/**
 * Trying again, in one way for the whole product: waits that double up to a bound, spread by jitter so that many
 * callers do not come back at once, and a deadline behind which the last error goes to the caller.
 *
 * Promises: never more than one try at a time; the last error is thrown unchanged. Does not log: the caller knows
 * what an outage means and says it once.
 */

export interface BackoffOptions {
  /** Wait before the second try. Default 100. */
  firstMs?: number;
  /** No wait is longer. Default 5,000. */
  maxMs?: number;
  /** 0 ≤ r < 1, handed in so that tests are repeatable. */
  random?: () => number;
}

export interface RetryOptions extends BackoffOptions {
  /** No further try begins when so many milliseconds have passed since the first. Default: no deadline. */
  deadlineMs?: number;
  /** Milliseconds that only grow. Default: the process's monotonic clock. */
  now?: () => number;
  /** Errors for which trying again is of no use go to the caller at once. Default: every error is tried again. */
  isWorthRetrying?: (error: unknown) => boolean;
  /** Told of each failure before the wait, with the number of tries so far. */
  onFailure?: (error: unknown, tries: number) => void;
  signal?: AbortSignal;
}

/** The wait before try number `tries + 1`: full doubling, of which the upper half is random. */
export function backoffMs(tries: number, options: BackoffOptions = {}): number {
  const { firstMs = 100, maxMs = 5_000, random = Math.random } = options;
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(tries - 1, 30));
  return Math.round(ceiling * (0.5 + 0.5 * random()));
}

/** Runs `action` until it succeeds, the deadline passes, or the signal is aborted. */
export async function retry<T>(action: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const now = options.now ?? (() => performance.now());
  const begun = now();
  for (let tries = 1; ; tries++) {
    try {
      return await action();
    } catch (error) {
      if (options.isWorthRetrying?.(error) === false || options.signal?.aborted) throw error;
      const wait = backoffMs(tries, options);
      if (options.deadlineMs !== undefined && now() - begun + wait > options.deadlineMs) throw error;
      options.onFailure?.(error, tries);
      await pause(wait, options.signal);
      if (options.signal?.aborted) throw error;
    }
  }
}

/** Waits; an abort ends the wait early and is not an error. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

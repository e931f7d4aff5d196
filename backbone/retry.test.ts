import { describe, expect, it } from 'vitest';
import { backoffMs, pause, retry } from './retry.ts';

const quick = { firstMs: 1, maxMs: 2, random: () => 0 };

/** Fails so many times, then says how often it was tried. */
function flaky(failures: number) {
  let tries = 0;
  return async () => {
    if (++tries <= failures) throw new Error(`failure ${tries}`);
    return tries;
  };
}

describe('retry', () => {
  it('waits twice as long each time, up to a bound, and jitters the upper half', () => {
    const waits = (random: () => number) =>
      [1, 2, 3, 4, 50].map((tries) => backoffMs(tries, { firstMs: 100, maxMs: 500, random }));
    expect(waits(() => 1)).toEqual([100, 200, 400, 500, 500]);
    expect(waits(() => 0)).toEqual([50, 100, 200, 250, 250]);
  });

  it('tries until it works, and tells of each failure', async () => {
    const failures: number[] = [];
    expect(await retry(flaky(3), { ...quick, onFailure: (_error, tries) => failures.push(tries) })).toBe(4);
    expect(failures).toEqual([1, 2, 3]);
  });

  it('gives the last error unchanged when the deadline has passed', async () => {
    let time = 0;
    const now = () => {
      time += 40;
      return time;
    };
    await expect(retry(flaky(1_000), { ...quick, now, deadlineMs: 100 })).rejects.toThrow('failure 3');
  });

  it('does not try again what is not worth it', async () => {
    await expect(retry(flaky(5), { ...quick, isWorthRetrying: () => false })).rejects.toThrow('failure 1');
  });

  it('ends when it is called off, during a wait too', async () => {
    const control = new AbortController();
    const options = {
      firstMs: 60_000,
      maxMs: 60_000,
      signal: control.signal,
      onFailure: () => control.abort(),
    };
    await expect(retry(flaky(5), options)).rejects.toThrow('failure 1');
    await pause(60_000, control.signal);
  });
});

/**
 * Tells waiting consumers that a partition has grown: at once for appends of this process, and by a timer for those
 * of other processes, of which LMDB sends no word.
 */
export class Arrivals {
  readonly #pollMs: number;
  /** `topic/partition` → who waits for it. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(pollMs: number) {
    this.#pollMs = pollMs;
  }

  announce(topic: string, partition: number): void {
    for (const wake of this.#waiting.get(`${topic}/${partition}`) ?? []) wake();
  }

  /** Resolves at the next arrival, after the polling interval, or when the signal is aborted. */
  wait(topic: string, partition: number, signal: AbortSignal): Promise<void> {
    const name = `${topic}/${partition}`;
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting);
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, this.#pollMs);
      signal.addEventListener('abort', wake, { once: true });
      waiting.add(wake);
      if (signal.aborted) wake();
    });
  }
}

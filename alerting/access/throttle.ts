/**
 * Counts tries by key (an address) in windows of a minute. Bounded: at most `MAX_KEYS` keys, oldest windows forgotten
 * first. Kept in memory: a restart forgives, the lock of an account does not.
 */
const MAX_KEYS = 10_000;
const WINDOW_MS = 60_000;

export class Throttle {
  readonly #perMinute: number;
  readonly #windows = new Map<string, { since: number; tries: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Counts a try; false = too many in this minute. */
  allow(key: string, now: number): boolean {
    const window = this.#windows.get(key);
    if (window !== undefined && now - window.since < WINDOW_MS) return ++window.tries <= this.#perMinute;
    this.#windows.delete(key);
    if (this.#windows.size >= MAX_KEYS) {
      const [oldest] = this.#windows.keys();
      if (oldest !== undefined) this.#windows.delete(oldest);
    }
    this.#windows.set(key, { since: now, tries: 1 });
    return true;
  }
}

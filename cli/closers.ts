import type { Log } from '../backbone/index.ts';

/**
 * What has been opened, so that it is closed in reverse order: sinks are started first and sources last, so sources
 * stop first and nothing is written into a closed store. Every closer runs, even when one before it failed.
 */
export class Closers {
  readonly #stack: { name: string; close: () => unknown }[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Remembers how to close `thing` and hands it back. */
  add<T>(name: string, thing: T, close: (thing: T) => unknown): T {
    this.#stack.push({ name, close: () => close(thing) });
    return thing;
  }

  async closeAll(): Promise<void> {
    for (let entry = this.#stack.pop(); entry; entry = this.#stack.pop()) {
      try {
        await entry.close();
      } catch (error) {
        this.#log.error({ err: error, part: entry.name }, 'a part did not close cleanly');
      }
    }
  }
}

import type { Log } from '../../backbone/index.ts';

/** Storage that does not answer: one line in the log when it goes, one when it is back. */
export class Outage {
  readonly #log: Log;
  #out = false;

  constructor(log: Log) {
    this.#log = log;
  }

  get lasts(): boolean {
    return this.#out;
  }

  begun(error: unknown): void {
    if (this.#out) return;
    this.#out = true;
    this.#log.error({ err: error }, 'HJ 212 frames cannot be stored: none is answered until they can');
  }

  over(): void {
    if (!this.#out) return;
    this.#out = false;
    this.#log.info('HJ 212 frames are stored again');
  }
}

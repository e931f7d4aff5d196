/**
 * How much of all connections together waits for storage. A connection that finds it full is read no further, and goes on
 * when half of it is free: so a store that is away costs a bounded amount of memory, however many devices there are.
 */
export class Intake {
  readonly #limit: number;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get full(): boolean {
    return this.#bytes >= this.#limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  enter(bytes: number): void {
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#waiting.size === 0 || this.#bytes > this.#limit / 2) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const goOn of waiting) goOn();
  }

  /** `goOn` is called once, when there is room again. */
  whenRoom(goOn: () => void): void {
    this.#waiting.add(goOn);
  }

  forget(goOn: () => void): void {
    this.#waiting.delete(goOn);
  }
}

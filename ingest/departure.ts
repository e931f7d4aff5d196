import type { Settled } from '../devices/handover.ts';
import type { KnownDevice } from './known-devices.ts';
import type { Passenger } from './line.ts';
import { accepted, type Receipt } from './receipt.ts';
import type { Tally } from './take.ts';

/** Readings of one message on their way to the stream: one object a message, rather than promises. */
export class Departure implements Passenger {
  /** What else has to be done before the message is settled. */
  also: (() => Promise<Receipt>) | null = null;
  readonly #tally: Tally;
  readonly #to: KnownDevice;
  readonly #taken: number;
  readonly #duplicates: number;
  readonly #late: boolean;
  readonly #settled: Settled;

  constructor(
    tally: Tally,
    to: KnownDevice,
    taken: number,
    duplicates: number,
    late: boolean,
    settled: Settled,
  ) {
    this.#tally = tally;
    this.#to = to;
    this.#taken = taken;
    this.#duplicates = duplicates;
    this.#late = late;
    this.#settled = settled;
  }

  arrived(): void {
    this.#tally.observations += this.#taken;
    if (this.#late) this.#tally.late += this.#taken;
    if (this.also === null) this.#settled.durable(accepted(this.#taken, this.#duplicates));
    else
      this.also().then(
        (receipt) => this.#settled.durable(receipt),
        (error: unknown) => this.#settled.failed(error),
      );
  }

  lost(error: unknown): void {
    forget(this.#to);
    this.#settled.failed(error);
  }
}

/** What was remembered of readings that did not become durable must not make their repeats look known. */
function forget(known: KnownDevice): void {
  for (const stream of known.instant.values()) stream.recent.forget();
  for (const stream of known.others.values()) stream.recent.forget();
}

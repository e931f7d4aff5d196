import type { Quality } from '../contracts/index.ts';

/**
 * The last few values of one datastream, to know a re-sent message when it comes again (QoS 1 repeats what was not
 * acknowledged in time). Bounded: PLACES values a datastream. What is older is not known here; the series store, where
 * a point is unique by datastream and time, is the second line.
 */
export interface Recent {
  /** Remembers a new key; says of a known one whether its content is the same. */
  see(time: number, value: number, quality: Quality): 'new' | 'same' | 'other';
  /** The value that is remembered for a time. */
  valueAt(time: number): number | undefined;
  /** Forgets all: some of it did not become durable. */
  forget(): void;
}

const PLACES = 8;

export function recent(): Recent {
  return new Ring();
}

class Ring implements Recent {
  readonly #times = new Float64Array(PLACES);
  readonly #values = new Float64Array(PLACES);
  readonly #qualities: (Quality | undefined)[] = new Array(PLACES);
  #next = 0;
  #newest = 0;

  see(time: number, value: number, quality: Quality): 'new' | 'same' | 'other' {
    if (time > this.#newest) this.#newest = time;
    else {
      const at = this.#times.indexOf(time);
      if (at >= 0) return this.#values[at] === value && this.#qualities[at] === quality ? 'same' : 'other';
    }
    const place = this.#next;
    this.#times[place] = time;
    this.#values[place] = value;
    this.#qualities[place] = quality;
    this.#next = (place + 1) % PLACES;
    return 'new';
  }

  valueAt(time: number): number | undefined {
    const at = this.#times.indexOf(time);
    return at < 0 ? undefined : this.#values[at];
  }

  forget(): void {
    this.#times.fill(0);
    this.#newest = 0;
  }
}

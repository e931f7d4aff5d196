import { QUALITY_CODES } from '../backbone/quality-codes.ts';
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
/** Rings that share their memory: an array of its own for each would cost four times what is in it. */
const RINGS_A_BLOCK = 256;

export function recent(): Recent {
  if (block.used === RINGS_A_BLOCK) block = new Block();
  return new Ring(block, PLACES * block.used++);
}

class Block {
  used = 0;
  readonly times = new Float64Array(PLACES * RINGS_A_BLOCK);
  readonly values = new Float64Array(PLACES * RINGS_A_BLOCK);
  readonly qualities = new Uint8Array(PLACES * RINGS_A_BLOCK);
}

let block = new Block();

class Ring implements Recent {
  readonly #block: Block;
  /** Its first place in the block. */
  readonly #first: number;
  #next = 0;
  #newest = 0;

  constructor(of: Block, first: number) {
    this.#block = of;
    this.#first = first;
  }

  see(time: number, value: number, quality: Quality): 'new' | 'same' | 'other' {
    const { times, values, qualities } = this.#block;
    const code = QUALITY_CODES[quality];
    if (time > this.#newest) this.#newest = time;
    else {
      const at = this.#placeOf(time);
      if (at >= 0) return values[at] === value && qualities[at] === code ? 'same' : 'other';
    }
    const place = this.#first + this.#next;
    times[place] = time;
    values[place] = value;
    qualities[place] = code;
    this.#next = (this.#next + 1) % PLACES;
    return 'new';
  }

  valueAt(time: number): number | undefined {
    const at = this.#placeOf(time);
    return at < 0 ? undefined : this.#block.values[at];
  }

  forget(): void {
    this.#block.times.fill(0, this.#first, this.#first + PLACES);
    this.#newest = 0;
  }

  #placeOf(time: number): number {
    const { times } = this.#block;
    for (let at = this.#first; at < this.#first + PLACES; at++) if (times[at] === time) return at;
    return -1;
  }
}

/**
 * How far a device's clock is off, from its own messages: the least delayed of the last few tells, because a message can
 * be held up but never come before it was sent. So a clock that is ahead shows at once, one that is behind after
 * PLACES messages; a device that holds back all it measures looks the same as one whose clock is behind.
 * Only instant values count: means are stamped with their period.
 */
export interface ClockMeter {
  /** Takes the newest time of a message; gives the clock's offset in ms, ahead is positive. */
  see(time: number, receivedAt: number): number;
  /** Null before the first message. */
  readonly offsetMs: number | null;
}

const PLACES = 8;

export function clockMeter(): ClockMeter {
  return new Meter();
}

class Meter implements ClockMeter {
  /** A plain array: a typed one would cost three times what is in it, for every device. */
  readonly #offsets: number[] = [];
  #next = 0;

  see(time: number, receivedAt: number): number {
    this.#offsets[this.#next] = time - receivedAt;
    this.#next = (this.#next + 1) % PLACES;
    return this.offsetMs ?? 0;
  }

  get offsetMs(): number | null {
    if (this.#offsets.length === 0) return null;
    let largest = Number.NEGATIVE_INFINITY;
    for (const offset of this.#offsets) if (offset > largest) largest = offset;
    return largest;
  }
}

/**
 * Since when ingest was up without a gap, read off the ticks alone: a stretch without ticks is a stretch in which nobody
 * could have been heard, and nobody is called silent for it. Ticks come at a spacing that this file learns (the demo's
 * clock runs 120 times as fast, its ticks lie as much further apart).
 */
export interface AttentionState {
  attendedSince: number | null;
  lastTick: number | null;
  typicalMs: number | null;
}

export class Attention {
  readonly #floorMs: number;
  #state: AttentionState = { attendedSince: null, lastTick: null, typicalMs: null };

  constructor(floorMs: number) {
    this.#floorMs = floorMs;
  }

  /** Returns since when there is no gap up to this tick. A tick that goes back in time changes nothing. */
  tick(time: number): number {
    const { attendedSince, lastTick, typicalMs } = this.#state;
    if (attendedSince === null || lastTick === null) {
      this.#state = { attendedSince: time, lastTick: time, typicalMs: null };
      return time;
    }
    const spacing = time - lastTick;
    if (spacing <= 0) return attendedSince;
    if (typicalMs !== null && spacing > Math.max(this.#floorMs, 5 * typicalMs)) {
      this.#state = { attendedSince: time, lastTick: time, typicalMs };
      return time;
    }
    const learned = typicalMs === null ? spacing : typicalMs + 0.1 * (spacing - typicalMs);
    this.#state = { attendedSince, lastTick: time, typicalMs: learned };
    return attendedSince;
  }

  save(): AttentionState {
    return { ...this.#state };
  }

  restore(state: AttentionState): void {
    this.#state = { ...state };
  }
}

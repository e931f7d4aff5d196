/**
 * How quiet a datastream has been at its calmest, learnt from blocks of equal length: the swing (max − min) of each, the
 * calm ones remembered for about a day, and the resolution it has shown. Bounded: a few numbers and one short ring.
 */
export interface QuietState {
  blockStart: number | null;
  min: number;
  max: number;
  count: number;
  /** Swings of the latest blocks. */
  swings: number[];
  blocks: number;
  /** Swing of the calm blocks: down at once, up slowly. */
  calm: number;
  /** Smallest step between two different values. */
  step: number | null;
}

const RING = 16;
/** Share of the way up per block: with five-minute blocks, a quiet night is remembered for about a day. */
const FORGET = 1 / 288;

export const newQuiet = (): QuietState => ({
  blockStart: null,
  min: 0,
  max: 0,
  count: 0,
  swings: [],
  blocks: 0,
  calm: 0,
  step: null,
});

/**
 * Takes a value in. Blocks whose swing is not above `suspect` teach nothing: what may be stuck itself must not teach what
 * calm is. Allocates nothing: this runs for every observation.
 */
export function learn(
  state: QuietState,
  time: number,
  value: number,
  before: number | null,
  blockMs: number,
  suspect: number,
): void {
  if (before !== null && value !== before) {
    const step = Math.abs(value - before);
    state.step = state.step === null ? step : Math.min(state.step, step);
  }
  if (state.blockStart === null || time >= state.blockStart + blockMs) {
    finishBlock(state, suspect);
    state.blockStart = time;
    state.min = value;
    state.max = value;
    state.count = 1;
    return;
  }
  if (value < state.min) state.min = value;
  if (value > state.max) state.max = value;
  state.count += 1;
}

/** A gap or a value that does not count: the block in hand is let go. */
export function interrupt(state: QuietState): void {
  state.blockStart = null;
  state.count = 0;
}

function finishBlock(state: QuietState, suspect: number): void {
  if (state.blockStart === null || state.count < 3) return;
  const swing = state.max - state.min;
  if (swing <= suspect) return;
  state.swings.push(swing);
  if (state.swings.length > RING) state.swings.shift();
  state.blocks += 1;
  const sorted = [...state.swings].sort((a, b) => a - b);
  const low = sorted[Math.floor(0.1 * sorted.length)] ?? 0;
  state.calm = low < state.calm || state.blocks === 1 ? low : state.calm + (low - state.calm) * FORGET;
}

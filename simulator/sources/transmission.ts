/**
 * The way from the data logger to the broker: a little late always, sometimes not at all, sometimes twice (QoS 1 allows
 * it), rarely so late that a later reading overtakes it. Never changes a byte.
 */
import { seedOf, unit } from '../random.ts';
import { SECOND } from '../time.ts';

export interface Line {
  lostShare: number;
  twiceShare: number;
  lateShare: number;
}

/** A good mobile network. */
export const GOOD_LINE: Line = { lostShare: 0.002, twiceShare: 0.003, lateShare: 0.0008 };

export interface Transmission {
  /** When what was read at `time` goes out: never, once or twice; never before it was read. */
  sendTimes(time: number): number[];
}

export function transmissionOf(deviceSeed: number, line: Line): Transmission {
  const s = (what: string) => seedOf(deviceSeed, 'line', what);
  const [delay, lost, twice, late] = [s('delay'), s('lost'), s('twice'), s('late')];
  return {
    sendTimes(time) {
      if (unit(lost, time) < line.lostShare) return [];
      const first = time + Math.round(80 + 700 * unit(delay, time) ** 3);
      if (unit(late, time) < line.lateShare)
        return [first + Math.round((35 + 30 * unit(late + 1, time)) * SECOND)];
      return unit(twice, time) < line.twiceShare ? [first, first + 3 * SECOND] : [first];
    },
  };
}

import { encodeRecord } from '../backbone/codec.ts';
import type { Clock } from '../backbone/index.ts';
import type { Tick } from '../contracts/index.ts';
import type { InFlight } from './accept.ts';
import type { Line } from './line.ts';

/**
 * Puts the passing of time on the stream. A tick goes the same ordered way as readings, and its time never lies beyond
 * the receipt of a message that is still being decoded: who reads tick t has seen all that came before t. One tick is
 * under way at a time; while the stream is away there are none. Ticks never go back, whatever the clock does.
 */
export interface Ticker extends InFlight {
  /** One tick now, if none is under way. */
  tick(): Promise<void>;
  stop(): void;
}

const SHORTEST_MS = 100;

/** `before` is called with the time of each tick, right before it goes out. */
export function startTicker(
  tickS: number,
  clock: Clock,
  line: Line,
  before: (time: number) => void = () => undefined,
): Ticker {
  /** Number of messages being decoded, by time of receipt. */
  const decoding = new Map<number, number>();
  let last = 0;
  let underWay = false;

  async function tick(): Promise<void> {
    if (underWay) return;
    const time = Math.min(clock.now(), ...decoding.keys());
    if (time <= last) return;
    underWay = true;
    try {
      before(time);
      await line.broadcast(encodeRecord({ type: 'tick', time } satisfies Tick));
      last = time;
    } catch {
      // The stream is away, which is reported where messages are refused. The next tick says as much as this one.
    } finally {
      underWay = false;
    }
  }

  const timer = setInterval(() => void tick(), Math.max(SHORTEST_MS, (tickS * 1_000) / clock.speed));
  return {
    tick,
    stop: () => clearInterval(timer),
    add: (receivedAt) => decoding.set(receivedAt, (decoding.get(receivedAt) ?? 0) + 1),
    remove(receivedAt) {
      const left = (decoding.get(receivedAt) ?? 0) - 1;
      if (left > 0) decoding.set(receivedAt, left);
      else decoding.delete(receivedAt);
    },
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { closeBooks, type DrillRound, NO_DETECTORS } from './books.ts';
import { freePort, startChild } from './child.ts';
import { startSender } from './sender.ts';

/**
 * The series store does not take a write for a while. Publishers must go on being acknowledged, because the stream is the
 * buffer; the memory of the process must not grow with what waits; afterwards all of it must be in the series store.
 */
export interface SeriesAwayOptions {
  seconds: number;
  publishers: number;
  /** Between two messages of a publisher. */
  intervalMs?: number;
  progress?: (line: string) => void;
}

/** Garbage waits to be collected: what a short drill may see beside what is held. */
const NOISE_MB = 96;

export async function seriesAwayDrill(options: SeriesAwayOptions): Promise<DrillRound> {
  const { seconds, publishers, intervalMs = 20, progress = () => undefined } = options;
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-away-'));
  const port = await freePort();
  const child = await startChild(folder, port, publishers);
  const senders = Array.from({ length: publishers }, (_, i) => startSender(`d-${i}`, port, intervalMs));
  const acknowledged = () => senders.reduce((sum, s) => sum + s.acknowledged.size, 0);
  try {
    while (acknowledged() < publishers * 20) await pause(20);
    await child.ask({ type: 'series', away: true });
    const held: number[] = [];
    let stalled = 0;
    for (let second = 0; second < seconds; second++) {
      const before = acknowledged();
      await pause(1_000);
      if (acknowledged() === before) stalled += 1;
      const { heldMb, pending } = await child.ask({ type: 'look' });
      held.push(heldMb);
      progress(
        `away for ${second + 1} s: ${acknowledged()} acknowledged, ${pending} wait, ${heldMb.toFixed(0)} MB held`,
      );
    }
    const { pending: waited } = await child.ask({ type: 'look' });
    await Promise.all(senders.map((s) => s.finish()));
    const backAt = performance.now();
    await child.ask({ type: 'series', away: false });
    while ((await child.ask({ type: 'look' })).pending > 0) await pause(50);
    const recoveredMs = Math.round(performance.now() - backAt);
    await child.stop();
    const {
      acknowledged: all,
      lost,
      altered,
      stored,
      missing,
      holds: booksHold,
    } = await closeBooks(folder, senders);
    const grewMb = Math.round(lowest(held.slice(-3)) - lowest(held.slice(0, 3)));
    const holds = booksHold && stalled === 0 && waited > 0 && grewMb < NOISE_MB;
    const also = {
      seconds,
      waited,
      secondsWithoutAcknowledgement: stalled,
      heldGrewMb: grewMb,
      altered,
      missing,
    };
    return {
      fault: 'series store away',
      acknowledged: all,
      stored,
      lost,
      ...NO_DETECTORS,
      recoveredMs,
      holds,
      also,
    };
  } finally {
    await child.kill();
    for (const { abandon } of senders) abandon();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Right after a collection: what is really held. */
function lowest(values: readonly number[]): number {
  return Math.min(...values);
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Books, closeBooks, type DrillRound, marks, NO_DETECTORS } from './books.ts';
import { freePort, startChild } from './child.ts';
import { startSender } from './sender.ts';

/**
 * Publishers send without pause while the process that takes their messages is killed with SIGKILL, at moments that a
 * seed decides. What the publishers hold a PUBACK for must be in the series store afterwards, each once, with its value.
 */
export interface KillDrillOptions {
  rounds: number;
  publishers: number;
  seed: number;
  progress?: (line: string) => void;
}

export interface KillDrillReport extends Omit<Books, 'has'> {
  rounds: DrillRound[];
}

export async function killDrill(options: KillDrillOptions): Promise<KillDrillReport> {
  const { rounds, publishers, seed, progress = () => undefined } = options;
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-kill-'));
  const port = await freePort();
  const random = mulberry32(seed);
  let child = await startChild(folder, port, publishers);
  const senders = Array.from({ length: publishers }, (_, i) => startSender(`d-${i}`, port));
  const acknowledged = () => senders.reduce((sum, s) => sum + s.acknowledged.size, 0);
  const recovered: number[] = [];
  const book = marks(senders);
  try {
    for (let round = 1; round <= rounds; round++) {
      const before = acknowledged();
      while (acknowledged() === before) await pause(5);
      await pause(100 + random() * 900);
      await child.kill();
      book.mark();
      const killedAt = performance.now();
      child = await startChild(folder, port, publishers);
      recovered.push(Math.round(performance.now() - killedAt));
      progress(`kill ${round} of ${rounds}: ${acknowledged()} acknowledged`);
    }
    await Promise.all(senders.map((s) => s.finish()));
    await child.stop();
    const { has, ...books } = await closeBooks(folder, senders);
    const rows = recovered.map((recoveredMs, i): DrillRound => {
      const counts = book.round(i + 1, { has, ...books });
      const lost = counts.acknowledged - counts.stored;
      return {
        fault: 'kill -9',
        ...counts,
        lost,
        ...NO_DETECTORS,
        recoveredMs,
        holds: lost === 0 && books.holds,
        also: {},
      };
    });
    return { rounds: rows, ...books };
  } finally {
    await child.kill();
    for (const { abandon } of senders) abandon();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A small seeded generator (mulberry32): the same kills for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

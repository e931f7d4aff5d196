import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { openStores, startIngestNode } from '../../bench/support/ingest-node.ts';
import { countAll } from '../../ingest/index.ts';
import { type Sender, startSender } from './sender.ts';

/**
 * Publishers send without pause while the process that takes their messages is killed with SIGKILL, at moments that a
 * seed decides. What the publishers hold a PUBACK for must be in the series store afterwards, each once, with its value.
 *
 *   npx tsx tests/drills/kill-ingest.ts --rounds 20 --publishers 50 --seed 1
 */
export interface KillDrillOptions {
  rounds: number;
  publishers: number;
  seed: number;
}

export interface KillDrillReport {
  rounds: { fault: string; acknowledged: number; recoveredMs: number }[];
  acknowledged: number;
  stored: number;
  /** Acknowledged, and not in the series store. */
  lost: number;
  /** In the series store with another value than was sent. */
  altered: number;
  /** As `qianliyan count` has it. */
  missing: number;
  holds: boolean;
}

const CHILD = fileURLToPath(new URL('./ingest-child.ts', import.meta.url));

export async function killDrill({ rounds, publishers, seed }: KillDrillOptions): Promise<KillDrillReport> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-kill-'));
  const port = await freePort();
  const random = mulberry32(seed);
  let child = await start(folder, port, publishers);
  const senders = Array.from({ length: publishers }, (_, i) => startSender(`d-${i}`, port));
  const acknowledged = () => senders.reduce((sum, s) => sum + s.acknowledged.size, 0);
  const report: KillDrillReport['rounds'] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const before = acknowledged();
      while (acknowledged() === before) await pause(5);
      await pause(100 + random() * 900);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const killedAt = performance.now();
      child = await start(folder, port, publishers);
      const recoveredMs = Math.round(performance.now() - killedAt);
      report.push({ fault: 'kill -9', acknowledged: acknowledged(), recoveredMs });
    }
    await Promise.all(senders.map((s) => s.finish()));
    child.kill('SIGTERM');
    await once(child, 'exit');
    await carryOn(folder);
    return await compare(folder, senders, report);
  } finally {
    child.kill('SIGKILL');
    for (const { abandon } of senders) abandon();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Once more, with nothing coming in, until all that is on the stream is in the series store. */
async function carryOn(folder: string): Promise<void> {
  const node = await startIngestNode({ folder });
  while ((await node.count()).pending > 0) await pause(50);
  await node.stop();
}

async function compare(
  folder: string,
  senders: readonly Sender[],
  rounds: KillDrillReport['rounds'],
): Promise<KillDrillReport> {
  const stores = await openStores(folder, pino({ level: 'silent' }));
  try {
    let lost = 0;
    let altered = 0;
    for (const { device, acknowledged } of senders) {
      const query = { datastream: `${device}/LAeq`, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 10_000_000 };
      const stored = new Map((await stores.series.range(query)).map((p) => [p.time, p.value]));
      for (const [time, value] of acknowledged) {
        if (!stored.has(time)) lost += 1;
        else if (stored.get(time) !== value) altered += 1;
      }
    }
    const { stored, missing, pending } = await countAll(stores);
    const acknowledged = senders.reduce((sum, s) => sum + s.acknowledged.size, 0);
    // All that was sent was acknowledged in the end, so that nothing else may be in the store, and nothing twice.
    const holds = lost === 0 && altered === 0 && missing === 0 && pending === 0 && stored === acknowledged;
    return { rounds, acknowledged, stored, lost, altered, missing, holds };
  } finally {
    await stores.close();
  }
}

async function start(folder: string, port: number, devices: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, folder, String(port), String(devices)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const ready = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  if (ready[0] !== 'ready') throw new Error(`the child ended instead of starting: ${ready[0]}`);
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      publishers: { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
    },
  });
  const report = await killDrill({
    rounds: Number(values.rounds),
    publishers: Number(values.publishers),
    seed: Number(values.seed),
  });
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = report.holds ? 0 : 1;
}

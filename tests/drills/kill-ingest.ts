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
import { connectAsync, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { openStores } from '../../bench/support/ingest-node.ts';
import { countAll } from '../../ingest/index.ts';

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

const IN_FLIGHT = 20;
const CHILD = fileURLToPath(new URL('./ingest-child.ts', import.meta.url));

export async function killDrill({ rounds, publishers, seed }: KillDrillOptions): Promise<KillDrillReport> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-kill-'));
  const port = await freePort();
  const random = mulberry32(seed);
  let child = await start(folder, port, publishers);
  const senders = await Promise.all(Array.from({ length: publishers }, (_, i) => sender(i, port)));
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
    return await compare(folder, senders, report);
  } finally {
    child.kill('SIGKILL');
    await Promise.all(senders.map((s) => s.abandon()));
    await rm(folder, { recursive: true, force: true });
  }
}

interface Sender {
  device: string;
  /** Value by time, of messages for which a PUBACK came. */
  acknowledged: Map<number, number>;
  /** Sends no more, and waits until all that was sent is acknowledged. */
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

async function sender(number: number, port: number): Promise<Sender> {
  const device = `d-${number}`;
  const acknowledged = new Map<number, number>();
  const client: MqttClient = await connectAsync({
    port,
    host: '127.0.0.1',
    reconnectPeriod: 50,
    clientId: device,
  });
  client.on('error', () => undefined);
  const origin = Date.now();
  let sent = 0;
  let sending = true;
  const send = async (): Promise<void> => {
    while (sending) {
      const time = origin + sent;
      const value = sent % 100;
      sent += 1;
      const payload = JSON.stringify({ time, readings: { LAeq: value } });
      await client.publishAsync(`v1/devices/${device}/observations`, payload, { qos: 1 });
      acknowledged.set(time, value);
      // Times must not run ahead of the clock by more than is allowed.
      if (sent % 50 === 0) await pause(20);
    }
  };
  const lines = Promise.all(Array.from({ length: IN_FLIGHT }, send));
  // Told to the caller by `finish`.
  lines.catch(() => undefined);
  return {
    device,
    acknowledged,
    async finish() {
      sending = false;
      await lines;
      await client.endAsync();
    },
    async abandon() {
      sending = false;
      await client.endAsync(true);
    },
  };
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

/** A small seeded generator (public domain, T. Ettinger): the same kills for the same seed. */
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

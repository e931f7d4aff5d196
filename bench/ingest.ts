import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BenchReport, type BenchRow, machine } from './report.ts';
import type { ServerKind, Usage } from './support/ingest-server.ts';
import { mqttLoad } from './support/mqtt-load.ts';

/**
 * Ingest with the embedded broker beside its peers, in one run: 50 connections, QoS 1, JSON of some 200 bytes with
 * three values. The server is a process of its own; CPU-seconds are its, all threads. The product is done when the last
 * value is in the series store, its peers when the last message is acknowledged.
 */
export interface IngestBenchOptions {
  messages?: number;
  connections?: number;
  window?: number;
}

const PEERS: readonly (readonly [ServerKind, string])[] = [
  ['count', 'aedes that only counts'],
  ['zod', 'aedes + JSON.parse + zod'],
  ['product', 'product, embedded broker'],
];

export async function benchIngest(options: IngestBenchOptions = {}): Promise<BenchReport> {
  const rows: BenchRow[] = [];
  for (const [kind, name] of PEERS) rows.push(await runCase(kind, name, options));
  const [count, zod, product] = rows;
  if (count === undefined || zod === undefined || product === undefined) throw new Error('a case is missing');
  const ratio = Number((product.ratePerS / count.ratePerS).toFixed(2));
  return {
    name: 'ingest',
    machine: machine(),
    rows,
    goals: [
      {
        what: 'product against aedes that only counts, rate at least',
        goal: 0.6,
        got: ratio,
        holds: ratio >= 0.6,
      },
      {
        what: 'product, CPU-seconds per 100,000 messages at most',
        goal: 3.5,
        got: product.cpuSPer100k,
        holds: product.cpuSPer100k <= 3.5,
      },
    ],
  };
}

async function runCase(kind: ServerKind, name: string, options: IngestBenchOptions): Promise<BenchRow> {
  const { messages = 100_000, connections = 50, window = 100 } = options;
  const child = startServer(kind);
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const origin = Date.now() - 60_000;
    const make = (warm: number, count: number) =>
      mqttLoad({ port, connections, window, messages: count, message: messageOf(origin + warm) });
    const perMessage = kind === 'product' ? 3 : 1;
    const warmUp = Math.min(20_000, messages);
    await runLoad(await make(0, warmUp), child, warmUp * perMessage);
    const load = await make(warmUp, messages);
    const before = await ask(child);
    const begun = performance.now();
    const after = await runLoad(load, child, before.done + messages * perMessage);
    const seconds = (performance.now() - begun) / 1_000;
    return {
      case: name,
      ratePerS: Math.round(messages / seconds),
      cpuSPer100k: Number((((after.cpuS - before.cpuS) / messages) * 1e5).toFixed(2)),
      rssMb: after.rssMb,
    };
  } finally {
    child.send('stop');
    await once(child, 'exit');
  }
}

/** Sends all, and waits until all is where it belongs. */
async function runLoad(
  load: Awaited<ReturnType<typeof mqttLoad>>,
  child: ChildProcess,
  done: number,
): Promise<Usage> {
  await load.run();
  load.close();
  for (;;) {
    const now = await ask(child);
    if (now.done >= done) return now;
    await pause(10);
  }
}

async function ask(child: ChildProcess): Promise<Usage> {
  child.send('usage');
  const [usage] = (await once(child, 'message')) as [Usage];
  return usage;
}

/** Some 200 bytes; one millisecond further each time, so that no key comes twice. */
function messageOf(origin: number) {
  return (connection: number, i: number) => ({
    topic: `v1/devices/bench-${connection}/observations`,
    payload: JSON.stringify({
      time: new Date(origin + i).toISOString(),
      quality: 'valid',
      readings: {
        TSP: { value: 0.2 + (i % 100) / 1_000, unit: 'mg/m3' },
        PM10: { value: 80.5 + (i % 50), unit: 'ug/m3' },
        'PM2.5': { value: 35.25, unit: 'ug/m3' },
      },
    }),
  });
}

function startServer(kind: ServerKind): ChildProcess {
  const built = import.meta.url.endsWith('.js');
  const file = fileURLToPath(new URL(`./support/ingest-server.${built ? 'js' : 'ts'}`, import.meta.url));
  return fork(file, [kind], built ? {} : { execArgv: ['--import', 'tsx'] });
}

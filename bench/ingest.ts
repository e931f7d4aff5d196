import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BenchGoal, type BenchReport, type BenchRow, machine } from './report.ts';
import type { ServerKind, Usage } from './support/ingest-server.ts';
import { startMosquitto } from './support/mosquitto.ts';
import { mqttLoad } from './support/mqtt-load.ts';

/**
 * Ingest beside its peers, in one run: 50 connections, QoS 1, JSON of some 200 bytes with three values. The server is a
 * process of its own; CPU-seconds are its, all threads. The product is done when the last value is in the series store,
 * its peers when they have counted the last message. Behind Mosquitto the messages are sent to Mosquitto, whose own CPU
 * time is not counted; without one on the machine those cases are left out.
 */
export interface IngestBenchOptions {
  messages?: number;
  connections?: number;
  window?: number;
  kinds?: readonly ServerKind[];
}

const CASES: Readonly<Record<ServerKind, string>> = {
  count: 'aedes that only counts',
  zod: 'aedes + JSON.parse + zod',
  product: 'product, embedded broker',
  net: 'behind Mosquitto: net + mqtt-packet that only counts',
  mqttjs: 'behind Mosquitto: mqtt.js that only counts',
  external: 'behind Mosquitto: product',
};
const BEHIND_BROKER: ReadonlySet<ServerKind> = new Set(['net', 'mqttjs', 'external']);
const OBSERVATIONS_A_MESSAGE: Readonly<Partial<Record<ServerKind, number>>> = { product: 3, external: 3 };

export async function benchIngest(options: IngestBenchOptions = {}): Promise<BenchReport> {
  const { kinds = Object.keys(CASES) as ServerKind[] } = options;
  const rows: Partial<Record<ServerKind, BenchRow>> = {};
  for (const kind of kinds) {
    const mosquitto = BEHIND_BROKER.has(kind) ? await startBroker() : null;
    if (BEHIND_BROKER.has(kind) && mosquitto === null) continue;
    try {
      rows[kind] = await runCase(kind, options, mosquitto?.port ?? 0);
    } finally {
      await mosquitto?.stop();
    }
  }
  const goals = [
    ...goalsOf(rows.product, rows.count, ['aedes that only counts', 0.6], 3.5, 'the embedded broker'),
    ...goalsOf(rows.external, rows.mqttjs, ['mqtt.js that only counts', 0.8], 2.5, 'Mosquitto'),
  ];
  return { name: 'ingest', machine: machine(), rows: Object.values(rows), goals };
}

/** Null when Mosquitto is not installed. */
async function startBroker() {
  return startMosquitto(['allow_anonymous true', 'persistence false']).catch(() => null);
}

function goalsOf(
  product: BenchRow | undefined,
  peer: BenchRow | undefined,
  [what, atLeast]: [string, number],
  atMostCpuS: number,
  behind: string,
): BenchGoal[] {
  if (product === undefined || peer === undefined) return [];
  const ratio = Number((product.ratePerS / peer.ratePerS).toFixed(2));
  const cpuS = product.cpuSPer100k;
  return [
    {
      what: `rate with ${behind} against ${what}, at least`,
      goal: atLeast,
      got: ratio,
      holds: ratio >= atLeast,
    },
    {
      what: `CPU-seconds per 100,000 messages with ${behind}, at most`,
      goal: atMostCpuS,
      got: cpuS,
      holds: cpuS <= atMostCpuS,
    },
  ];
}

async function runCase(kind: ServerKind, options: IngestBenchOptions, brokerPort: number): Promise<BenchRow> {
  const { messages = 300_000, connections = 50, window = 100 } = options;
  const child = startServer(kind, brokerPort);
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const origin = Date.now() - 60_000;
    const make = (warm: number, count: number) =>
      mqttLoad({ port, connections, window, messages: count, message: messageOf(origin + warm) });
    const perMessage = OBSERVATIONS_A_MESSAGE[kind] ?? 1;
    const warmUp = Math.min(20_000, messages);
    await runLoad(await make(0, warmUp), child, warmUp * perMessage);
    const load = await make(warmUp, messages);
    const before = await ask(child);
    const begun = performance.now();
    const after = await runLoad(load, child, before.done + messages * perMessage);
    const seconds = (performance.now() - begun) / 1_000;
    return {
      case: CASES[kind],
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

function startServer(kind: ServerKind, brokerPort: number): ChildProcess {
  const built = import.meta.url.endsWith('.js');
  const file = fileURLToPath(new URL(`./support/ingest-server.${built ? 'js' : 'ts'}`, import.meta.url));
  return fork(file, [kind, String(brokerPort)], built ? {} : { execArgv: ['--import', 'tsx'] });
}

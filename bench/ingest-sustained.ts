import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type BenchGoal, type BenchReport, type BenchRow, machine } from './report.ts';
import { pacedLoad } from './support/paced-load.ts';
import type { SustainedReady, SustainedUsage } from './support/sustained-server.ts';

/**
 * Ingest at a steady rate for a long time with very many registered devices: nothing lost, memory flat, and the time from
 * publishing to being stored. Before that every device speaks once, because its first message costs more than all others:
 * it is laid out in memory, gets numbers in the series store, and is online. Rows are thirds of the run, so that growth
 * shows.
 */
export interface SustainedOptions {
  devices?: number;
  /** Messages a second, of three values each. */
  rate?: number;
  seconds?: number;
}

const CONNECTIONS = 200;
const OBSERVATIONS = 3;
const SETTLE_MS = 10_000;

export async function benchIngestSustained(options: SustainedOptions = {}): Promise<BenchReport> {
  const { devices = 100_000, rate = 10_000, seconds = 600 } = options;
  const child = startServer(devices);
  try {
    const [ready] = (await once(child, 'message')) as [SustainedReady];
    const { port } = ready;
    const warmUpS = Math.ceil(devices / rate);
    await pacedLoad({ port, devices, rate, seconds: warmUpS, connections: CONNECTIONS, message: messageOf });
    const before = warmUpS * rate * OBSERVATIONS;
    await settled(child, before);
    const samples = [await ask(child, 'begin')];
    const messages = rate * seconds;
    for (let third = 0; third < 3; third++) {
      await pacedLoad({
        port,
        devices,
        rate,
        seconds: seconds / 3,
        connections: CONNECTIONS,
        message: messageOf,
      });
      samples.push(await settled(child, before + ((third + 1) * messages * OBSERVATIONS) / 3));
    }
    const last = samples.at(-1) as SustainedUsage;
    return {
      name: 'ingest-sustained',
      machine: machine(),
      rows: samples
        .slice(1)
        .map((after, i) => rowOf(i, samples[i] as SustainedUsage, after, rate, messages / 3)),
      goals: goalsOf(ready, samples, last, before + messages * OBSERVATIONS),
    };
  } finally {
    child.send('stop');
    await once(child, 'exit');
  }
}

function goalsOf(
  { startS }: SustainedReady,
  samples: readonly SustainedUsage[],
  last: SustainedUsage,
  observations: number,
): BenchGoal[] {
  const lost = observations - last.stored;
  const [first, p99] = [samples[1]?.ownMb ?? 0, quantile(last.latencies, 0.99)];
  const growth = Number((last.ownMb / first).toFixed(2));
  return [
    { what: 'observations lost', goal: 0, got: lost, holds: lost === 0 },
    { what: 'published to stored, p50, ms', goal: 500, got: quantile(last.latencies, 0.5), holds: true },
    { what: 'published to stored, p99, ms, below', goal: 500, got: p99, holds: p99 < 500 },
    {
      what: 'memory of its own after the last third against the first, at most',
      goal: 1.1,
      got: growth,
      holds: growth <= 1.1,
    },
    {
      what: 'seconds to start with all devices registered, below',
      goal: 5,
      got: Number(startS.toFixed(1)),
      holds: startS < 5,
    },
  ];
}

function rowOf(
  third: number,
  before: SustainedUsage,
  after: SustainedUsage,
  rate: number,
  messages: number,
): BenchRow {
  return {
    case: `third ${third + 1}; own ${after.ownMb} MB, of it heap ${after.heapMb}`,
    ratePerS: rate,
    cpuSPer100k: Number((((after.cpuS - before.cpuS) / messages) * 1e5).toFixed(2)),
    rssMb: after.rssMb,
  };
}

/** ms that a share of all messages stayed below. */
function quantile(latencies: readonly number[], share: number): number {
  const all = latencies.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [ms, count] of latencies.entries()) {
    below += count;
    if (below >= share * all) return ms;
  }
  return latencies.length;
}

async function settled(child: ChildProcess, stored: number): Promise<SustainedUsage> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const now = await ask(child);
    if (now.stored >= stored || performance.now() > deadline) return now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask(child: ChildProcess, word: 'usage' | 'begin' = 'usage'): Promise<SustainedUsage> {
  child.send(word);
  const [usage] = (await once(child, 'message')) as [SustainedUsage];
  return usage;
}

function messageOf(device: number, time: number) {
  const value = 20 + ((time + device) % 1_000) / 10;
  const readings = {
    TSP: { value: value / 1_000, unit: 'mg/m3' },
    PM10: { value, unit: 'ug/m3' },
    TEMP: 21.5,
  };
  const payload = JSON.stringify({ time: new Date(time).toISOString(), quality: 'valid', readings });
  return { topic: `v1/devices/d-${device}/observations`, payload };
}

function startServer(devices: number): ChildProcess {
  const built = import.meta.url.endsWith('.js');
  const file = fileURLToPath(new URL(`./support/sustained-server.${built ? 'js' : 'ts'}`, import.meta.url));
  return fork(file, [String(devices)], built ? {} : { execArgv: ['--import', 'tsx'] });
}

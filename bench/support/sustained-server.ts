import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Series, SeriesPoint } from '../../backbone/index.ts';
import { PointTable } from '../../backbone/index.ts';
import { startIngestNode } from './ingest-node.ts';

/**
 * The product with very many devices, in a process of its own. Says over IPC how long the start took, and on every word
 * what it holds: memory, stored observations, and how long after their time observations were stored (since `begin`).
 */
export interface SustainedUsage {
  cpuS: number;
  rssMb: number;
  /** Without the pages of mapped files, which the kernel takes back when it needs them: LMDB's are such. */
  ownMb: number;
  heapMb: number;
  stored: number;
  /** Messages by the ms from publishing to being stored, the last place for all that took longer. */
  latencies: number[];
}

export interface SustainedReady {
  port: number;
  startS: number;
  rssMb: number;
}

const LONGEST_MS = 10_000;
const latencies = new Array<number>(LONGEST_MS + 1).fill(0);

/** Notes the age of what was stored, message by message: each has a time of its own. */
function timed(series: Series): Series {
  return new Proxy(series, {
    get(target, name) {
      if (name !== 'write') {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (...[points, position]: Parameters<Series['write']>) => {
        const result = await target.write(points, position);
        note(points);
        return result;
      };
    },
  });
}

function note(points: readonly SeriesPoint[] | PointTable): void {
  if (!(points instanceof PointTable)) return;
  const now = Date.now();
  for (let row = 0; row < points.length; row++) {
    const age = Math.max(0, Math.min(LONGEST_MS, now - (points.time[row] ?? 0)));
    latencies[age] = (latencies[age] ?? 0) + 1;
  }
}

const devices = Number(process.argv[2]);
const folder = await mkdtemp(join(tmpdir(), 'qianliyan-sustained-'));
const device = (i: number) => ({
  id: `d-${i}`,
  kind: 'sensor',
  name: { zh: `设备${i}`, en: `Device ${i}` },
  site: `site-${i % 5_000}`,
  location: [123.4 + (i % 300) / 10_000, 41.8],
  datastreams: ['TSP', 'PM10', 'TEMP'].map((property) => ({
    property,
    unit: null,
    range: [-1_000, 10_000],
    intervalS: 30,
  })),
});
const options = { folder, wrapSeries: timed, ingest: { rate: { perS: 1_000_000, burst: 10_000_000 } } };
const first = await startIngestNode({
  ...options,
  devices: Array.from({ length: devices }, (_, i) => device(i)),
});
await first.stop();
const begun = performance.now();
const node = await startIngestNode(options);
const startS = (performance.now() - begun) / 1_000;

/** Linux tells it apart; null elsewhere. */
function ownBytes(): number | null {
  if (!existsSync('/proc/self/status')) return null;
  const found = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return found === null ? null : Number(found[1]) * 1_024;
}

const megabytes = (bytes: number) => Math.round(bytes / 1e6);
async function usage(): Promise<SustainedUsage> {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const { observations } = await node.ingest.counts();
  return {
    cpuS: (user + system) / 1e6,
    rssMb: megabytes(rss),
    ownMb: megabytes(ownBytes() ?? rss),
    heapMb: megabytes(heapUsed),
    stored: observations.stored,
    latencies,
  };
}

process.on('message', async (word) => {
  if (word === 'begin') latencies.fill(0);
  if (word !== 'stop') {
    process.send?.(await usage());
    return;
  }
  await node.stop();
  await rm(folder, { recursive: true });
  process.exit(0);
});
process.send?.({
  port: node.broker.port,
  startS,
  rssMb: megabytes(process.memoryUsage.rss()),
} satisfies SustainedReady);

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openDuckDbSeries } from '../backbone/series/duckdb.ts';
import type { SeriesPoint } from '../backbone/series/port.ts';
import { openLmdbStream } from '../backbone/stream/lmdb.ts';
import { type BenchReport, type BenchRow, machine, measure } from './report.ts';

/**
 * The embedded backbone by itself: durable appends with one and with many callers, and series writes of what the
 * stream would hand over. Everything is synced as in the product.
 */

const log = pino({ level: 'silent' });
const READING = Buffer.alloc(180, 0x61);
const T0 = 1_795_305_600_000;

export async function benchBackbone(): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-bench-'));
  try {
    const rows = [
      ...(await benchStream(join(folder, 'stream'))),
      ...(await benchSeries(join(folder, 'series.duckdb'))),
    ];
    const one = rows[0]?.ratePerS ?? 1;
    const many = rows[2]?.ratePerS ?? 0;
    const got = Number((many / one).toFixed(1));
    const what = 'group commit: appends a second of 500 callers, against one caller';
    return { name: 'backbone', machine: machine(), rows, goals: [{ what, goal: 50, got, holds: got >= 50 }] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchStream(folder: string): Promise<BenchRow[]> {
  const stream = await openLmdbStream({ folder, log, minFreeBytes: 0 });
  const append = (callers: number, count: number) => async () => {
    let left = count;
    const caller = async (_: unknown, i: number) => {
      while (left-- > 0) await stream.append('bench', [{ key: `device-${i}`, value: READING }]);
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return count;
  };
  await append(500, 20_000)();
  const rows = [
    await measure('append, 1 caller', append(1, 200)),
    await measure('append, 100 callers', append(100, 20_000)),
    await measure('append, 500 callers', append(500, 100_000)),
    await measure('read, batches of 1,000', async () => {
      const total = (await stream.ends('bench'))[0]?.next ?? 0;
      for (let at = 0; at < total; at += 1_000) await stream.read('bench', 0, at, 1_000);
      return total;
    }),
  ];
  await stream.close();
  return rows;
}

async function benchSeries(file: string): Promise<BenchRow[]> {
  const series = await openDuckDbSeries({ file, log });
  let batch = 0;
  const write = (size: number, batches: number) => async () => {
    for (let i = 0; i < batches; i++) {
      batch++;
      await series.write(pointsOf(batch, size), { topic: 'bench', partition: 0, nextOffset: batch });
    }
    return size * batches;
  };
  await write(10_000, 3)();
  const rows = [
    await measure('series write, batches of 10,000', write(10_000, 30)),
    await measure('series write, batches of 1,000', write(1_000, 50)),
    await measure('series write, batches of 1,000, all duplicates', async () => {
      for (let i = 0; i < 20; i++) await series.write(pointsOf(batch, 1_000));
      return 20_000;
    }),
  ];
  await series.close();
  return rows;
}

/** One point each of so many datastreams, at the batch's own second. */
function pointsOf(batch: number, size: number): SeriesPoint[] {
  return Array.from({ length: size }, (_, i) => ({
    datastream: `device-${i}/PM10`,
    time: T0 + batch * 1_000,
    value: 50 + (i % 100) / 10,
    quality: 'valid' as const,
    receivedAt: T0 + batch * 1_000 + 40,
  }));
}

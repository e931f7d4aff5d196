import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { wallClock } from '../backbone/index.ts';
import { openSqliteRecords } from '../backbone/records/sqlite.ts';
import { deviceMigrations, openRegistry, type Registry } from '../devices/index.ts';
import { readDeviceList } from '../devices/registry/device-list.ts';
import { exportDevices } from '../devices/registry/export.ts';
import { type BenchGoal, type BenchReport, type BenchRow, machine, measure } from './report.ts';

/**
 * A registry of 100,000 devices: a list taken in, opened again as at a start, one change noticed by another process, pages
 * of the API's list. Devices differ in id, place, address, party and attributes, and come from three templates.
 */
const DEVICES = 100_000;
const log = pino({ level: 'silent' });

export async function benchRegistry(): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-bench-'));
  try {
    return await benchIn(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchIn(folder: string): Promise<BenchReport> {
  const file = join(folder, 'records.sqlite');
  const open = async () => {
    const records = await openSqliteRecords({ file, migrations: [deviceMigrations], log });
    const registry = await openRegistry({ records, clock: wallClock, log, refreshMs: 0 });
    const close = async () => {
      await registry.close();
      await records.close();
    };
    return { registry, close };
  };
  const rows: BenchRow[] = [];
  const first = await open();
  const { rows: list, places } = readDeviceList(table(), 'csv');
  rows.push(
    await measure(`import of ${DEVICES.toLocaleString('en')} from CSV`, async () => {
      await first.registry.import(list, { places });
      return DEVICES;
    }),
  );
  await first.close();

  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const begun = performance.now();
  let second: Awaited<ReturnType<typeof open>> | null = null;
  rows.push(
    await measure('open, per device', async () => {
      second = await open();
      return DEVICES;
    }),
  );
  const startS = (performance.now() - begun) / 1_000;
  globalThis.gc?.();
  const heapBytes = (process.memoryUsage().heapUsed - before) / DEVICES;
  const { registry, close } = second as unknown as Awaited<ReturnType<typeof open>>;

  const other = await open();
  rows.push(await measure('one change here, noticed there', () => changes(registry, other.registry)));
  await other.close();
  rows.push(await measure('pages of 1,000 of the list', () => pages(registry)));
  rows.push(
    await measure('export as CSV, per device', () => {
      let characters = 0;
      for (const piece of exportDevices(registry, 'csv')) characters += piece.length;
      return characters > 0 ? DEVICES : 0;
    }),
  );
  await close();
  const bytes = (await stat(file)).size / DEVICES;
  return { name: 'registry', machine: machine(), rows, goals: goalsFor(startS, heapBytes, bytes) };
}

function goalsFor(startS: number, heapBytes: number, fileBytes: number): BenchGoal[] {
  const most = (what: string, goal: number, value: number): BenchGoal => {
    const got = Number(value.toFixed(2));
    return { what, goal, got, holds: got <= goal };
  };
  return [
    most('start with 100,000 devices, seconds at most', 5, startS),
    most('heap a device, bytes at most (without --expose-gc: with garbage)', 4_000, heapBytes),
    most('records file a device, bytes at most', 2_000, fileBytes),
  ];
}

function table(): string {
  const head = 'id,template,site,lon,lat,addresses,party,uscc,attr_street,attr_building';
  const rows = Array.from({ length: DEVICES }, (_, i) =>
    [
      `d-${i}`,
      ['dust', 'noise', 'water'][i % 3],
      `site-${i % 5_000}`,
      (123.4 + (i % 600) / 10_000).toFixed(4),
      (41.78 + (i % 400) / 10_000).toFixed(4),
      `hj212:${String(i).padStart(24, '0')}`,
      `Party ${i % 5_000}`,
      '91350100M000100Y43',
      `Street ${i % 40}`,
      `${i % 900}`,
    ].join(','),
  );
  return [head, ...rows].join('\n');
}

async function changes(here: Registry, there: Registry): Promise<number> {
  for (let i = 0; i < 50; i++) {
    const { version: _version, since: _since, ...device } = here.get(`d-${i}`) ?? { version: 0, since: 0 };
    await here.upsert({ ...device, model: 'changed' });
    await there.refresh();
  }
  return 50;
}

function pages(registry: Registry): number {
  let count = 0;
  for (let after = ''; ; count++) {
    let read = 0;
    for (const device of registry.sorted(after)) {
      after = device.id;
      read += 1;
      if (read === 1_000) break;
    }
    if (read < 1_000) return count;
  }
}

import { join } from 'node:path';
import { alertingMigrations } from '../alerting/index.ts';
import { openFolderBlobs } from '../backbone/blobs/folder.ts';
import { lockDataFolder } from '../backbone/data-folder.ts';
import type { Blobs, Log, Records, Series, Stream } from '../backbone/index.ts';
import { openSqliteRecords } from '../backbone/records/sqlite.ts';
import { openDuckDbSeries } from '../backbone/series/duckdb.ts';
import { openLmdbStream } from '../backbone/stream/lmdb.ts';
import { deviceMigrations } from '../devices/index.ts';
import { ingestMigrations } from '../ingest/index.ts';
import { Closers } from './closers.ts';

export interface Stores {
  records: Records;
  series: Series;
  blobs: Blobs;
  stream: Stream;
}

/** Locks a data folder and opens the embedded stores in it; `closers` gets the way back. */
export async function openStores(folder: string, log: Log, closers: Closers): Promise<Stores> {
  closers.add('data folder', lockDataFolder(folder), (lock) => lock.release());
  const records = closers.add('records', await openRecords(folder, log), (r) => r.close());
  const series = await openDuckDbSeries({ file: join(folder, 'series.duckdb'), log });
  closers.add('series', series, (s) => s.close());
  const blobs = closers.add('blobs', await openFolderBlobs({ folder: join(folder, 'blobs') }), (b) =>
    b.close(),
  );
  const stream = await openLmdbStream({ folder: join(folder, 'stream'), log });
  closers.add('stream', stream, (s) => s.close());
  return { records, series, blobs, stream };
}

/** The records alone: several processes may have them open, so no lock is needed. */
export function openRecords(folder: string, log: Log): Promise<Records> {
  const migrations = [deviceMigrations, ingestMigrations, alertingMigrations];
  return openSqliteRecords({ file: join(folder, 'records.sqlite'), migrations, log });
}

/** Opens the stores of a stopped product for one piece of work. */
export async function withStores<T>(
  folder: string,
  log: Log,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  const closers = new Closers(log);
  try {
    return await work(await openStores(folder, log, closers));
  } finally {
    await closers.closeAll();
  }
}

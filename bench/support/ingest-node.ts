import { join } from 'node:path';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { openFolderBlobs } from '../../backbone/blobs/folder.ts';
import { type Clock, type Log, type Series, type Stream, wallClock } from '../../backbone/index.ts';
import { openSqliteRecords } from '../../backbone/records/sqlite.ts';
import { openDuckDbSeries } from '../../backbone/series/duckdb.ts';
import { openLmdbStream } from '../../backbone/stream/lmdb.ts';
import type { DeviceInput } from '../../contracts/index.ts';
import { BrokerConfig } from '../../devices/config.ts';
import { deviceMigrations, openRegistry, startBroker } from '../../devices/index.ts';
import { countAll, IngestConfig, ingestMigrations, startIngest } from '../../ingest/index.ts';

/**
 * Devices and ingest on embedded stores in one folder, as `cli/` wires them: for benches, drills and whole tests.
 * Entrances stop first, stores last.
 */
export interface IngestNodeOptions {
  folder: string;
  clock?: Clock;
  log?: Log;
  broker?: Partial<BrokerConfig>;
  ingest?: Record<string, unknown>;
  devices?: readonly (DeviceInput | Record<string, unknown>)[];
  /** For tests: stands between ingest and the stream. */
  wrapStream?: (stream: Stream) => Stream;
  /** For tests and drills: stands between ingest and the series store. */
  wrapSeries?: (series: Series) => Series;
}

export async function openStores(folder: string, log: Log) {
  const stream = await openLmdbStream({ folder: join(folder, 'stream'), log });
  const series = await openDuckDbSeries({ file: join(folder, 'series.duckdb'), log });
  const migrations = [deviceMigrations, ingestMigrations];
  const records = await openSqliteRecords({ file: join(folder, 'records.sqlite'), migrations, log });
  const blobs = await openFolderBlobs({ folder: join(folder, 'blobs') });
  return {
    stream,
    series,
    records,
    blobs,
    async close() {
      await stream.close();
      await series.close();
      await records.close();
      await blobs.close();
    },
  };
}

export async function startIngestNode(options: IngestNodeOptions) {
  const { folder, clock = wallClock, log = pino({ level: 'silent' }) } = options;
  const metrics = new Metrics();
  const stores = await openStores(folder, log);
  const { records, blobs } = stores;
  const stream = options.wrapStream?.(stores.stream) ?? stores.stream;
  const series = options.wrapSeries?.(stores.series) ?? stores.series;
  const registry = await openRegistry({ records, clock, log });
  await registry.import(options.devices ?? []);
  const utcOffsetMs = 8 * 3_600_000;
  const deps = { utcOffsetMs, stream, series, records, blobs, clock, log, metrics, directory: registry };
  const ingest = await startIngest(IngestConfig.parse(options.ingest ?? {}), deps);
  const broker = await startBroker(BrokerConfig.parse({ port: 0, allowAnonymous: true, ...options.broker }), {
    registry,
    handOn: ingest.acceptInto,
    session: (device, event) => void ingest.session(device, event),
    log,
    metrics,
  });
  return {
    ...stores,
    stream,
    series,
    registry,
    ingest,
    broker,
    metrics,
    count: () => countAll({ stream, series, records }),
    async stop() {
      await broker.stop();
      await ingest.stop();
      await registry.close();
      await stores.close();
    },
  };
}

import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { openFolderBlobs } from '../../backbone/blobs/folder.ts';
import { createHttpServer } from '../../backbone/http.ts';
import { manualClock } from '../../backbone/index.ts';
import { openSqliteRecords } from '../../backbone/records/sqlite.ts';
import { openLmdbStream } from '../../backbone/stream/lmdb.ts';
import { AlertingConfig, alertingMigrations, startAlerting } from '../index.ts';
import { catalog, DUST_IN_LINHE, directoryOf, EVENING } from './fixtures.ts';
import { MemorySeries } from './memory-series.ts';

/**
 * The stage as a process of its own, to be killed: `child.ts FOLDER COUNT CONFIG`. Knows devices dust-0 … dust-<COUNT-1>.
 * Prints its address once it serves.
 */
const [folder = '', count = '0', config = '{}'] = process.argv.slice(2);
const log = pino({ level: 'silent' });
const stream = await openLmdbStream({ folder: join(folder, 'stream'), log });
const records = await openSqliteRecords({
  file: join(folder, 'records.sqlite'),
  migrations: [alertingMigrations],
  log,
});
const blobs = await openFolderBlobs({ folder: join(folder, 'blobs') });
const devices = Array.from({ length: Number(count) }, (_, i) => ({ ...DUST_IN_LINHE, id: `dust-${i}` }));
const series = new MemorySeries();
await series.write(
  devices.map(({ id }) => ({
    ...{ datastream: `${id}/TSP`, time: EVENING, value: 1.2 },
    ...{ quality: 'valid' as const, receivedAt: EVENING },
  })),
);
const alerting = await startAlerting(AlertingConfig.parse(JSON.parse(config)), {
  utcOffsetMinutes: 480,
  ...{ stream, series, records, blobs, log },
  clock: manualClock(EVENING),
  metrics: new Registry(),
  directory: directoryOf(devices),
  catalog: await catalog(),
  draw: async (bytes) => ({ bytes, mediaType: 'image/jpeg' }),
  counts: async () => ({}),
});
const server = createHttpServer({ log, host: '127.0.0.1', port: 0, portSetting: 'http.port' });
await server.app.register(alerting.api);
console.log((await server.listen()).url);

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { openFolderBlobs } from '../../backbone/blobs/folder.ts';
import { encodeRecord } from '../../backbone/codec.ts';
import { type Clock, type DeviceDirectory, manualClock, type Records } from '../../backbone/index.ts';
import { openSqliteRecords } from '../../backbone/records/sqlite.ts';
import type { Finding } from '../../contracts/index.ts';
import { AlertingConfig } from '../config.ts';
import { DraftDesk } from '../draft/index.ts';
import { createMetrics } from '../metrics.ts';
import { Intake } from '../raise/index.ts';
import { Router } from '../route/index.ts';
import { EventLog } from '../store/events.ts';
import { alertingMigrations } from '../store/migrations.ts';
import { type Db, tables } from '../store/tables.ts';
import {
  CAMERA_IN_QINGSHI,
  catalog,
  DUST_IN_LINHE,
  directoryOf,
  EVENING,
  WATER_IN_QINGSHI,
} from './fixtures.ts';

/**
 * The real store, in memory unless it gets a file: the same SQL without the disk's waits. What is about disks (crash,
 * restart) hands in a file. Close it where it was opened.
 */
export async function openTestStore(file = ':memory:') {
  const log = pino({ level: 'silent' });
  const records: Records = await openSqliteRecords({ file, migrations: [alertingMigrations], log });
  return { records, db: tables(records), log, close: () => records.close() };
}

/** Findings to alerts and drafts on the real store, fed batch by batch. */
export async function openTestIntake(
  options: { directory?: DeviceDirectory; config?: unknown; db?: Db; clock?: Clock } = {},
) {
  const store = options.db === undefined ? await openTestStore() : null;
  const db = options.db ?? (store as NonNullable<typeof store>).db;
  const config = AlertingConfig.parse(options.config ?? {});
  const clock = options.clock ?? manualClock(EVENING);
  const directory = options.directory ?? directoryOf([DUST_IN_LINHE, CAMERA_IN_QINGSHI, WATER_IN_QINGSHI]);
  const events = new EventLog(db, config.events.keep);
  const utcOffsetMinutes = 480;
  const router = new Router(await catalog(), utcOffsetMinutes);
  const desk = new DraftDesk(config, { catalog: await catalog(), router, directory, utcOffsetMinutes });
  const metrics = createMetrics(new Registry());
  const intake = new Intake({ db, clock, metrics, directory, events, desk, config });
  let offset = 0;
  return {
    db,
    config,
    clock,
    directory,
    events,
    intake,
    store,
    /** Hands findings in as the next records of the stream, in one batch. */
    async take(...findings: Finding[]) {
      const records = findings.map((finding) => ({
        key: finding.device,
        value: encodeRecord(finding),
        offset: offset++,
      }));
      await intake.takeBatch({ topic: 'findings', partition: 0, records, nextOffset: offset });
    },
    close: async () => store?.close(),
  };
}

export async function openTestBlobs() {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-blobs-'));
  const blobs = await openFolderBlobs({ folder });
  return { blobs, close: async () => rm(folder, { recursive: true, force: true }) };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { openFolderBlobs } from '../../backbone/blobs/folder.ts';
import { encodeRecord } from '../../backbone/codec.ts';
import { createHttpServer } from '../../backbone/http.ts';
import { type Clock, manualClock } from '../../backbone/index.ts';
import { openSqliteRecords } from '../../backbone/records/sqlite.ts';
import { openDuckDbSeries } from '../../backbone/series/duckdb.ts';
import { openLmdbStream } from '../../backbone/stream/lmdb.ts';
import { type DeviceInput, type Finding, TOPICS } from '../../contracts/index.ts';
import { AlertingConfig, alertingMigrations, alertingTables, startAlerting } from '../index.ts';
import {
  CAMERA_IN_QINGSHI,
  catalog,
  DUST_IN_LINHE,
  directoryOf,
  EVENING,
  WATER_IN_QINGSHI,
} from './fixtures.ts';
import { MemorySeries } from './memory-series.ts';

export interface TestProductOptions {
  config?: unknown;
  clock?: Clock;
  /** Wall clock for sessions and retries. */
  wall?: Clock;
  devices?: readonly DeviceInput[];
  /** DuckDB in its thread; default: readings in memory, which a test opens at once. */
  realSeries?: boolean;
  /** Routes of "other stages", registered after the API. */
  others?: (app: FastifyInstance) => void;
}

/** The whole stage on the real stores (the series store if asked for) behind a real HTTP server on a free port. */
export async function startTestProduct(options: TestProductOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-alerting-'));
  const log = pino({ level: 'silent' });
  const stream = await openLmdbStream({ folder: join(folder, 'stream'), log });
  const series = options.realSeries
    ? await openDuckDbSeries({ file: join(folder, 'series.duckdb'), log })
    : new MemorySeries();
  const records = await openSqliteRecords({ file: ':memory:', migrations: [alertingMigrations], log });
  const blobs = await openFolderBlobs({ folder: join(folder, 'blobs') });
  const clock = options.clock ?? manualClock(EVENING);
  const alerting = await startAlerting(AlertingConfig.parse(options.config ?? {}), {
    utcOffsetMinutes: 480,
    ...{ stream, series, records, blobs, clock, log },
    ...(options.wall && { wall: options.wall }),
    metrics: new Registry(),
    directory: directoryOf(options.devices ?? [DUST_IN_LINHE, CAMERA_IN_QINGSHI, WATER_IN_QINGSHI]),
    catalog: await catalog(),
    draw: async (original) => ({
      bytes: Buffer.concat([original, Buffer.from('drawn')]),
      mediaType: 'image/jpeg',
    }),
    counts: async () => ({ frames: 7, observations: { acknowledged: 11, stored: 10 } }),
    random: () => 0.5,
  });
  const server = createHttpServer({ log, host: '127.0.0.1', port: 0, portSetting: 'http.port' });
  await server.app.register(alerting.api);
  options.others?.(server.app);
  const { url } = await server.listen();
  return {
    url,
    alerting,
    series,
    blobs,
    clock,
    db: alertingTables(records),
    /** Puts findings on the stream and waits until the stage has taken them. */
    async say(...findings: Finding[]) {
      await stream.append(
        TOPICS.findings,
        findings.map((f) => ({ key: f.device, value: encodeRecord(f) })),
      );
      const [ends] = await stream.ends(TOPICS.findings);
      await until(async () => {
        const row = await alertingTables(records)
          .selectFrom('alerting_positions')
          .selectAll()
          .executeTakeFirst();
        return row?.next_offset === ends?.next;
      });
    },
    async close() {
      await server.close();
      await alerting.stop();
      await stream.close();
      await series.close();
      await records.close();
      await blobs.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until something holds; the test's own timeout is the deadline. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A person at the API: keeps the cookie, sends JSON. */
export class Visitor {
  readonly #url: string;
  cookie: string | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(this.cookie !== null && { cookie: this.cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const cookie = response.headers.get('set-cookie');
    if (cookie !== null) this.cookie = cookie.split(';')[0] ?? null;
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json,
      code: json?.error?.code as string,
    };
  }

  get = (path: string, headers?: Record<string, string>) => this.ask('GET', path, undefined, headers);
  post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
    this.ask('POST', path, body, headers);
}

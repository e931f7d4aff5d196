import type { FastifyPluginAsync } from 'fastify';
import type { Registry } from 'prom-client';
import type { Catalog } from '../backbone/catalog.ts';
import {
  type Blobs,
  type Clock,
  type DeviceDirectory,
  type Log,
  type Records,
  type Series,
  type Stream,
  wallClock,
} from '../backbone/index.ts';
import { TOPICS } from '../contracts/index.ts';
import { Accounts, FirstSignIn, Sessions } from './access/index.ts';
import { apiPlugin, type Counts, EventStream, OpenApi, ownCounts } from './api/index.ts';
import type { AlertingConfig } from './config.ts';
import { Courier, LeadOutbox, openEndpoints } from './deliver/index.ts';
import { DraftDesk } from './draft/index.ts';
import { type DrawFrame, EvidenceArchive } from './evidence/index.ts';
import { createMetrics } from './metrics.ts';
import { Intake } from './raise/index.ts';
import { Reviewer } from './review/index.ts';
import { Router } from './route/index.ts';
import { EventLog } from './store/events.ts';
import { tables } from './store/tables.ts';

export interface AlertingDeps {
  stream: Stream;
  series: Series;
  /** Opened with `alertingMigrations`. */
  records: Records;
  blobs: Blobs;
  /** Local time = UTC + this: decides dates, numbers of drafts and what law is in force. */
  utcOffsetMinutes: number;
  /** The product's clock. */
  clock: Clock;
  log: Log;
  metrics: Registry;
  directory: DeviceDirectory;
  catalog: Catalog;
  draw: DrawFrame;
  /** What other stages count: observations, frames, quarantined, lag. */
  counts: () => Promise<Partial<Counts>>;
  /** For sessions, retries and timeouts. Default: the wall clock. */
  wall?: Clock;
  /** 0 ≤ r < 1, for the jitter of retries. */
  random?: () => number;
  /** The product's version, for the OpenAPI document. */
  version?: string;
}

export interface Alerting {
  /** Register it before the plugins of other stages: its guard holds for them too. */
  api: FastifyPluginAsync;
  /** Resolves when the batch and the deliveries in hand are done. */
  stop(): Promise<void>;
  health(): { ok: boolean; reason: 'running' | 'stopped' | 'stalled'; detail: string | null };
  counts(): Promise<Counts>;
  /** Path of the one-time link that makes the first account; null when there is one, or in the demo. */
  firstSignInLink(): Promise<string | null>;
}

/** The consumer group on the topic of findings. */
export const ALERTING_GROUP = 'alerting';

/**
 * Starts the stage. Sinks first: the courier, then the consumer of findings.
 * @throws QianliyanError CONFIG_INVALID when a case system's secret is missing
 */
export async function startAlerting(config: AlertingConfig, deps: AlertingDeps): Promise<Alerting> {
  const { stream, clock, directory, catalog, log } = deps;
  const wall = deps.wall ?? wallClock;
  const db = tables(deps.records);
  const metrics = createMetrics(deps.metrics);
  const events = new EventLog(db, config.events.keep);
  const router = new Router(catalog, deps.utcOffsetMinutes);
  const { utcOffsetMinutes } = deps;

  const receiverOf = openEndpoints(config.deliver);
  const outbox = new LeadOutbox(wall, config.deliver.deadlineH * 3_600_000);
  const random = deps.random ?? Math.random;
  const courier = new Courier({
    db,
    wall,
    clock,
    log,
    metrics,
    events,
    config: config.deliver,
    receiverOf,
    random,
  });
  outbox.onWake = () => courier.wake();

  const contextMs = config.evidence.contextMinutes * 60_000;
  const archive = new EvidenceArchive(db, { ...deps, utcOffsetMinutes, contextMs });
  const desk = new DraftDesk(config, { catalog, router, directory, utcOffsetMinutes });
  const intake = new Intake({ db, clock, metrics, directory, events, desk, config });
  const reviewer = new Reviewer({ db, clock, metrics, events, archive, outbox, config, utcOffsetMinutes });

  const accounts = new Accounts({ db, wall, clock, config: config.access });
  const sessions = new Sessions({ db, wall, accounts, config: config.access });
  const firstSignIn = new FirstSignIn(db, wall, accounts);
  const counts = async () => ({ ...NOTHING, ...(await deps.counts()), ...(await ownCounts(db)) });
  const eventStream = new EventStream({ events, log, counts });

  await courier.start();
  const subscription = await stream.subscribe(
    {
      topic: TOPICS.findings,
      group: ALERTING_GROUP,
      maxRecords: config.raise.batch,
      startAt: (partition) => intake.position(TOPICS.findings, partition),
    },
    (batch) => intake.takeBatch(batch),
  );
  const health = watch(subscription.ended, log);

  return {
    api: apiPlugin({
      ...{ db, clock, metrics, config, sessions, accounts, firstSignIn, utcOffsetMinutes },
      ...{ events, directory, reviewer, archive, series: deps.series, catalog, counts },
      stream: eventStream,
      openApi: new OpenApi(deps.version ?? '0.0.0'),
      secure: config.publicUrl.startsWith('https:'),
    }),
    async stop() {
      await subscription.stop();
      await courier.stop();
      eventStream.stop();
    },
    health,
    counts,
    firstSignInLink: async () => (config.demoAccess ? null : firstSignIn.link()),
  };
}

const NOTHING = { observations: { acknowledged: 0, stored: 0 }, frames: 0, quarantined: 0, lag: {} };

/** A consumer that ended by itself must not be silent: health says so, and the log did. */
function watch(ended: Promise<void>, log: Log): Alerting['health'] {
  let state: ReturnType<Alerting['health']> = { ok: true, reason: 'running', detail: null };
  ended.then(
    () => {
      state = { ok: false, reason: 'stopped', detail: null };
    },
    (err) => {
      state = { ok: false, reason: 'stalled', detail: err instanceof Error ? err.message : String(err) };
      log.error({ err }, 'findings are not taken any more');
    },
  );
  return () => state;
}

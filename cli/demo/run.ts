import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../backbone/index.ts';
import type { Registry } from '../../devices/index.ts';
import { startCaseSystem } from '../../simulator/case-system/index.ts';
import { districtDevices } from '../../simulator/district/index.ts';
import { startSimulator, warmPainter } from '../../simulator/live/index.ts';
import { type Observer, observe } from '../../simulator/observe.ts';
import { buildReport, type Report, type SeenAlert } from '../../simulator/report.ts';
import { demoScenario } from '../../simulator/scenarios/index.ts';
import { simulatedTime, UTC_OFFSET_MS } from '../../simulator/time.ts';
import { Closers } from '../closers.ts';
import { type ConfigInput, parseConfig } from '../config.ts';
import { startProduct } from '../product.ts';
import { simulatedReviewer } from './reviewer.ts';

/**
 * The demonstration: the product on embedded stores, and around it strangers that talk to it over the wire only.
 *
 *   simulated devices ══MQTT══▶ product ══HTTP══▶ sample case system
 *                                 ▲ ▲
 *        observer ──SSE, HTTP─────┘ └─────HTTP── simulated reviewer (confirms one draft)
 *
 * The product takes its faster clock from its configuration; nothing else is special-cased for it.
 */
export interface Demo {
  readonly url: string;
  readonly speed: number;
  readonly observer: Observer;
  /** What ports were taken instead of the usual ones, for people. */
  readonly notes: readonly string[];
  published(): number;
  productTime(): number;
  /** What came of it so far, against the simulator's truth. */
  report(seconds: number): Promise<Report>;
  stop(): Promise<void>;
}

export interface DemoOptions {
  /** Null: a temporary folder that goes with the demo. */
  dataFolder: string | null;
  httpPort: number;
  mqttPort: number;
  seed: number;
  log: Log;
  now: () => number;
  onAlert: (seen: SeenAlert) => void;
}

const SPEED = 120;
/** The simulated evening begins at 21:40 local time. */
const BEGINS_MS = (21 * 60 + 40) * 60_000;
const DAY_MS = 86_400_000;

export async function startDemo(options: DemoOptions): Promise<Demo> {
  const closers = new Closers(options.log);
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function start(options: DemoOptions, closers: Closers): Promise<Demo> {
  const { log, seed, now } = options;
  const dataFolder = options.dataFolder ?? (await temporaryFolder(closers));
  const notes: string[] = [];
  const httpPort = await freePort(options.httpPort, 'console', notes);
  const mqttPort = await freePort(options.mqttPort, 'MQTT', notes);
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const caseSystem = closers.add('case system', await startCaseSystem({ port: 0, secrets: [secret] }), (c) =>
    c.stop(),
  );

  const origin = eveningOf(now());
  const devices = districtDevices();
  const scenario = demoScenario(origin, devices);
  const painting = warmPainter({ devices, scenario, seed, origin });
  closers.add('painter', painting, async (painter) => (await painter).stop());
  const config = parseConfig(demoConfig({ origin, httpPort, mqttPort, caseSystem: caseSystem.url, secret }));
  const credentials: Record<string, string> = {};
  const product = await startProduct({
    config,
    dataFolder,
    log,
    // The evening begins when everybody is ready.
    prepare: async ({ registry }) => {
      await registerDevices(registry, devices, credentials);
      await painting;
    },
  });
  closers.add('product', product, (p) => p.stop());

  const reviewer = simulatedReviewer(product.url, (text) => log.warn(text));
  closers.add('reviewer', reviewer, (r) => r.stop());
  const observer = observe({
    url: product.url,
    onAlert: options.onAlert,
    onDraft: (draft) => reviewer.consider(draft),
  });
  closers.add('observer', observer, (o) => o.stop());
  await observer.connected;

  const clock = { origin: product.clock.now(), speed: SPEED, startedAt: now() };
  const brokerUrl = `mqtt://127.0.0.1:${product.mqttPort}`;
  const simulator = startSimulator({
    ...{ brokerUrl, credentials, devices, scenario, seed, clock, log },
    painter: await painting,
  });
  const stopSimulator = once(() => simulator.stop());
  closers.add('simulator', simulator, stopSimulator);

  return {
    url: product.url,
    speed: SPEED,
    observer,
    notes,
    published: () => simulator.stats().observations.published,
    productTime: () => product.clock.now(),
    async report(seconds) {
      const until = simulatedTime(clock, now());
      await stopSimulator();
      const counts = await settled(observer, simulator.stats().observations.acknowledged);
      return buildReport({
        seconds,
        until,
        truth: simulator.truth,
        oddities: simulator.oddities,
        alerts: observer.alerts(),
        drafts: observer.drafts(),
        published: simulator.stats().observations.published,
        acknowledged: simulator.stats().observations.acknowledged,
        counts,
        publishedAt: (device, time) => simulator.publishedAt(device, time),
      });
    },
    stop: () => closers.closeAll(),
  };
}

interface DemoParts {
  origin: number;
  httpPort: number;
  mqttPort: number;
  caseSystem: string;
  secret: string;
}

function demoConfig({ origin, httpPort, mqttPort, caseSystem, secret }: DemoParts): ConfigInput {
  return {
    clock: { speed: SPEED, origin: new Date(origin).toISOString() },
    http: { port: httpPort },
    mqtt: { port: mqttPort },
    alerting: {
      publicUrl: `http://127.0.0.1:${httpPort}`,
      demoAccess: true,
      deliver: { fallback: { url: caseSystem, secret } },
    },
  };
}

async function registerDevices(
  registry: Registry,
  devices: ReturnType<typeof districtDevices>,
  credentials: Record<string, string>,
): Promise<void> {
  await registry.import(devices);
  await Promise.all(
    devices.map(async ({ id }) => {
      credentials[id] = await registry.setPassword(id);
    }),
  );
}

/** 21:40 local time of the day that `now` falls on. */
function eveningOf(now: number): number {
  return Math.floor((now + UTC_OFFSET_MS) / DAY_MS) * DAY_MS - UTC_OFFSET_MS + BEGINS_MS;
}

/** What was acknowledged is stored within moments; the count waits for it, and says so if it never comes. */
async function settled(observer: Observer, acknowledged: number) {
  const deadline = performance.now() + 10_000;
  let counts = await observer.counts();
  while (counts.observations.stored < acknowledged && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    counts = await observer.counts();
  }
  return counts;
}

async function temporaryFolder(closers: Closers): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-demo-'));
  return closers.add('temporary folder', folder, (path) => rm(path, { recursive: true, force: true }));
}

/** The wished port, or, when somebody has it, any other: a demonstration should not fail for that. */
async function freePort(wished: number, what: string, notes: string[]): Promise<number> {
  if (wished === 0 || (await canListen(wished))) return wished === 0 ? anyPort() : wished;
  const port = await anyPort();
  notes.push(`port ${wished} is in use; ${what} is on ${port} instead`);
  return port;
}

function canListen(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}

const anyPort = () => listenOnce(0);

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

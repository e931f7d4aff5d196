import { join } from 'node:path';
import { Registry as Metrics } from 'prom-client';
import { consoleFiles, type DrawFrame, startAlerting } from '../alerting/index.ts';
import { loadCatalog } from '../backbone/catalog-load.ts';
import { createHttpServer } from '../backbone/http.ts';
import { type Clock, fastClock, type Log, type StartableClock, wallClock } from '../backbone/index.ts';
import { projectRoot } from '../backbone/project-root.ts';
import { drawDetections, startImageDetectors } from '../detectors/images/index.ts';
import { startSensorDetectors } from '../detectors/sensors/index.ts';
import { hj212Api } from '../devices/hj212-gateway/index.ts';
import { devicesApi, openRegistry, openStrangers, type Registry } from '../devices/index.ts';
import { ingestApi, startIngest } from '../ingest/index.ts';
import { version } from './about.ts';
import { Closers } from './closers.ts';
import { type Config, catalogFolder } from './config.ts';
import { startControl } from './control.ts';
import { Entrances } from './entrances.ts';
import { healthApi } from './health.ts';
import { instanceId } from './instance-id.ts';
import { quarantineAnswers } from './quarantine-answers.ts';
import { questions } from './questions.ts';
import { auditHj212, auditRegistry, secretKeyFile } from './registry-deps.ts';
import { openStores } from './stores.ts';

/**
 * The whole product in one process, on embedded stores.
 *
 *   devices ─▶ broker ─▶ ingest ─▶ (stream) ─▶ sensor detectors ─┬▶ (stream) ─▶ alerting ─▶ case systems
 *                          │  └──▶ (series)    image detectors ──┘                 │
 *                          └─────▶ (blobs) ───────┘                  console ◀── HTTP server
 *
 * Started from the stores to the sources, stopped in reverse, so that every part finds what it writes to.
 */
export interface Product {
  /** Address of the console. */
  readonly url: string;
  /** Of the embedded broker; null when it is not enabled. */
  readonly mqttPort: number | null;
  /** Of the HJ 212 gateway; null when it is not configured. */
  readonly hj212Port: number | null;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Where the first administrator signs in; null once there is one, or where nobody has to. */
  readonly signInLink: string | null;
  stop(): Promise<void>;
}

export interface ProductOptions {
  config: Config;
  dataFolder: string;
  log: Log;
  /** Runs when all is ready but no device can connect yet. */
  prepare?: (parts: { registry: Registry }) => Promise<void>;
}

export async function startProduct(options: ProductOptions): Promise<Product> {
  const closers = new Closers(options.log);
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function start(
  { config, dataFolder, log, prepare }: ProductOptions,
  closers: Closers,
): Promise<Product> {
  const clock = clockOf(config);
  const metrics = new Metrics();
  const stores = await openStores(dataFolder, log, closers);
  const registry = closers.add(
    'registry',
    await openRegistry({
      ...stores,
      clock,
      log,
      secretKeyFile: secretKeyFile(dataFolder),
      audit: auditRegistry,
    }),
    (r) => r.close(),
  );
  const strangers = closers.add(
    'unknown devices',
    await openStrangers({ records: stores.records, registry, log }),
    (s) => s.close(),
  );
  const catalog = await loadCatalog(catalogFolder(config));
  const { utcOffsetMinutes } = config;
  const utcOffsetMs = utcOffsetMinutes * 60_000;
  const shared = {
    ...stores,
    clock,
    log,
    metrics,
    directory: registry,
    catalog,
    utcOffsetMinutes,
    utcOffsetMs,
  };

  const http = createHttpServer({ ...config.http, log, portSetting: 'http.port' });
  const alerting = await startAlerting(config.alerting, {
    ...shared,
    draw,
    version,
    counts: () => ingest.counts(),
  });
  closers.add('alerting', alerting, (a) => a.stop());
  const sensors = closers.add(
    'sensor detectors',
    await startSensorDetectors(config.detectors.sensors, shared),
    (s) => s.stop(),
  );
  const images = closers.add(
    'image detectors',
    await startImageDetectors(config.detectors.images, { ...shared, dataFolder }),
    (i) => i.stop(),
  );
  const ingest = closers.add(
    'ingest',
    await startIngest(config.ingest, { ...shared, strangers, secretOf: registry.secretOf }),
    (i) => i.stop(),
  );

  const entrances = new Entrances();
  await http.app.register(alerting.api);
  const rerun = (name: string) => ingest.rerun({ name, limit: RERUN_AT_ADOPTION }, 'adopt');
  await http.app.register(devicesApi({ registry, strangers, rerun }));
  await http.app.register(
    hj212Api({ gateway: () => entrances.hj212, clock, audit: auditHj212(stores.records) }),
  );
  await http.app.register(ingestApi(ingest));
  await http.app.register(healthApi({ metrics, stages: { entrances, ingest, sensors, images, alerting } }));
  await http.app.register(consoleFiles(join(projectRoot, 'console', 'dist')));
  const { url } = await http.listen();
  closers.add('http', http, (h) => h.close());

  const parts = { ...stores, directory: registry, catalog, utcOffsetMs };
  const control = await startControl(dataFolder, {
    count: () => questions.count(parts),
    ...quarantineAnswers(ingest),
    explain: (id) => questions.explain(parts, id),
  });
  closers.add('control', control, (c) => c.stop());

  await prepare?.({ registry });
  clock.begin();
  await entrances.open(
    config,
    { registry, ingest, clock, utcOffsetMs, log, metrics, instanceId: instanceId(dataFolder) },
    closers,
  );
  const signInPath = await alerting.firstSignInLink();
  const signInLink = signInPath === null ? null : new URL(signInPath, url).href;
  return {
    url,
    mqttPort: entrances.mqttPort,
    hj212Port: entrances.hj212?.port ?? null,
    registry,
    clock,
    signInLink,
    stop: () => closers.closeAll(),
  };
}

/** Messages of a device that was adopted, which are run again in the same request. */
const RERUN_AT_ADOPTION = 10_000;

function clockOf({ clock }: Config): StartableClock {
  if (clock.origin === null && clock.speed === 1) return { ...wallClock, begin: () => {} };
  return fastClock(clock.origin === null ? Date.now() : Date.parse(clock.origin), clock.speed);
}

const draw: DrawFrame = async (original, { detections, zone }) => ({
  bytes: await drawDetections(original, detections, zone),
  mediaType: 'image/jpeg',
});

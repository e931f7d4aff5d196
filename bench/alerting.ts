import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { DraftDesk } from '../alerting/draft/index.ts';
import { AlertingConfig, alertingMigrations, alertingTables, Router } from '../alerting/index.ts';
import { createMetrics } from '../alerting/metrics.ts';
import { Intake } from '../alerting/raise/index.ts';
import { EventLog } from '../alerting/store/events.ts';
import type { Catalog } from '../backbone/catalog.ts';
import { loadCatalog } from '../backbone/catalog-load.ts';
import { encodeRecord } from '../backbone/codec.ts';
import type { DeviceDirectory } from '../backbone/index.ts';
import { projectRoot } from '../backbone/project-root.ts';
import { openSqliteRecords } from '../backbone/records/sqlite.ts';
import { Device, type Finding, type LonLat, type RegisteredDevice } from '../contracts/index.ts';
import { type BenchReport, type BenchRow, machine, measure } from './report.ts';

/**
 * Findings → alerts (and drafts) on the embedded store with its real syncs, and routing over 1,000 areas.
 *
 *   raise       each finding opens an alert of its own: the worst case of a storm
 *   raise+draft the same, and each alert becomes a draft case
 *   update      each finding is a revision of an open alert: what a lasting storm consists of
 */
const FINDINGS = 10_000;
const BATCH = 500;
const START = Date.parse('2026-11-22T22:00:00+08:00');

export async function benchAlerting(): Promise<BenchReport> {
  const catalog = await loadCatalog(join(projectRoot, 'catalog'));
  const raise = await findingsCases(catalog, 'watch', 'raise');
  const draft = await findingsCases(catalog, 'violation', 'raise+draft');
  const routing = await routingCase(catalog, 1000);
  const rows = [...raise, ...draft, routing];
  const goal = (what: string, wanted: number, row: BenchRow | undefined) => ({
    what,
    goal: wanted,
    got: row?.ratePerS ?? 0,
    holds: (row?.ratePerS ?? 0) >= wanted,
  });
  return {
    name: 'alerting',
    machine: machine(),
    rows,
    goals: [
      goal('findings → alerts a second on SQLite', 5000, raise[0]),
      goal('routings a second a core with 1,000 areas', 100_000, routing),
    ],
  };
}

async function findingsCases(
  catalog: Catalog,
  severity: Finding['severity'],
  name: string,
): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-bench-'));
  const log = pino({ level: 'silent' });
  const file = join(folder, 'records.sqlite');
  const records = await openSqliteRecords({ file, migrations: [alertingMigrations], log });
  try {
    const intake = openIntake(catalog, alertingTables(records));
    const opened = await measure(name, () => feed(intake, 0, (i) => makeFinding(i, 0, severity)));
    const updated = await measure(`${name}, update`, () =>
      feed(intake, FINDINGS, (i) => makeFinding(i, 1, severity)),
    );
    return [opened, updated];
  } finally {
    await records.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function openIntake(catalog: Catalog, db: ReturnType<typeof alertingTables>): Intake {
  const config = AlertingConfig.parse({});
  const utcOffsetMinutes = 480;
  const directory = directoryOfAny();
  const events = new EventLog(db, config.events.keep);
  const router = new Router(catalog, utcOffsetMinutes);
  const desk = new DraftDesk(config, { catalog, router, directory, utcOffsetMinutes });
  const clock = { now: () => START, speed: 1 };
  return new Intake({ db, clock, metrics: createMetrics(new Registry()), directory, events, desk, config });
}

async function feed(intake: Intake, from: number, make: (i: number) => Finding): Promise<number> {
  for (let i = 0; i < FINDINGS; i += BATCH) {
    const records = Array.from({ length: BATCH }, (_, k) => {
      const finding = make(i + k);
      return { key: finding.device, value: encodeRecord(finding), offset: from + i + k };
    });
    await intake.takeBatch({ topic: 'findings', partition: 0, records, nextOffset: from + i + BATCH });
  }
  return FINDINGS;
}

/** Every device there is, all alike but for their names. */
function directoryOfAny(): DeviceDirectory {
  const model: RegisteredDevice = {
    ...Device.parse({
      id: 'dust-0',
      kind: 'sensor',
      name: { zh: '扬尘监测点', en: 'Dust monitor' },
      site: 'site-0',
      location: [123.445, 41.8],
      datastreams: [{ property: 'TSP', unit: 'mg/m3', range: [0, 100], intervalS: 30 }],
    }),
    version: 1,
    since: 0,
  };
  const get = (id: string) => ({ ...model, id });
  return { get, find: get, at: get, all: () => [model], onChange: () => () => {} };
}

function makeFinding(i: number, revision: number, severity: Finding['severity']): Finding {
  const device = `dust-${i}`;
  const to = START + 300_000 + revision * 30_000;
  return {
    id: `f_${createHash('sha256').update(device).digest('hex').slice(0, 32)}`,
    revision,
    state: revision === 0 ? 'open' : 'update',
    kind: 'limit-exceeded',
    reason: 'mean-5min',
    severity,
    matter: 'm-dust-site',
    device,
    datastream: `${device}/TSP`,
    interval: { from: START, to },
    measure: {
      statistic: 'mean-5min',
      value: 1.23,
      unit: 'mg/m3',
      limit: 0.8,
      validCount: 10,
      expectedCount: 10,
    },
    summary: {
      zh: 'TSP 5 分钟均值 1.23 mg/m³，超过 0.8 mg/m³',
      en: 'TSP 5 min mean 1.23 mg/m³, above 0.8 mg/m³',
    },
    detector: {
      name: 'limits',
      version: '1',
      parameters: { rule: { id: 'l-db21-2642-tsp-urban', version: 1 } },
    },
    input: { datastreams: [`${device}/TSP`], from: START, to, frames: [] },
    clause: 'DB21/2642-2016',
    trigger: { device, time: to, receivedAt: to },
  };
}

/** A town of `count` areas side by side, each empowered for the matter; places all over it. */
async function routingCase(catalog: Catalog, count: number): Promise<BenchRow> {
  const side = Math.ceil(Math.sqrt(count));
  const router = new Router(townOf(catalog, side), 480);
  const places = Array.from(
    { length: 1000 },
    (_, i): LonLat => [120 + ((i * 7919) % 10_000) / 10_000, 30 + ((i * 104_729) % 10_000) / 10_000],
  );
  const routings = 200_000;
  let routed = 0;
  const row = await measure(`route, ${side * side} areas`, () => {
    for (let i = 0; i < routings; i++) {
      const place = places[i % places.length] ?? [0, 0];
      if (router.decide({ matter: 'm-dust-site', place, at: START }).unit !== null) routed++;
    }
    return routings;
  });
  if (routed === 0) throw new Error('nothing was routed: the bench measures nothing');
  return row;
}

function townOf(catalog: Catalog, side: number): Catalog {
  const cells = Array.from({ length: side * side }, (_, i) => ({
    id: `area-${i}`,
    x: i % side,
    y: Math.floor(i / side),
  }));
  return {
    ...catalog,
    areas: {
      type: 'FeatureCollection',
      features: cells.map(({ id, x, y }) => ({
        type: 'Feature',
        properties: { id, name: { zh: id, en: id }, region: '210199001' },
        geometry: {
          type: 'Polygon',
          coordinates: [ringAround((x + 0.5) / side, (y + 0.5) / side, 0.5 / side)],
        },
      })),
    },
    assignments: cells.map(({ id }) => ({
      id: `as-${id}`,
      matter: 'm-dust-site',
      area: id,
      unit: 'u-urban',
      coUnits: [],
      basis: 'default',
      valid: { from: '2020-01-01', to: null },
      source: 'bench',
    })),
  };
}

/** Forty corners, as a real street's boundary has rather than four. */
function ringAround(x: number, y: number, radius: number): [number, number][] {
  const corner = (i: number): [number, number] => {
    const angle = ((i % 40) / 40) * 2 * Math.PI;
    return [120 + x + radius * Math.cos(angle), 30 + y + radius * Math.sin(angle)];
  };
  return Array.from({ length: 41 }, (_, i) => corner(i));
}

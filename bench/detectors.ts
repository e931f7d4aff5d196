import type { Catalog } from '../backbone/catalog.ts';
import type { DeviceDirectory } from '../backbone/directory.ts';
import {
  Device,
  Limit,
  type ObservationBatch,
  type ObservationRecord,
  type RegisteredDevice,
} from '../contracts/index.ts';
import { plansOf, SensorDetectorsConfig } from '../detectors/sensors/config.ts';
import type { Plan } from '../detectors/sensors/plan.ts';
import { SensorRouter } from '../detectors/sensors/routing.ts';
import { Snapshot } from '../detectors/sensors/snapshot.ts';
import { type BenchGoal, type BenchReport, type BenchRow, machine, measure } from './report.ts';

/**
 * Sensor detection without the stream: records as decoded objects through the routing core, interleaved over the whole
 * fleet (every device once, then every device again), which is the order that hurts caches most. One core, no waiting.
 *
 * The fleet is two datastreams a device (TSP with a five-minute limit, and PM10), 30 s apart, ticks every 5 s of
 * data time. Values wander; nothing is broken, so that detection is measured and not the writing of findings.
 */
const STREAMS = 2;
const INTERVAL_MS = 30_000;
const START = Date.parse('2026-11-22T02:00:00Z');
const DAY = 86_400_000;

export async function benchDetectors(
  sizes: readonly number[] = [1000, 100_000, 1_000_000],
): Promise<BenchReport> {
  const rows: BenchRow[] = [];
  const goals: BenchGoal[] = [];
  const all = plansOf(SensorDetectorsConfig.parse({}));
  const light = all.filter((plan) => plan.label === 'limits' || plan.label === 'silence');
  for (const [name, plans, goal] of [
    ['limits + silence', light, 1_000_000],
    ['full set', all, 300_000],
  ] as const) {
    const cost = new Map<number, BenchRow>();
    for (const datastreams of sizes) {
      const row = await run(
        `${name}, ${datastreams.toLocaleString('en')} datastreams`,
        plans,
        datastreams,
        goals,
      );
      rows.push(row);
      cost.set(datastreams, row);
    }
    goals.push(...speedGoals(name, cost, goal));
  }
  return { name: 'detectors', machine: machine(), rows, goals };
}

function speedGoals(name: string, cost: ReadonlyMap<number, BenchRow>, goal: number): BenchGoal[] {
  const [small, large] = [[...cost.values()][0], [...cost.values()].at(-1)];
  if (small === undefined || large === undefined) return [];
  const ratio = Number((large.cpuSPer100k / small.cpuSPer100k).toFixed(2));
  return [
    { what: `${name}: observations a second`, goal, got: small.ratePerS, holds: small.ratePerS >= goal },
    {
      what: `${name}: cost at the largest fleet ÷ at the smallest (at most)`,
      goal: 2,
      got: ratio,
      holds: ratio <= 2,
    },
  ];
}

async function run(
  name: string,
  plans: readonly Plan[],
  datastreams: number,
  goals: BenchGoal[],
): Promise<BenchRow> {
  const fleet = new Fleet(datastreams / STREAMS);
  const router = new SensorRouter({
    plans,
    directory: fleet.directory,
    catalog: fleet.catalog,
    utcOffsetMs: 8 * 3_600_000,
    updateEveryMs: 300_000,
    tickGapMs: 30_000,
  });
  const before = heapMb();
  // Warm-up: everything is attached, and windows have rolled at least twice on small fleets.
  const warmRounds = Math.max(3, Math.ceil(200_000 / datastreams));
  fleet.play(router, warmRounds);
  const perStream = ((heapMb() - before) * 1e6) / datastreams;
  const rounds = Math.max(2, Math.ceil(3_000_000 / datastreams));
  const row = await measure(name, () => fleet.play(router, rounds));
  if (datastreams >= 1_000_000) {
    goals.push({
      what: `${name}: bytes a datastream, registry included (at most)`,
      goal: 1024,
      got: Math.round(perStream),
      holds: perStream <= 1024,
    });
    goals.push(...checkpointGoals(name, router));
  }
  return row;
}

/** All of a checkpoint in slices, as partition.ts takes it: total and longest stall. */
function checkpointGoals(name: string, router: SensorRouter): BenchGoal[] {
  const begun = performance.now();
  let longest = 0;
  const snapshot = new Snapshot(router);
  for (let done = false; !done; ) {
    const from = performance.now();
    done = snapshot.step(1000);
    longest = Math.max(longest, performance.now() - from);
  }
  const total = Math.round(performance.now() - begun);
  const stall = Math.round(longest);
  return [
    {
      what: `${name}: checkpoint, ms of stall in all (at most)`,
      goal: 2000,
      got: total,
      holds: total <= 2000,
    },
    { what: `${name}: checkpoint, longest stall in ms (at most)`, goal: 50, got: stall, holds: stall <= 50 },
  ];
}

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

/** Devices that exist only as far as they are asked for, and one message object that is filled anew for each. */
class Fleet {
  readonly catalog: Catalog = benchCatalog();
  readonly directory: DeviceDirectory;
  readonly #ids: string[];
  /** Ids of the datastreams of device i: i × STREAMS and following. */
  readonly #streams: string[];
  #round = 0;
  #emitted = 0;

  constructor(devices: number) {
    const model = benchDevice();
    this.#ids = Array.from({ length: devices }, (_, i) => `device-${i}`);
    this.#streams = this.#ids.flatMap((id) => model.datastreams.map((d) => `${id}/${d.property}`));
    const get = (id: string): RegisteredDevice => ({ ...model, id });
    this.directory = { get, find: get, at: get, all: () => [], onChange: () => () => {} };
  }

  /** Every device speaks once a round. Returns how many observations that were. */
  play(router: SensorRouter, rounds: number): number {
    const emit = (): void => {
      this.#emitted += 1;
    };
    const batch = messageOf(STREAMS);
    for (let r = 0; r < rounds; r += 1) {
      const time = START + this.#round * INTERVAL_MS;
      for (let i = 0; i < this.#ids.length; i += 1) {
        this.#fill(batch, i, time);
        router.handle(batch, emit);
      }
      for (let tick = 5000; tick <= INTERVAL_MS; tick += 5000) {
        router.handle({ type: 'tick', time: time + tick } satisfies ObservationRecord, emit);
      }
      this.#round += 1;
    }
    return rounds * this.#ids.length * STREAMS;
  }

  #fill(batch: ObservationBatch, device: number, time: number): void {
    batch.device = this.#ids[device] ?? '';
    batch.receivedAt = time;
    // A cheap wander that no two devices share: no random numbers on the measured path.
    const phase = (this.#round * 7919 + device * 104_729) % 1009;
    for (let k = 0; k < STREAMS; k += 1) {
      const observation = batch.observations[k];
      if (observation === undefined) continue;
      observation.datastream = this.#streams[device * STREAMS + k] ?? '';
      observation.time = time;
      observation.value = (k === 0 ? 0.2 : 60) * (1 + phase / 4000);
    }
  }
}

function messageOf(observations: number): ObservationBatch {
  return {
    type: 'observations',
    device: '',
    receivedAt: 0,
    observations: Array.from({ length: observations }, () => ({
      datastream: '',
      time: 0,
      value: 0,
      quality: 'valid',
    })),
  };
}

function benchDevice(): RegisteredDevice {
  const device = Device.parse({
    id: 'device-0',
    kind: 'sensor',
    name: { zh: '设备', en: 'device' },
    site: 'site-0',
    location: [123.43, 41.8],
    attributes: { siteType: 'construction' },
    datastreams: [
      { property: 'TSP', unit: 'mg/m3', range: [0, 20], intervalS: INTERVAL_MS / 1000 },
      { property: 'PM10', unit: 'ug/m3', range: [0, 5000], intervalS: INTERVAL_MS / 1000 },
    ],
  });
  return { ...device, version: 1, since: START - DAY };
}

function benchCatalog(): Catalog {
  const limit = Limit.parse({
    id: 'bench-tsp',
    version: 1,
    matter: 'bench',
    property: 'TSP',
    statistic: { type: 'mean', windowS: 300, minValidShare: 0.75 },
    max: 0.8,
    unit: 'mg/m3',
    where: { siteType: 'construction' },
    clause: 'bench',
    valid: { from: '2016-11-01' },
    source: 'bench',
    certainty: 'secondary',
  });
  return {
    matters: new Map(),
    bases: new Map(),
    units: new Map(),
    limits: [limit],
    assignments: [],
    areas: { type: 'FeatureCollection', features: [] },
    version: 'bench',
  };
}

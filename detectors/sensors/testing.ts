/**
 * What the tests (and the bench) of sensor detection share: a small catalog, a registry in memory, a stream in memory,
 * and ways to tell a day in one line. No test double of anything that is under test.
 */
import type { Catalog } from '../../backbone/catalog.ts';
import type { DeviceDirectory } from '../../backbone/directory.ts';
import type {
  Checkpoint,
  StoredRecord,
  Stream,
  StreamRecord,
  SubscribeOptions,
  Subscription,
} from '../../backbone/stream/port.ts';
import {
  Device,
  type DeviceInput,
  type Finding,
  Limit,
  type Observation,
  type ObservationBatch,
  type ObservationRecord,
  type Quality,
  type RegisteredDevice,
} from '../../contracts/index.ts';
import { planOf, plansOf, SensorDetectorConfig, SensorDetectorsConfig } from './config.ts';
import type { Plan } from './plan.ts';
import { type RouterOptions, SensorRouter } from './routing.ts';

export const BEIJING_MS = 8 * 3_600_000;
/** `at('2026-11-22 22:05')`: local time in Beijing as epoch ms. */
export const at = (local: string): number =>
  Date.parse(`${local.replace(' ', 'T')}${local.length === 16 ? ':00' : ''}+08:00`);
/** `clock(finding.interval.from)`: `2026-11-22 22:05:00` */
export const clock = (time: number): string =>
  new Date(time + BEIJING_MS).toISOString().slice(0, 19).replace('T', ' ');

const MATTERS = [
  'm-dust-site',
  'm-noise-night',
  'm-monitoring-data',
  'm-monitoring-abnormal',
  'm-device-offline',
];

/** The demonstration district, as far as detectors look at it: one area, matters, and the limits given. */
export function testCatalog(limits: readonly unknown[] = [DUST_5MIN, NIGHT_NOISE]): Catalog {
  const name = { zh: '示范区', en: 'Demonstration District' };
  const ring = [
    [123.4, 41.78],
    [123.46, 41.78],
    [123.46, 41.82],
    [123.4, 41.82],
    [123.4, 41.78],
  ];
  return {
    matters: new Map(
      MATTERS.map((id) => [id, { id, code: id, name, cause: name, bases: ['b-1'], reviewHours: 24 }]),
    ),
    bases: new Map(),
    units: new Map(),
    limits: limits.map((limit) => Limit.parse(limit)),
    assignments: [],
    areas: {
      type: 'FeatureCollection',
      features: [
        {
          type: 'Feature',
          properties: { id: 'area-district', name, region: '210199' },
          geometry: { type: 'Polygon', coordinates: [ring] },
        },
      ],
    },
    version: 'test',
  };
}

export const DUST_5MIN = {
  id: 'l-dust',
  version: 1,
  matter: 'm-dust-site',
  property: 'TSP',
  statistic: { type: 'mean', windowS: 300, minValidShare: 0.75 },
  max: 0.8,
  unit: 'mg/m3',
  region: '21',
  where: { siteType: 'construction' },
  clause: 'DB21/2642-2016 4.1',
  valid: { from: '2016-11-01', to: null },
  source: 'test',
  certainty: 'secondary',
} as const;

export const NIGHT_NOISE = {
  id: 'l-noise-night',
  version: 1,
  matter: 'm-noise-night',
  property: 'LAeq',
  statistic: { type: 'leq', windowS: 1200, minValidShare: 0.75 },
  max: 55,
  unit: 'dB',
  hours: ['22:00', '06:00'],
  region: '',
  where: { siteType: 'construction' },
  clause: 'GB 12523 4.1',
  valid: { from: '2012-07-01', to: null },
  source: 'test',
  certainty: 'unconfirmed',
} as const;

const RANGES: Record<string, { unit: string; range: [number, number] }> = {
  TSP: { unit: 'mg/m3', range: [0, 20] },
  PM10: { unit: 'ug/m3', range: [0, 5000] },
  LAeq: { unit: 'dB', range: [20, 140] },
  LEVEL: { unit: 'm', range: [0, 30] },
  COD: { unit: 'mg/L', range: [0, 1000] },
};

/** A registered site device: `testDevice('dust-01', ['TSP'])`, one value every 30 s. */
export function testDevice(
  id: string,
  properties: readonly string[],
  changes: Partial<DeviceInput> & {
    version?: number;
    since?: number;
    intervalS?: number;
    unit?: string | null;
  } = {},
): RegisteredDevice {
  const { version = 1, since = at('2026-11-01 00:00'), intervalS = 30, unit, ...rest } = changes;
  const device = Device.parse({
    id,
    kind: 'sensor',
    name: { zh: id, en: id },
    site: 'site-1',
    location: [123.43, 41.8],
    attributes: { siteType: 'construction' },
    datastreams: properties.map((property) => {
      const known = RANGES[property] ?? { unit: '1', range: [-1e9, 1e9] };
      return { property, ...known, ...(unit === undefined ? {} : { unit }), intervalS };
    }),
    ...rest,
  });
  return { ...device, version, since };
}

/** A registry in memory, with history. */
export function testDirectory(devices: readonly RegisteredDevice[]): DeviceDirectory & {
  put(device: RegisteredDevice): void;
} {
  const versions = new Map<string, RegisteredDevice[]>();
  const listeners = new Set<(id: string) => void>();
  const add = (device: RegisteredDevice): void => {
    versions.set(device.id, [...(versions.get(device.id) ?? []), device]);
  };
  for (const device of devices) add(device);
  return {
    get: (id) => versions.get(id)?.at(-1),
    at: (id, time) => versions.get(id)?.findLast((device) => device.since <= time),
    *all() {
      for (const history of versions.values()) {
        const current = history.at(-1);
        if (current !== undefined) yield current;
      }
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    put(device) {
      add(device);
      for (const listener of listeners) listener(device.id);
    },
  };
}

/** All detectors with their defaults, or those given as configuration. */
export function testPlans(...configs: (typeof SensorDetectorConfig)['_zod']['input'][]): Plan[] {
  if (configs.length === 0) return plansOf(SensorDetectorsConfig.parse({}));
  return configs.map((config) => planOf(SensorDetectorConfig.parse(config)));
}

export function testRouter(options: Partial<RouterOptions> & Pick<RouterOptions, 'directory'>): SensorRouter {
  return new SensorRouter({
    plans: testPlans(),
    catalog: testCatalog(),
    utcOffsetMs: BEIJING_MS,
    updateEveryMs: 300_000,
    tickGapMs: 30_000,
    ...options,
  });
}

/** One message of a device with one value: received when it was measured, unless told otherwise. */
export function reading(
  datastream: string,
  time: number,
  value: number,
  quality: Quality = 'valid',
  receivedAt = time,
): ObservationBatch {
  const device = datastream.slice(0, datastream.indexOf('/'));
  return { type: 'observations', device, receivedAt, observations: [{ datastream, time, value, quality }] };
}

/** Values of one datastream from `from` on, `intervalS` apart; `undefined` leaves one out. */
export function readings(
  datastream: string,
  from: number,
  intervalS: number,
  values: readonly (number | undefined)[],
): ObservationBatch[] {
  return values.flatMap((value, i) =>
    value === undefined ? [] : [reading(datastream, from + i * intervalS * 1000, value)],
  );
}

/** Ticks between two times, `everyS` apart. */
export function ticks(from: number, to: number, everyS: number): ObservationRecord[] {
  const list: ObservationRecord[] = [];
  for (let time = from; time <= to; time += everyS * 1000) list.push({ type: 'tick', time });
  return list;
}

/** Records in the order in which the product would have had them. */
export function inOrder(...lists: readonly (readonly ObservationRecord[])[]): ObservationRecord[] {
  return lists.flat().sort((a, b) => arrival(a) - arrival(b));
}

const arrival = (r: ObservationRecord): number => (r.type === 'observations' ? r.receivedAt : r.time);

/** What the router says of these records. */
export function findingsOf(router: SensorRouter, records: readonly ObservationRecord[]): Finding[] {
  const findings: Finding[] = [];
  for (const record of records) router.handle(record, (finding) => findings.push(finding));
  return findings;
}

/** A seeded source of numbers in [0, 1): the same for the same seed, everywhere (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `observation('dust-01/TSP', t, 0.3)` */
export const observation = (datastream: string, time: number, value: number): Observation => ({
  datastream,
  time,
  value,
  quality: 'valid',
});

/** A stream in memory with one partition a topic. `failing` makes calls fail, as a dead disk would. */
export interface MemoryStream extends Stream {
  failing: Set<'append' | 'saveCheckpoint'>;
  records(topic: string): readonly StoredRecord[];
  /** Resolves once every subscription has handled all there is. */
  drained(): Promise<void>;
}

export function memoryStream(): MemoryStream {
  const topics = new Map<string, StoredRecord[]>();
  const checkpoints = new Map<string, Checkpoint>();
  const consumers = new Set<() => boolean>();
  const failing: MemoryStream['failing'] = new Set();
  const topic = (name: string): StoredRecord[] => {
    const records = topics.get(name) ?? [];
    topics.set(name, records);
    return records;
  };
  const push = (name: string, records: readonly StreamRecord[]): void => {
    const list = topic(name);
    for (const record of records) list.push({ ...record, offset: list.length });
  };
  const key = (group: string, name: string, partition: number): string => `${group}/${name}/${partition}`;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  return {
    failing,
    records: topic,
    async append(name, records) {
      if (failing.has('append')) throw new Error('the disk does not answer');
      push(name, records);
    },
    async broadcast(name, value) {
      push(name, [{ key: '', value }]);
    },
    async subscribe(options: SubscribeOptions, handler): Promise<Subscription> {
      const start =
        (await options.startAt?.(0)) ?? checkpoints.get(key(options.group, options.topic, 0))?.nextOffset;
      let next = start ?? 0;
      let stopping = false;
      const isDone = (): boolean => next >= topic(options.topic).length;
      consumers.add(isDone);
      const ended = (async () => {
        while (!stopping) {
          const records = topic(options.topic).slice(next, next + (options.maxRecords ?? 1000));
          if (records.length > 0) {
            const nextOffset = next + records.length;
            const handled = await handler({ topic: options.topic, partition: 0, records, nextOffset }).then(
              () => true,
              () => false,
            );
            if (handled) next = nextOffset;
          }
          await turn();
        }
      })();
      return {
        ended,
        async stop() {
          stopping = true;
          consumers.delete(isDone);
          await ended;
        },
      };
    },
    async read(name, _partition, from, maxRecords) {
      return topic(name).slice(from, from + maxRecords);
    },
    async ends(name) {
      return [{ partition: 0, first: 0, next: topic(name).length }];
    },
    async loadCheckpoint(group, name, partition) {
      return checkpoints.get(key(group, name, partition)) ?? null;
    },
    async saveCheckpoint(group, name, partition, checkpoint) {
      if (failing.has('saveCheckpoint')) throw new Error('the disk does not answer');
      checkpoints.set(key(group, name, partition), structuredClone(checkpoint));
    },
    async trim() {},
    async close() {},
    async drained() {
      while (![...consumers].every((isDone) => isDone())) await turn();
    },
  };
}

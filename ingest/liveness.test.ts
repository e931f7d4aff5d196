import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { connectAsync, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { type DeviceDirectory, manualClock } from '../backbone/index.ts';
import { openSqliteRecords } from '../backbone/records/sqlite.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { Device, type DeviceEvent, type ObservationRecord, TOPICS } from '../contracts/index.ts';
import { IngestConfig } from './config.ts';
import { dueHeap } from './due-heap.ts';
import { type Liveness, openLiveness } from './liveness.ts';
import type { LivenessStore, SavedLiveness } from './liveness-store.ts';
import { livenessStore } from './liveness-store.ts';
import { ingestMigrations } from './tables.ts';

const T = 1_795_000_000_000;
const S = 1_000;
const log = pino({ level: 'silent' });
const config = IngestConfig.parse({ liveness: { silentFactor: 3, floorS: 60, goneAfterS: 600 } }).liveness;

/** A directory of devices by id, each with the interval of its one datastream, that can change. */
function directoryOf(intervals: Record<string, number | null>) {
  const listeners = new Set<(id: string) => void>();
  const name = { zh: '', en: '' };
  const plain = Device.parse({ id: 'x', kind: 'sensor', name, site: 's', location: [123, 41] });
  const get = (id: string) => {
    const intervalS = intervals[id];
    if (intervalS === undefined) return undefined;
    const x = { property: 'X', statistic: 'instant', unit: null, range: [0, 1], averagingS: null } as const;
    const datastreams = intervalS === null ? [] : [{ ...x, range: [0, 1] as [number, number], intervalS }];
    return { ...plain, id, datastreams, version: 1, since: 0 };
  };
  const directory: DeviceDirectory = {
    get,
    find: get,
    at: get,
    *all() {
      for (const id of Object.keys(intervals)) yield get(id)!;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const set = (id: string, intervalS: number | null | undefined) => {
    if (intervalS === undefined) delete intervals[id];
    else intervals[id] = intervalS;
    for (const listener of listeners) listener(id);
  };
  return { directory, set };
}

function memoryStore() {
  const saved = new Map<string, SavedLiveness>();
  const store: LivenessStore = {
    load: async () => [...saved.values()],
    save: (states) => {
      for (const state of states) saved.set(state.device, state);
    },
    settled: async () => undefined,
  };
  return { saved, store };
}

/** A product's life: what was told, as `seconds device event detail`, and a stream that may be away. */
async function life(
  intervals: Record<string, number | null> = { a: 30 },
  { store } = memoryStore(),
  startedAt = T,
) {
  const told: string[] = [];
  const state = { away: false };
  const { directory, set } = directoryOf(intervals);
  const tell = async ({ device, event, time, detail }: DeviceEvent) => {
    if (state.away) throw new Error('away');
    told.push([(time - T) / S, device, event, ...(detail === undefined ? [] : [detail])].join(' '));
  };
  const liveness = await openLiveness(config, 10, {
    directory,
    store,
    tell,
    startedAt,
    metrics: new Metrics(),
  });
  const run = async (fromS: number, toS: number, stepS = 10) => {
    for (let s = fromS; s <= toS; s += stepS) {
      liveness.tick(T + s * S);
      await turn();
    }
  };
  return { liveness, told, state, run, set };
}

describe('a device', () => {
  it('is online with its first message, silent after three intervals, gone after the time set, and back at once', async () => {
    const { liveness, told, run } = await life();
    expect(liveness.statusOf('a')).toMatchObject({ state: 'never-heard', since: null, lastHeard: null });
    liveness.heard('a', T + 5 * S);
    liveness.heard('a', T + 35 * S);
    await run(40, 1_000);
    liveness.heard('a', T + 1_005 * S);
    await turn();
    expect(told).toEqual(['5 a online', '130 a silent no-message', '730 a gone no-message', '1005 a online']);
    expect(liveness.statusOf('a')).toMatchObject({
      state: 'online',
      since: T + 1_005 * S,
      silentAfterS: 90,
      goneAfterS: 690,
    });
  });

  it('that goes on speaking makes no further event', async () => {
    const { liveness, told, run } = await life();
    for (let s = 0; s < 2_000; s += 30) {
      liveness.heard('a', T + s * S);
      await run(s, s + 20);
    }
    expect(told).toEqual(['0 a online']);
  });

  it('has at least the floor, and without datastreams the configured interval', async () => {
    const { liveness } = await life({ fast: 1, camera: null, slow: 3_600 });
    const patience = (id: string) => liveness.statusOf(id).silentAfterS;
    expect([patience('fast'), patience('camera'), patience('slow')]).toEqual([60, 1_800, 10_800]);
  });

  it('that says farewell, or whose will does, is gone at once', async () => {
    const { liveness, told, run } = await life();
    liveness.heard('a', T);
    liveness.said('a', 'offline', T + 10 * S);
    await run(10, 2_000);
    liveness.said('a', 'online', T + 2_010 * S);
    await turn();
    expect(told).toEqual(['0 a online', '10 a gone said-offline', '2010 a online']);
  });

  it('whose connection is lost is gone rather than silent; one that stays connected is silent only', async () => {
    const { liveness, told, run } = await life({ lost: 30, there: 30, later: 30 });
    for (const id of ['lost', 'there', 'later']) {
      liveness.session(id, 'connected', T);
      liveness.heard(id, T);
    }
    liveness.session('lost', 'lost', T + 20 * S);
    await run(10, 100);
    liveness.session('later', 'lost', T + 105 * S);
    await run(110, 3_000);
    expect(told.slice(3)).toEqual([
      '90 lost gone connection-lost',
      '90 later silent no-message',
      '90 there silent no-message',
      '105 later gone connection-lost',
    ]);
  });

  it('that is not in the registry, or no longer, is nobody', async () => {
    const { liveness, told, run, set } = await life();
    liveness.heard('nobody', T);
    liveness.heard('a', T);
    set('a', undefined);
    await run(10, 2_000);
    expect(told).toEqual(['0 a online']);
    expect(liveness.summary()).toEqual({ online: 0, silent: 0, gone: 0, neverHeard: 0 });
  });

  it('whose interval is changed is judged by the new one', async () => {
    const { liveness, told, run, set } = await life({ a: 3_600 });
    liveness.heard('a', T);
    set('a', 30);
    await run(10, 100);
    expect(told).toEqual(['0 a online', '90 a silent no-message']);
  });
});

describe('when it was us', () => {
  it('a restart tells nothing anew, and gives everybody the full time', async () => {
    const books = memoryStore();
    const first = await life({ on: 30, off: 30, far: 30, new: 30 }, books);
    first.liveness.heard('far', T - 1_000 * S);
    first.liveness.said('far', 'offline', T);
    first.liveness.heard('off', T);
    await first.run(10, 200);
    first.liveness.heard('on', T + 195 * S);
    await turn();
    await first.liveness.close();
    const before = first.liveness.summary();
    expect(before).toEqual({ online: 1, silent: 1, gone: 1, neverHeard: 1 });

    const second = await life({ on: 30, off: 30, far: 30, new: 30 }, books, T + 5_000 * S);
    expect(second.liveness.summary()).toEqual(before);
    expect(second.liveness.statusOf('on').lastHeard).toBe(T + 195 * S);
    await second.run(5_000, 5_080);
    expect(second.told).toEqual([]);
    await second.run(5_090, 5_100);
    expect(second.told).toEqual(['5090 on silent no-message']);
  });

  it('a gap in the ticks is nobody’s silence', async () => {
    const { liveness, told, run } = await life();
    liveness.heard('a', T);
    await run(10, 50);
    await run(4_000, 4_080);
    expect(told).toEqual(['0 a online']);
    await run(4_090, 4_100);
    expect(told.at(-1)).toBe('4090 a silent no-message');
  });

  it('what the stream did not take is told later, once, as it is by then', async () => {
    const books = memoryStore();
    const { liveness, told, run, state } = await life({ a: 30, b: 30 }, books);
    state.away = true;
    liveness.heard('a', T);
    liveness.heard('b', T);
    await run(10, 100);
    expect([told, [...books.saved.keys()]]).toEqual([[], []]);
    liveness.heard('b', T + 101 * S);
    state.away = false;
    await run(110, 140);
    expect(told).toEqual(['110 a silent no-message', '110 b online']);
    expect(books.saved.get('a')).toMatchObject({ state: 'silent' });
  });
});

describe('a hundred thousand devices', () => {
  it('cost a tick only what is due', async () => {
    const ids = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`d-${i}`, 600]));
    let events = 0;
    const { directory } = directoryOf(ids);
    let looked = 0;
    const { store } = memoryStore();
    const tell = async () => {
      events += 1;
    };
    const liveness: Liveness = await openLiveness(config, 10, {
      directory: {
        ...directory,
        get: (id) => {
          looked += 1;
          return directory.get(id);
        },
      },
      store,
      tell,
      startedAt: T,
      metrics: new Metrics(),
    });
    for (const id of Object.keys(ids)) liveness.heard(id, T);
    for (let s = 10; s < 1_790; s += 10) liveness.tick(T + s * S);
    // Looked up once each, when first heard; a tick touches nobody before somebody is due.
    expect([looked, events]).toEqual([100_000, 100_000]);
    // A whole network goes silent: told in bounded portions.
    for (let s = 1_800; s <= 1_840; s += 10) liveness.tick(T + s * S);
    await turn();
    expect(events).toBe(200_000);
    expect(liveness.summary().silent).toBe(100_000);
  });
});

describe('the heap', () => {
  it('gives what is due, soonest first', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.nat(50), (dues, time) => {
        const heap = dueHeap<number>();
        for (const [i, due] of dues.entries()) heap.add(due, i);
        const taken: number[] = [];
        for (let one = heap.takeDue(time); one !== undefined; one = heap.takeDue(time)) taken.push(one.due);
        expect(taken).toEqual(dues.filter((due) => due <= time).sort((a, b) => a - b));
        expect(heap.size).toBe(dues.filter((due) => due > time).length);
      }),
    );
  });
});

describe('within ingest', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qianliyan-liveness-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('an event lies on the stream before the readings that made it; a re-run makes nobody online', async () => {
    const clock = manualClock(T);
    const SITE = { site: 's', location: [123.4, 41.8] };
    const node = await startIngestNode({
      folder,
      clock,
      devices: [{ id: 'dust-01', template: 'dust', ...SITE }],
    });
    const say = (device: string, readings: object) =>
      node.ingest.accept({
        topic: `v1/devices/${device}/observations`,
        payload: Buffer.from(JSON.stringify({ time: clock.now() + 90 * S, readings })),
        clientId: null,
        authenticatedDevice: null,
      });
    await say('dust-09', { TSP: 1 });
    await say('dust-01', { TSP: 1 });
    await node.registry.upsert({ id: 'dust-09', template: 'dust', ...SITE });
    await node.ingest.rerun({}, 'ada');
    const records = (await node.stream.read(TOPICS.observations, 0, 0, 100)).map((r) =>
      decodeRecord<ObservationRecord>(r.value),
    );
    const short = records.flatMap((r) =>
      r.type === 'tick' ? [] : [`${r.device} ${r.type === 'device' ? r.event : r.type}`],
    );
    expect(short).toEqual(['dust-01 online', 'dust-01 observations', 'dust-09 observations']);
    expect(node.ingest.status.summary()).toMatchObject({ online: 1, neverHeard: 1 });
    await expect.poll(async () => (await node.count()).pending).toBe(0);
    expect(await node.ingest.status.of('dust-01')).toMatchObject({
      device: 'dust-01',
      state: 'online',
      clockOffS: 90,
      lastReading: { time: T + 90 * S, receivedAt: T, lagS: -90 },
    });
    expect(node.ingest.status.list('never-heard', 10, '')).toEqual(['dust-09']);
    await expect(node.ingest.status.of('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await node.stop();
  });

  it('the last will of a device that breaks off makes it gone; speaking again, online', async () => {
    const SITE = { site: 's', location: [123.4, 41.8] };
    const password = 'dust-01-secret';
    const node = await startIngestNode({
      folder,
      devices: [{ id: 'dust-01', template: 'dust', ...SITE, password }],
    });
    const dial = () =>
      connectAsync({
        port: node.broker.port,
        host: '127.0.0.1',
        reconnectPeriod: 0,
        username: 'dust-01',
        password,
        will: { topic: 'v1/devices/dust-01/status', payload: Buffer.from('offline'), qos: 1, retain: false },
      });
    const say = (client: MqttClient) =>
      client.publishAsync(
        'v1/devices/dust-01/observations',
        `{"time":${Date.now()},"readings":{"TSP":0.1}}`,
        { qos: 1 },
      );
    const state = async () => {
      const { state, why, session } = await node.ingest.status.of('dust-01');
      return [state, why, session];
    };
    const first = await dial();
    await say(first);
    expect(await state()).toEqual(['online', null, 'connected']);
    first.stream.destroy();
    await expect.poll(state).toEqual(['gone', 'said-offline', 'lost']);
    const second = await dial();
    await say(second);
    expect(await state()).toEqual(['online', null, 'connected']);
    await second.endAsync();
    await expect.poll(state).toEqual(['online', null, 'disconnected']);
    expect((await node.ingest.quarantine.summary()).entered).toBe(0);
    await node.stop();
  });

  it('the store keeps the last state of each device', async () => {
    const records = await openSqliteRecords({
      file: join(folder, 'r.sqlite'),
      migrations: [ingestMigrations],
      log,
    });
    const store = livenessStore(records, log);
    const state = (device: string, more: object = {}): SavedLiveness => ({
      device,
      state: 'online',
      since: T,
      heardAt: T,
      why: null,
      ...more,
    });
    store.save(Array.from({ length: 1_250 }, (_, i) => state(`d-${i}`)));
    store.save([state('d-7', { state: 'gone', why: 'said-offline' })]);
    await store.settled();
    const loaded = await store.load();
    expect(loaded).toHaveLength(1_250);
    expect(loaded.find((one) => one.device === 'd-7')).toEqual(
      state('d-7', { state: 'gone', why: 'said-offline' }),
    );
    await records.close();
  });
});

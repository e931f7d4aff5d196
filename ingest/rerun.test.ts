import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../backbone/index.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { dismissEntry, type RerunRequest } from './index.ts';

/** List, look, put the registry right, run again: on the real stores, with a clock that the story moves. */

const START = 1_795_000_000_000;
const DAY = 86_400_000;
const SITE = { site: 's', location: [123.4, 41.8] };

let folder: string;
let clock: ReturnType<typeof manualClock>;
let node: Awaited<ReturnType<typeof startIngestNode>>;

const start = () =>
  startIngestNode({
    folder,
    clock,
    ingest: { maxAgeDays: 1, quarantine: { maxRawBytes: 2_000 }, rate: { perS: 1_000, burst: 1_000 } },
    devices: [
      { id: 'dust-01', template: 'dust', ...SITE },
      { id: 'dust-02', template: 'dust', ...SITE },
    ],
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-rerun-'));
  clock = manualClock(START);
  node = await start();
});
afterEach(async () => {
  await node.stop();
  await rm(folder, { recursive: true });
});

function say(device: string, readings: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const payload = Buffer.from(JSON.stringify({ time: clock.now(), readings }));
  const topic = `v1/devices/${device}/observations`;
  return node.ingest.accept({ topic, payload, clientId: 'c', authenticatedDevice: null, ...more });
}
const rerun = (request: RerunRequest = {}) => node.ingest.rerun(request, 'ada');
const entries = () => node.ingest.quarantine.list({ limit: 100 });
const stored = async (datastream: string) => {
  await expect.poll(async () => (await node.count()).pending).toBe(0);
  return node.series.range({ datastream, from: 0, to: START + 100 * DAY });
};
function declare(id: string, property: string) {
  const { version: _v, since: _s, ...device } = node.registry.get(id)!;
  const added = { property, unit: 'ug/m3', range: [0, 1_000], intervalS: 30 };
  return node.registry.upsert({ ...device, datastreams: [...device.datastreams, added] });
}

describe('a message of an unknown device', () => {
  it('is taken once the device is registered, with the time at which it came', async () => {
    await say('dust-09', { TSP: 0.3 });
    clock.advance(5 * DAY);
    await node.registry.upsert({ id: 'dust-09', template: 'dust', ...SITE });
    // By today's clock it would be too old by four days.
    expect(await rerun({ device: 'dust-09' })).toMatchObject({
      looked: 1,
      taken: 1,
      stillRefused: 0,
      readings: 1,
    });
    expect(await stored('dust-09/TSP')).toMatchObject([{ time: START, value: 0.3, receivedAt: START }]);
    const [entry] = await entries();
    expect(entry).toMatchObject({
      state: 'rerun-taken',
      resolvedBy: 'ada',
      resolvedAt: START + 5 * DAY,
      reruns: 1,
      firstReason: 'device-unknown',
    });
    expect(await node.ingest.quarantine.summary()).toMatchObject({ entered: 1, open: 0, taken: 1 });
  });

  it('stays while the device is unknown: the same entry, no second one', async () => {
    await say('dust-09', { TSP: 0.3 });
    const report = await rerun({ name: 'dust-09' });
    expect(report).toMatchObject({
      looked: 1,
      taken: 0,
      stillRefused: 1,
      stays: [{ reason: 'device-unknown' }],
    });
    expect(await entries()).toMatchObject([{ state: 'open', reruns: 1, lastRerunAt: START }]);
    expect(node.ingest.quarantine.total()).toBe(1);
  });

  it('is found under the address that it called itself, after it was given an id', async () => {
    await say('plain:MN0001', { TSP: 0.3 });
    await node.registry.upsert({ id: 'station-1', template: 'dust', ...SITE, addresses: ['plain:MN0001'] });
    expect(await rerun({ device: 'station-1' })).toMatchObject({ looked: 1, taken: 1 });
    expect(await stored('station-1/TSP')).toHaveLength(1);
  });
});

describe('what is still wrong', () => {
  it('is noted with the reason that holds now', async () => {
    await say('dust-01', { SO2: 5_000 });
    await declare('dust-01', 'SO2');
    expect(await rerun()).toMatchObject({ stillRefused: 1, stays: [{ reason: 'value-out-of-range' }] });
    const [entry] = await entries();
    expect(entry).toMatchObject({
      reason: 'value-out-of-range',
      firstReason: 'property-undeclared',
      state: 'open',
    });
    expect(entry?.detail).toContain('0 to 1000');
  });

  it('a device that sent as another is judged as the sender that it was', async () => {
    await say('dust-01', { TSP: 1 }, { authenticatedDevice: 'dust-02' });
    expect(await rerun()).toMatchObject({ stillRefused: 1, stays: [{ reason: 'device-mismatch' }] });
    await node.registry.upsert({ id: 'dust-01', template: 'dust', ...SITE, gateway: 'dust-02' });
    expect(await rerun()).toMatchObject({ taken: 1 });
  });
});

describe('a message of which a part was taken', () => {
  it('gives what is missing; the rest is known', async () => {
    await say('dust-01', { TSP: 0.5, SO2: 7 });
    await declare('dust-01', 'SO2');
    expect(await rerun({ reason: 'property-undeclared' })).toMatchObject({ taken: 1, readings: 1 });
    expect(await stored('dust-01/SO2')).toMatchObject([{ value: 7 }]);
    expect(await stored('dust-01/TSP')).toHaveLength(1);
    expect((await node.count()).missing).toBe(0);
  });

  it('with two faults is two entries, and each stands for its own', async () => {
    await say('dust-01', { TSP: 0.5, SO2: 7, RH: 400 });
    await declare('dust-01', 'SO2');
    expect(await rerun()).toMatchObject({ looked: 2, taken: 1, stillRefused: 1 });
    const open = await node.ingest.quarantine.list({ limit: 10, state: 'open' });
    expect(open.map((e) => e.reason)).toEqual(['value-out-of-range']);
  });
});

describe('running again', () => {
  it('twice changes nothing, also when the process ended before the outcome was written', async () => {
    await say('dust-09', { TSP: 0.3 });
    await node.registry.upsert({ id: 'dust-09', template: 'dust', ...SITE });
    const [{ id } = { id: '' }] = await entries();
    await rerun();
    expect(await rerun({ ids: [id] })).toMatchObject({ notRun: 1, stays: [{ reason: 'resolved-already' }] });
    await stored('dust-09/TSP');
    // As after a crash: taken, and not written down; a new process remembers no reading.
    await node.records.db
      .withTables<{ quarantine: { state: string } }>()
      .updateTable('quarantine')
      .set({ state: 'open' })
      .execute();
    await node.stop();
    node = await start();
    await rerun();
    expect(await stored('dust-09/TSP')).toHaveLength(1);
    expect(await node.count()).toMatchObject({ stored: 1, duplicates: 1, missing: 0 });
    expect(node.ingest.quarantine.total()).toBe(1);
  });

  it('takes many in the order in which they came, without the rate limit, so many at a time', async () => {
    const said = [];
    for (let i = 0; i < 130; i++) {
      said.push(say('dust-09', { TSP: i / 1000 }));
      clock.advance(1_000);
    }
    await Promise.all(said);
    await node.registry.upsert({ id: 'dust-09', template: 'dust', ...SITE });
    const first = await rerun({ device: 'dust-09', limit: 60 });
    expect(first).toMatchObject({ looked: 60, taken: 60 });
    expect(await rerun({ device: 'dust-09', after: first.next ?? '' })).toMatchObject({
      looked: 70,
      next: null,
    });
    const points = await stored('dust-09/TSP');
    expect(points.map((p) => p.value)).toEqual(Array.from({ length: 130 }, (_, i) => i / 1000));
  });

  it('leaves what is not whole, and what meets another stored value', async () => {
    await say('dust-09', { TSP: 1, note: 'x'.repeat(3_000) });
    await say('dust-01', { TSP: 1 });
    await say('dust-01', { TSP: 2 });
    const { stays } = await rerun();
    expect(stays.map((s) => s.reason).sort()).toEqual(['conflict', 'truncated']);
    expect((await entries()).every((e) => e.state === 'open')).toBe(true);
  });

  it('keeps the user properties that the message had', async () => {
    const png = Buffer.from('89504e470d0a1a0a', 'hex');
    const userProperties = { time: new Date(START - 60_000).toISOString() };
    const message = {
      topic: 'v1/devices/cam-9/frames',
      payload: png,
      clientId: 'c',
      authenticatedDevice: null,
    };
    await node.ingest.accept({ ...message, userProperties });
    await node.registry.upsert({ id: 'cam-9', template: 'camera', ...SITE });
    // It reaches the picture check, which is behind that of the device.
    expect((await rerun()).stays).toMatchObject([{ reason: 'not-a-picture' }]);
  });

  it('says so when a store is away, and can be asked again', async () => {
    await say('dust-09', { TSP: 0.3 });
    await node.registry.upsert({ id: 'dust-09', template: 'dust', ...SITE });
    const { append } = node.stream;
    node.stream.append = () => Promise.reject(new Error('away'));
    await expect(rerun()).rejects.toThrow('away');
    expect(await entries()).toMatchObject([{ state: 'open' }]);
    node.stream.append = append;
    expect(await rerun()).toMatchObject({ taken: 1 });
  });
});

describe('dismissing', () => {
  it('keeps the entry, with who did it and why, and counts it apart', async () => {
    await say('dust-01', { TSP: 400 });
    const [{ id } = { id: '' }] = await entries();
    const deps = { records: node.records, clock };
    expect(await dismissEntry(deps, id, { by: 'ada', reason: 'probe was being cleaned' })).toMatchObject({
      state: 'dismissed',
      resolvedBy: 'ada',
      note: 'probe was being cleaned',
    });
    await expect(dismissEntry(deps, id, { by: 'bob', reason: 'again' })).rejects.toMatchObject({
      code: 'ILLEGAL_TRANSITION',
    });
    await expect(dismissEntry(deps, 'q0', { by: 'bob', reason: 'none' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await node.ingest.quarantine.summary()).toMatchObject({
      entered: 1,
      open: 0,
      dismissed: 1,
      evicted: 0,
    });
  });
});

describe('looking', () => {
  it('goes by reason, device, state, time and text', async () => {
    await say('dust-09', { TSP: 1 });
    clock.advance(1_000);
    await say('dust-01', { SO2: 1 });
    clock.advance(1_000);
    await say('dust-01', { TSP: 1 }, { authenticatedDevice: 'dust-02' });
    const found = async (filter: object) =>
      (await node.ingest.quarantine.list({ limit: 10, ...filter })).map((e) => e.reason);
    expect(await found({ device: 'dust-09' })).toEqual(['device-unknown']);
    expect(await found({ device: 'dust-02' })).toEqual(['device-mismatch']);
    expect(await found({ since: START + 1_000, until: START + 2_000 })).toEqual(['property-undeclared']);
    expect(await found({ text: 'so2' })).toEqual(['property-undeclared']);
    expect(await found({ text: '%' })).toEqual([]);
    expect(await found({ state: 'dismissed' })).toEqual([]);
    expect((await node.ingest.quarantine.summary()).reasons).toEqual([
      { reason: 'device-unknown', entered: 1, open: 1, first: START, last: START },
      { reason: 'device-mismatch', entered: 1, open: 1, first: START + 2_000, last: START + 2_000 },
      { reason: 'property-undeclared', entered: 1, open: 1, first: START + 1_000, last: START + 1_000 },
    ]);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { manualClock } from '../backbone/index.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { type ObservationBatch, type ObservationRecord, TOPICS } from '../contracts/index.ts';

/** Late, out of order, again, and by a wrong clock: what is taken, and how it is marked. */

const T = 1_795_000_000_000;
const S = 1_000;
const HOUR = 3_600 * S;
let folder: string;
let clock: ReturnType<typeof manualClock>;
let node: Awaited<ReturnType<typeof startIngestNode>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-times-'));
  clock = manualClock(T);
  const devices = [{ id: 'n', template: 'noise', site: 's', location: [123.4, 41.8] }];
  node = await startIngestNode({ folder, clock, devices });
});
afterEach(async () => {
  await node.stop();
  await rm(folder, { recursive: true });
});

function say(time: number, value = 50) {
  const payload = Buffer.from(JSON.stringify({ time, readings: { LAeq: value } }));
  return node.ingest.accept({
    topic: 'v1/devices/n/observations',
    payload,
    clientId: null,
    authenticatedDevice: null,
  });
}
async function batches(): Promise<ObservationBatch[]> {
  const records = await node.stream.read(TOPICS.observations, 0, 0, 1_000);
  const all = records.map((r) => decodeRecord<ObservationRecord>(r.value));
  return all.filter((r) => r.type === 'observations');
}
async function storedTimes() {
  await expect.poll(async () => (await node.count()).pending).toBe(0);
  const points = await node.series.range({ datastream: 'n/LAeq', from: 0, to: T + 100 * HOUR });
  return points.map((p) => (p.time - T) / S);
}

describe('readings', () => {
  it('that come out of order are all stored, in the order of their times', async () => {
    clock.advance(60 * S);
    for (const s of [30, 10, 20, 0, 40]) expect((await say(T + s * S)).outcome).toBe('accepted');
    expect(await storedTimes()).toEqual([0, 10, 20, 30, 40]);
  });

  it('that come hours late are taken and marked; those in time are not', async () => {
    clock.advance(5 * HOUR);
    await say(T);
    await say(T + 5 * HOUR - 599 * S);
    expect((await batches()).map((b) => b.late ?? false)).toEqual([true, false]);
    expect(await storedTimes()).toEqual([0, 5 * 3_600 - 599]);
  });

  it('that come again are known by the memory of the last few, and beyond that by the series store', async () => {
    clock.advance(HOUR);
    for (let s = 0; s < 200; s++) await say(T + s * S);
    expect((await say(T + 199 * S)).outcome).toBe('duplicate');
    await say(T);
    const counts = { acknowledged: 201, stored: 200, duplicates: 1, missing: 0, pending: 0 };
    await expect.poll(() => node.count()).toMatchObject(counts);
  });

  it('that are too old, or too far ahead, go to quarantine', async () => {
    expect(await say(T + 301 * S)).toMatchObject({ reason: 'time-future' });
    expect(await say(T - 31 * 24 * HOUR)).toMatchObject({ reason: 'time-past' });
    expect(await batches()).toEqual([]);
  });
});

describe('a clock that is off', () => {
  it('ahead by more than a minute is marked on each message, in seconds', async () => {
    await say(T + 90 * S);
    clock.advance(30 * S);
    await say(T + 120 * S);
    expect((await batches()).map((b) => b.clockOffS)).toEqual([90, 90]);
    expect((await node.ingest.status.of('n')).clockOffS).toBe(90);
  });

  it('by less is not marked', async () => {
    await say(T + 59 * S);
    expect((await batches()).map((b) => b.clockOffS)).toEqual([undefined]);
  });

  it('behind is told from delay: one held-up message marks nothing, nine in a row do', async () => {
    await say(T);
    clock.advance(2 * HOUR);
    await say(T + S);
    for (let i = 0; i < 9; i++) {
      clock.advance(30 * S);
      await say(T + S + (i + 1) * 30 * S);
    }
    const marks = (await batches()).map((b) => b.clockOffS);
    expect(marks.slice(0, 2)).toEqual([undefined, undefined]);
    expect(marks.at(-1)).toBe(-7_199);
  });
});

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolderBlobs } from '../backbone/blobs/folder.ts';
import type { Catalog } from '../backbone/catalog.ts';
import { manualClock } from '../backbone/clock.ts';
import { decodeRecord, encodeRecord } from '../backbone/codec.ts';
import type { Blobs, DeviceDirectory, Stream } from '../backbone/index.ts';
import { openLmdbStream } from '../backbone/stream/lmdb.ts';
import { Device, Finding, type Frame, type RegisteredDevice } from '../contracts/index.ts';
import { type ImageDetectors, ImageDetectorsConfig, startImageDetectors } from '../detectors/images/index.ts';
import { fireLaneZone, picture, type Story, viewOf } from '../simulator/scenes/index.ts';

// The whole stage on real bytes: rendered JPEGs in the blob store, frames on the stream, the model that ships, worker
// threads, findings on the stream.

const T0 = Date.parse('2026-11-22T21:40:00+08:00');
const MINUTE = 60_000;
const MINUTES = 22;
const log = pino({ level: 'silent' });

const story = (view: string, place: 'fire-lane' | 'kerb'): Story => ({
  view,
  seed: 11,
  utcOffsetMs: 8 * 60 * MINUTE,
  weather: 'clear',
  caption: view.toUpperCase(),
  trafficPerMin: 4,
  walkersPerMin: 3,
  shortcutsPerMin: 0.5,
  stays: [{ id: 'v1', class: 'truck', place, from: T0 + 3.5 * MINUTE, to: T0 + 14.5 * MINUTE }],
});
/** In the fire lane before cam-01, where it may stand before cam-02. */
const stories = { 'cam-01': story('cam-01', 'fire-lane'), 'cam-02': story('cam-02', 'kerb') };

const device = (id: keyof typeof stories): RegisteredDevice => ({
  ...Device.parse({
    id,
    kind: 'camera',
    name: { zh: id, en: id },
    site: 's',
    location: [123.41, 41.8],
    zones: [
      {
        id: `${id}-lane`,
        name: { zh: '消防车通道', en: 'Fire lane' },
        matter: 'm-fire-lane',
        polygon: fireLaneZone(viewOf(id)),
      },
    ],
  }),
  version: 1,
  since: 0,
});
const devices = new Map([device('cam-01'), device('cam-02')].map((d) => [d.id, d]));
const directory: DeviceDirectory = {
  get: (id) => devices.get(id),
  at: (id) => devices.get(id),
  all: () => devices.values(),
  find: () => undefined,
  onChange: () => () => {},
};

let folder: string;
let blobs: Blobs;
let frames: Frame[];
/** What one run over all frames finds: what every other way of running must find too. */
let whole: Awaited<ReturnType<typeof run>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-images-'));
  blobs = await openFolderBlobs({ folder: join(folder, 'blobs') });
  frames = [];
  for (let minute = 0; minute <= MINUTES; minute++) {
    for (const [camera, s] of Object.entries(stories)) {
      const time = T0 + minute * MINUTE;
      frames.push(await frameOf(camera, time, (await picture(s, time)).jpeg));
    }
  }
  whole = await run(frames);
}, 120_000);
afterAll(async () => {
  await blobs.close();
  await rm(folder, { recursive: true, force: true });
});

async function frameOf(camera: string, time: number, bytes: Uint8Array): Promise<Frame> {
  return {
    type: 'frame',
    camera,
    time,
    receivedAt: time + 300,
    blob: await blobs.put(bytes),
    mediaType: 'image/jpeg',
    width: 640,
    height: 360,
    bytes: bytes.length,
  };
}

let runs = 0;
const openStream = () => openLmdbStream({ folder: join(folder, `stream-${runs++}`), log });
const append = (stream: Stream, list: readonly Frame[]) =>
  stream.append(
    'frames',
    list.map((f) => ({ key: f.camera, value: encodeRecord(f) })),
  );

function start(stream: Stream, over: Record<string, unknown> = {}): Promise<ImageDetectors> {
  const config = ImageDetectorsConfig.parse({ whenBehind: 'wait', ...over });
  return startImageDetectors(config, {
    stream,
    blobs,
    clock: manualClock(T0),
    log,
    metrics: new Registry(),
    directory,
    catalog: {} as Catalog,
  });
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 25));
}

const caughtUp = (stream: Stream) => async () => {
  const [end] = await stream.ends('frames');
  const at = await stream.loadCheckpoint('image-detectors', 'frames', 0);
  return at?.nextOffset === end?.next;
};

async function findingsOf(stream: Stream): Promise<Finding[]> {
  const ends = await stream.ends('findings');
  if (ends.length === 0 || ends[0]?.next === 0) return [];
  return (await stream.read('findings', 0, 0, 1000)).map((r) => Finding.parse(decodeRecord(r.value)));
}

/** Runs the frames through the stage and gives what it found. */
async function run(list: readonly Frame[], over: Record<string, unknown> = {}) {
  const stream = await openStream();
  await append(stream, list);
  const stage = await start(stream, over);
  await until(caughtUp(stream));
  await stage.stop();
  const findings = await findingsOf(stream);
  await stream.close();
  return { findings, counts: stage.counts() };
}

describe('pictures become findings', () => {
  it('a truck that stands in the fire lane is found once, proven by its pictures, and closed when it has gone', async () => {
    const { findings, counts } = whole;
    expect(findings.map((f) => [f.device, f.state])).toEqual([
      ['cam-01', 'open'],
      ['cam-01', 'update'],
      ['cam-01', 'closed'],
    ]);
    expect(new Set(findings.map((f) => f.id)).size).toBe(1);
    const [open, , closed] = findings;
    expect(open).toMatchObject({
      kind: 'image',
      reason: 'fire-lane-occupied',
      matter: 'm-fire-lane',
      zone: 'cam-01-lane',
    });
    // It stood from 3.5 to 14.5 minutes: the first picture with it is minute 4's, or 5's when it still moved.
    expect((closed!.interval.from - T0) / MINUTE).toBeLessThanOrEqual(5);
    expect((closed!.interval.to - T0) / MINUTE).toBe(14);
    expect(closed!.input.frames.map((f) => f.time)).toContain(open!.trigger.time);
    for (const { blob } of closed!.input.frames) {
      const bytes = await blobs.get(blob);
      expect(createHash('sha256').update(bytes!).digest('hex')).toBe(blob);
    }
    expect(counts).toMatchObject({ frames: frames.length, dropped: 0, setAside: {} });
  });

  it('the findings are the same with several workers and small batches, and after a restart in the middle', async () => {
    const parallel = await run(frames, { workers: 2, batchFrames: 5 });
    expect(parallel.findings).toEqual(whole.findings);

    const stream = await openStream();
    for (const part of [frames.slice(0, 13), frames.slice(13)]) {
      await append(stream, part);
      const stage = await start(stream);
      await until(caughtUp(stream));
      await stage.stop();
    }
    expect(await findingsOf(stream)).toEqual(whole.findings);
    await stream.close();
  }, 120_000);

  it('bad pictures are set aside by name and disturb nothing', async () => {
    const some = frames.slice(0, 24);
    const bad = await Promise.all([
      frameOf('cam-01', T0 + 1000, Buffer.from('a text file named .jpg')),
      frameOf('cam-01', T0 + 2000, (await blobs.get(frames[0]!.blob))!.subarray(0, 4000)),
    ]);
    const missing: Frame = { ...frames[0]!, time: T0 + 3000, blob: 'f'.repeat(64) };
    const stranger: Frame = { ...frames[0]!, camera: 'cam-99' };
    const late: Frame = { ...frames[2]!, time: T0 - MINUTE };
    const { counts } = await run([some[0]!, some[1]!, ...bad, missing, stranger, late, ...some.slice(2)]);
    expect(counts.setAside).toEqual({
      'not-a-picture': 1,
      'picture-truncated': 1,
      'blob-missing': 1,
      'camera-unknown': 1,
      'out-of-order': 1,
    });
    expect(counts.findings.open).toBe(1);
  });

  it('when behind, the newest pictures of each camera are looked at and the others are counted', async () => {
    const stream = await openStream();
    await append(stream, frames.slice(0, 20));
    const config = ImageDetectorsConfig.parse({ behindS: 30, queuePerCamera: 2, batchFrames: 20 });
    const stage = await startImageDetectors(config, {
      stream,
      blobs,
      clock: manualClock(T0 + 60 * MINUTE),
      log,
      metrics: new Registry(),
      directory,
      catalog: {} as Catalog,
    });
    await until(caughtUp(stream));
    await stage.stop();
    expect(stage.counts()).toMatchObject({ frames: 4, dropped: 16 });
    await stream.close();
  });
});

describe('a model that is not there', () => {
  it('stops the start with what is allowed', async () => {
    const stream = await openStream();
    await expect(start(stream, { model: 'no-such-model' })).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(start(stream, { model: 'yolox-nano' })).rejects.toThrow(/qianliyan models add yolox-nano/);
    await stream.close();
  });
});

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { connectAsync, type MqttClient } from 'mqtt';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { wallClock } from '../backbone/index.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { type Frame, type QuarantineReason, TOPICS } from '../contracts/index.ts';

/** The whole of devices and ingest: mqtt.js over TCP, on the real embedded stores. */

const NOW = wallClock.now();
const SITE = { site: 'site-01', location: [123.41, 41.8] };
let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;
let client: MqttClient;

const observations = 'v1/devices/dust-01/observations';
const readings = (values: unknown, time: unknown = wallClock.now()) =>
  JSON.stringify({ time, readings: values });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-ingest-'));
  node = await startIngestNode({
    folder,
    devices: [
      { id: 'dust-01', template: 'dust', ...SITE, password: 'dust-01-secret' },
      { id: 'dust-02', template: 'dust', ...SITE },
      { id: 'cam-01', template: 'camera', ...SITE },
    ],
  });
  client = await connectAsync({ port: node.broker.port, host: '127.0.0.1', reconnectPeriod: 0 });
});

afterAll(async () => {
  await client.endAsync();
  await node.stop();
  await rm(folder, { recursive: true });
});

/** Publishes, waits for the PUBACK, and gives the newest entry of the quarantine, which has to be durable by then. */
async function refusal(topic: string, payload: string | Buffer) {
  const before = node.ingest.quarantine.total();
  await client.publishAsync(topic, payload, { qos: 1 });
  expect(node.ingest.quarantine.total()).toBe(before + 1);
  const [entry] = await node.ingest.quarantine.list({ limit: 1 });
  if (entry === undefined) throw new Error('nothing in quarantine');
  return entry;
}

/** A PNG whose header declares more pixels than anyone should decode, in a few hundred bytes. */
function pngDeclaring(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const bytes = Buffer.alloc(8 + data.length + 4);
    bytes.writeUInt32BE(data.length, 0);
    body.copy(bytes, 4);
    bytes.writeUInt32BE(crc32(body), 8 + data.length);
    return bytes;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const data = deflateSync(Buffer.alloc(1_000));
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([magic, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

async function eventually<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const value = await read();
    if (wanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return read();
}

describe('a good message', () => {
  it('is in the series store after its acknowledgement', async () => {
    const time = wallClock.now();
    await client.publishAsync(
      observations,
      readings({ TSP: 0.21, PM10: { value: 81, unit: 'ug/m3' } }, time),
      { qos: 1 },
    );
    const query = { datastream: 'dust-01/PM10', from: time, to: time + 1 };
    const points = await eventually(
      () => node.series.range(query),
      (p) => p.length > 0,
    );
    expect(points).toMatchObject([{ datastream: 'dust-01/PM10', time, value: 81, quality: 'valid' }]);
  });

  it.each([0, 2] as const)('is taken with QoS %i as well', async (qos) => {
    const before = (await node.ingest.counts()).observations.acknowledged;
    await client.publishAsync(observations, readings({ TSP: 0.3 }, wallClock.now() - 1_000 * (qos + 1)), {
      qos,
    });
    const counts = await eventually(
      () => node.ingest.counts(),
      (c) => c.observations.acknowledged > before,
    );
    expect(counts.observations.acknowledged).toBe(before + 1);
  });

  it('that comes again is acknowledged, and counted once', async () => {
    const message = readings({ TSP: 0.4, PM10: 3 }, wallClock.now() + 5_000);
    await client.publishAsync(observations, message, { qos: 1 });
    const { observations: before, duplicates } = await node.ingest.counts();
    await client.publishAsync(observations, message, { qos: 1, dup: true });
    const after = await node.ingest.counts();
    expect(after.observations.acknowledged).toBe(before.acknowledged);
    expect(after.duplicates).toBe(duplicates + 2);
  });

  it('with a picture becomes a blob and a frame', async () => {
    const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'blue' } })
      .jpeg()
      .toBuffer();
    await client.publishAsync(`v1/devices/cam-01/frames/${NOW}`, picture, { qos: 1 });
    const [record] = await node.stream.read(TOPICS.frames, 0, 0, 10);
    const frame = decodeRecord<Frame>(record!.value);
    expect(frame).toMatchObject({
      camera: 'cam-01',
      time: NOW,
      width: 64,
      height: 48,
      mediaType: 'image/jpeg',
    });
    expect(await node.blobs.get(frame.blob)).toEqual(picture);
  });
});

describe('a bad message', () => {
  const day = 86_400_000;
  const bad: [string, QuarantineReason, string, string | Buffer, string][] = [
    ['no JSON', 'not-json', observations, 'PM10=3', 'JSON'],
    ['a missing field', 'schema', observations, '{"readings":{"PM10":1}}', 'time'],
    ['no reading at all', 'schema', observations, readings({}), 'at least one'],
    [
      'an unknown device',
      'device-unknown',
      'v1/devices/nobody/observations',
      readings({ PM10: 1 }),
      'nobody',
    ],
    ['a property that was not declared', 'property-undeclared', observations, readings({ SO2: 1 }), 'SO2'],
    ['another unit', 'unit-mismatch', observations, readings({ TSP: { value: 1, unit: 'g/m3' } }), 'mg/m3'],
    ['a value that cannot be', 'value-out-of-range', observations, readings({ RH: 140 }), '0 to 100'],
    ['NaN', 'value-not-finite', observations, '{"time":1795000000000,"readings":{"PM10":NaN}}', 'NaN'],
    ['1e999', 'value-not-finite', observations, `{"time":${NOW},"readings":{"PM10":1e999}}`, 'Infinity'],
    ['a time in the future', 'time-future', observations, readings({ PM10: 1 }, NOW + day), 'latest'],
    ['a time long past', 'time-past', observations, readings({ PM10: 1 }, NOW - 400 * day), 'earliest'],
    ['a topic of another world', 'topic-unknown', 'home/kitchen', readings({ PM10: 1 }), 'home/kitchen'],
    ['a channel that nobody reads', 'codec-unknown', 'v1/devices/dust-01/telemetry', '{}', 'telemetry'],
    ['too many bytes', 'payload-too-large', observations, Buffer.alloc(1_200_000, 0x20), '1200000 bytes'],
    ['a picture that is none', 'not-a-picture', 'v1/devices/cam-01/frames', 'no picture', 'JPEG'],
    [
      'a picture in name only',
      'not-a-picture',
      'v1/devices/cam-01/frames',
      Buffer.from('ffd8ffe0', 'hex'),
      'header',
    ],
    [
      'a bomb',
      'picture-too-large',
      'v1/devices/cam-01/frames',
      pngDeclaring(60_000, 60_000),
      '60000 × 60000',
    ],
    [
      'a picture of no camera',
      'camera-unknown',
      'v1/devices/dust-01/frames',
      Buffer.from('ffd8ffe0', 'hex'),
      'no camera',
    ],
  ];

  it.each(bad)('%s goes to quarantine as %s', async (_what, reason, topic, payload, says) => {
    const entry = await refusal(topic, payload);
    expect(entry).toMatchObject({ reason, topic, size: Buffer.byteLength(payload) });
    expect(entry.detail).toContain(says);
    const kept = await node.ingest.quarantine.raw(entry.id);
    expect(kept).toEqual(Buffer.from(payload).subarray(0, 65_536));
  });

  it('of 50 MB is acknowledged, kept by its head, size and hash, while others go on', async () => {
    const flood = Buffer.alloc(50_000_000, 'never ');
    const other = await connectAsync({ port: node.broker.port, host: '127.0.0.1', reconnectPeriod: 0 });
    const before = process.memoryUsage.rss();
    const big = client.publishAsync(observations, flood, { qos: 1 });
    const topic = 'v1/devices/dust-02/observations';
    for (let i = 0; i < 50; i++)
      await other.publishAsync(topic, readings({ TSP: i / 100 }, NOW + i), { qos: 1 });
    await big;
    await other.endAsync();
    const [entry] = await node.ingest.quarantine.list({ reason: 'payload-too-large', limit: 1 });
    const sha256 = createHash('sha256').update(flood).digest('hex');
    expect(entry).toMatchObject({ size: 50_000_000, sha256, truncated: true, device: 'dust-01' });
    expect((await node.ingest.quarantine.raw(entry!.id))?.length).toBe(65_536);
    // The client's own copy is in this process too; the broker must not add another of that size.
    expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000);
  });

  it('with one bad reading of five keeps the four, and names the fifth', async () => {
    const time = wallClock.now() + 20_000;
    const before = (await node.ingest.counts()).observations.acknowledged;
    const entry = await refusal(
      observations,
      readings({ TSP: 1, PM10: 2, 'PM2.5': 3, TEMP: 4, RH: 101 }, time),
    );
    expect(entry.reason).toBe('value-out-of-range');
    expect(entry.detail).toMatch(/readings\.RH: 101 .*4 other readings of the message were taken/);
    expect((await node.ingest.counts()).observations.acknowledged).toBe(before + 4);
  });

  it('that gives a known moment another value is kept out as an integrity event', async () => {
    const time = wallClock.now() + 30_000;
    await client.publishAsync(observations, readings({ TSP: 1 }, time), { qos: 1 });
    const entry = await refusal(observations, readings({ TSP: 2 }, time));
    expect(entry.reason).toBe('duplicate-conflict');
  });
});

describe('afterwards', () => {
  it('all that was acknowledged is stored once, and nothing is missing', async () => {
    const counts = await eventually(
      () => node.count(),
      (c) => c.pending === 0,
    );
    expect(counts.missing).toBe(0);
    expect(counts.stored + counts.duplicates).toBe(counts.acknowledged);
    expect(counts.acknowledged).toBe((await node.ingest.counts()).observations.acknowledged);
  });
});

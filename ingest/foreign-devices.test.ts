import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decodeRecord } from '../backbone/codec.ts';
import { wallClock } from '../backbone/index.ts';
import { projectRoot } from '../backbone/project-root.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { type Frame, type ObservationRecord, TOPICS } from '../contracts/index.ts';

/**
 * Devices that cannot be changed, as they come: Tasmota, Zigbee2MQTT, ChirpStack and Frigate, each with an account of its own at
 * the embedded broker, by the mappings that ship as examples; and what becomes of whoever speaks for others.
 */

const EXAMPLES = join(projectRoot, 'examples');
const secret = (id: string) => `${id}-secret`;
const EUI = 'ffffff200000b703';
let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;
const clients: MqttClient[] = [];

function example(name: string) {
  return parse(readFileSync(join(EXAMPLES, `${name}.yaml`), 'utf8'));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-foreign-'));
  const names = ['tasmota', 'zigbee2mqtt', 'chirpstack', 'plain-numbers'];
  const topicMappings = names.flatMap((name) => example(`mappings/${name}`).ingest.topicMappings);
  const camera = { id: 'cam-02', template: 'camera', site: 'site-01', location: [123.41, 41.8] };
  const devices: { id: string; gateway?: string }[] = [...example('mapped-devices').devices, camera];
  node = await startIngestNode({
    folder,
    broker: { allowAnonymous: false },
    ingest: { topicMappings, maxPictureBytes: 2_000_000 },
    devices: devices.map((one) => (one.gateway === undefined ? { ...one, password: secret(one.id) } : one)),
  });
});

afterAll(async () => {
  for (const client of clients) await client.endAsync(true);
  await node.stop();
  await rm(folder, { recursive: true });
});

async function signIn(username: string, more: IClientOptions = {}): Promise<MqttClient> {
  const options = { host: '127.0.0.1', port: node.broker.port, reconnectPeriod: 0, ...more };
  const client = await connectAsync({ ...options, username, password: secret(username) });
  clients.push(client);
  return client;
}

async function eventually<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const value = await read();
    if (wanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return read();
}

async function point(datastream: string, time: number): Promise<number | undefined> {
  const read = () => node.series.range({ datastream, from: time, to: time + 1 });
  return (await eventually(read, (points) => points.length > 0))[0]?.value;
}

async function records<T>(topic: 'observations' | 'frames'): Promise<T[]> {
  const all: T[] = [];
  for (const { partition } of await node.stream.ends(topic)) {
    for (const record of await node.stream.read(topic, partition, 0, 10_000))
      all.push(decodeRecord<T>(record.value));
  }
  return all;
}

/** What the next message leaves in quarantine. */
async function refusal(client: MqttClient, topic: string, payload: string | Buffer) {
  const before = node.ingest.quarantine.total();
  await client.publishAsync(topic, payload, { qos: 1 });
  expect(node.ingest.quarantine.total()).toBe(before + 1);
  const [entry] = await node.ingest.quarantine.list({ limit: 1 });
  return entry;
}

/** A whole second lately, another one each time: what devices write. */
let seconds = 0;
const lately = () => Math.floor(wallClock.now() / 1_000) * 1_000 - 1_000 * ++seconds;
const inBeijing = (time: number) => new Date(time + 8 * 3_600_000).toISOString().slice(0, 19);
const uplink = (time: number, object: unknown) =>
  JSON.stringify({
    deduplicationId: '5d9a3908-c0d9-4feb-bf6d-a61ca48b9ebf',
    time: new Date(time).toISOString().replace('Z', '000000+00:00'),
    deviceInfo: { tenantName: 'ChirpStack', deviceName: 'yard 3', devEui: EUI },
    fCnt: 18_230,
    fPort: 210,
    data: 'AAEDBA4VfQB3ARAKCBICPwMB',
    object,
  });

describe('a Tasmota', () => {
  const sensor = (time: number, value: unknown) =>
    JSON.stringify({ Time: inBeijing(time), AM2301: { Temperature: value, Humidity: 75.8 }, TempUnit: 'C' });

  it('feeds its readings; the mapping stands with them as their source', async () => {
    const client = await signIn('th-01');
    const time = lately();
    await client.publishAsync('tele/th-01/SENSOR', sensor(time, 21.7), { qos: 1 });
    expect(await point('th-01/TEMP', time)).toBe(21.7);
    const batches = await records<ObservationRecord>('observations');
    expect(batches).toContainEqual(expect.objectContaining({ device: 'th-01', source: 'mapping:tasmota' }));
  });

  it('leaves a last will that says that it is gone', async () => {
    const topic = 'tele/th-01/LWT';
    const client = await signIn('th-01', {
      will: { topic, payload: Buffer.from('Offline'), qos: 1, retain: true },
    });
    await client.publishAsync(topic, 'Online', { qos: 1, retain: true });
    const before = node.ingest.quarantine.total();
    client.stream.destroy();
    const gone = (all: ObservationRecord[]) =>
      all.some((one) => one.type === 'device' && one.device === 'th-01' && one.event === 'gone');
    expect(gone(await eventually(() => records<ObservationRecord>('observations'), gone))).toBe(true);
    expect(node.ingest.quarantine.total()).toBe(before);
  });

  it('cannot speak for another, by payload or by will', async () => {
    const client = await signIn('th-02');
    expect(await refusal(client, 'tele/th-01/SENSOR', sensor(lately(), 1))).toMatchObject({
      reason: 'device-mismatch',
    });
    const will = { topic: 'tele/th-01/LWT', payload: Buffer.from('Offline'), qos: 1 as const, retain: true };
    const mean = await signIn('th-02', { will, clientId: 'mean' });
    const before = node.ingest.quarantine.total();
    mean.stream.destroy();
    await eventually(
      async () => node.ingest.quarantine.total(),
      (total) => total > before,
    );
    const [entry] = await node.ingest.quarantine.list({ limit: 1 });
    expect(entry).toMatchObject({ reason: 'device-mismatch', topic: 'tele/th-01/LWT' });
  });

  it('whose registry has another unit is not taken at its word', async () => {
    const client = await signIn('th-02');
    const payload = JSON.stringify({ Time: inBeijing(lately()), AM2301: { Temperature: 71 }, TempUnit: 'F' });
    expect(await refusal(client, 'tele/th-02/SENSOR', payload)).toMatchObject({ reason: 'unit-mismatch' });
  });
});

describe('a gateway', () => {
  it('Zigbee2MQTT speaks for the devices that have it as their gateway', async () => {
    const bridge = await signIn('bridge-01');
    const time = lately();
    const payload = {
      temperature: 27.34,
      humidity: 44.72,
      last_seen: new Date(time).toISOString(),
      linkquality: 120,
    };
    await bridge.publishAsync('zigbee2mqtt/仓库/温湿度 1', JSON.stringify(payload), { qos: 1 });
    expect(await point('zb-01/RH', time)).toBe(44.72);
    const before = node.ingest.quarantine.total();
    await bridge.publishAsync('zigbee2mqtt/bridge/state', '{"state":"online"}', { qos: 1 });
    await bridge.publishAsync('zigbee2mqtt/仓库/温湿度 1/availability', '{"state":"online"}', { qos: 1 });
    expect(node.ingest.quarantine.total()).toBe(before);
  });

  it('ChirpStack too, by the DevEUI in the topic', async () => {
    const server = await signIn('lns-01');
    const time = lately();
    const topic = `application/3ef9e6b9-ec54-4eda-86b8-a5fb46899f39/device/${EUI}/event/up`;
    await server.publishAsync(topic, uplink(time, { temperature: 25.68, distance_mm: 1234 }), { qos: 1 });
    expect(await point('lora-01/LEVEL', time)).toBe(1.234);
    expect(await refusal(server, topic, uplink(time, undefined))).toMatchObject({ reason: 'schema' });
    const unknown = topic.replace(EUI, '0101010101010101');
    expect(await refusal(server, unknown, uplink(time, { temperature: 1 }))).toMatchObject({
      reason: 'device-unknown',
      detail: expect.stringContaining('chirpstack:0101010101010101'),
    });
  });

  it('and for no others', async () => {
    const bridge = await signIn('bridge-01');
    const topic = `application/x/device/${EUI}/event/up`;
    expect(await refusal(bridge, topic, uplink(lately(), { temperature: 1 }))).toMatchObject({
      reason: 'device-mismatch',
    });
  });

  it('may send bare numbers, one topic a value', async () => {
    const client = await signIn('th-02');
    const before = wallClock.now();
    await client.publishAsync('sensors/line-1/th-02/temperature', '+23.50\r\n', { qos: 1 });
    const read = () => node.series.range({ datastream: 'th-02/TEMP', from: before, to: wallClock.now() + 1 });
    expect(await eventually(read, (points) => points.length > 0)).toMatchObject([{ value: 23.5 }]);
  });
});

describe('pictures', () => {
  const picture = (red: number) =>
    sharp({ create: { width: 16, height: 12, channels: 3, background: { r: red, g: 0, b: 0 } } }).jpeg();
  const frameOf = async (camera: string, time: number) =>
    (await records<Frame>(TOPICS.frames)).find((one) => one.camera === camera && one.time === time);

  it("Frigate's snapshots are of its cameras, at the time of the event", async () => {
    const nvr = await signIn('nvr-01');
    const time = lately();
    const after = { id: '1-a', camera: 'gate', label: 'car', snapshot: { frame_time: time / 1_000 } };
    await nvr.publishAsync('frigate/events', JSON.stringify({ type: 'new', before: {}, after }), { qos: 1 });
    await nvr.publishAsync('frigate/gate/car/snapshot', await picture(1).toBuffer(), { qos: 1 });
    expect(await frameOf('cam-01', time)).toMatchObject({ width: 16, height: 12 });
    const other = await signIn('cam-02');
    expect(await refusal(other, 'frigate/gate/car/snapshot', await picture(2).toBuffer())).toMatchObject({
      reason: 'device-mismatch',
    });
  });

  it('come as JSON on the topic of the others', async () => {
    const camera = await signIn('cam-02');
    const time = lately();
    const image = (await picture(3).toBuffer()).toString('base64');
    await camera.publishAsync('v1/devices/cam-02/frames', JSON.stringify({ image, time }), { qos: 1 });
    expect(await frameOf('cam-02', time)).toMatchObject({ mediaType: 'image/jpeg' });
  });

  it('in JSON are measured by what they decode to', async () => {
    const camera = await signIn('cam-02');
    const sized = async (bytes: number) => {
      const image = Buffer.concat([await picture(4).toBuffer(), Buffer.alloc(bytes)]).subarray(0, bytes);
      return JSON.stringify({ image: image.toString('base64'), time: lately() });
    };
    const tooLarge = await refusal(camera, 'v1/devices/cam-02/frames', await sized(2_000_001));
    expect(tooLarge).toMatchObject({
      reason: 'payload-too-large',
      detail: 'image: a picture of 2000001 bytes; at most 2000000 are allowed',
    });
    const { outcome } = await node.ingest.accept({
      topic: 'v1/devices/cam-02/frames',
      payload: Buffer.from(await sized(2_000_000)),
      clientId: null,
      authenticatedDevice: 'cam-02',
    });
    expect(outcome).toBe('accepted');
  });

  it('may name their camera by MQTT 5 user property or EXIF', async () => {
    const time = lately();
    const deliver = async (
      payload: Buffer,
      authenticatedDevice: string,
      userProperties: Record<string, string>,
    ) =>
      node.ingest.accept({
        topic: `v1/frames/${time}`,
        payload,
        clientId: null,
        authenticatedDevice,
        userProperties,
      });
    expect(await deliver(await picture(5).toBuffer(), 'cam-02', { camera: 'cam-02' })).toMatchObject({
      taken: 1,
    });
    expect(await frameOf('cam-02', time)).toBeDefined();
    const stamped = await picture(6)
      .withExif({ IFD2: { BodySerialNumber: 'SN-7' } })
      .toBuffer();
    expect(await deliver(stamped, 'nvr-01', {})).toMatchObject({ taken: 1 });
    expect(await frameOf('cam-01', time)).toBeDefined();
    expect(await deliver(stamped, 'cam-02', {})).toMatchObject({ reason: 'device-mismatch' });
    expect(await deliver(await picture(7).toBuffer(), 'cam-02', {})).toMatchObject({
      reason: 'camera-unknown',
    });
  });
});

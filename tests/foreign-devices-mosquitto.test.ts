import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decodeRecord } from '../backbone/codec.ts';
import { projectRoot } from '../backbone/project-root.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { type Mosquitto, mosquittoPub, startMosquitto } from '../bench/support/mosquitto.ts';
import { type Frame, TOPICS } from '../contracts/index.ts';
import {
  type ExternalBroker,
  ExternalBrokerConfig,
  startExternalBroker,
} from '../devices/external-broker/index.ts';

/** Where Zigbee2MQTT and Frigate usually are: behind a Mosquitto that was there before; fed by mosquitto_pub. */

const START = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
const example = (name: string) => parse(readFileSync(join(projectRoot, 'examples', `${name}.yaml`), 'utf8'));
let folder: string;
let mosquitto: Mosquitto;
let node: Awaited<ReturnType<typeof startIngestNode>>;
let source: ExternalBroker;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-foreign-'));
  mosquitto = await startMosquitto();
  const { topicMappings } = example('mappings/zigbee2mqtt').ingest;
  node = await startIngestNode({
    folder,
    ingest: { topicMappings },
    devices: example('mapped-devices').devices,
  });
  const url = `mqtt://127.0.0.1:${mosquitto.port}`;
  const filters = ['v1/frames/#', 'zigbee2mqtt/#', 'frigate/#'];
  source = startExternalBroker(ExternalBrokerConfig.parse({ url, filters }), {
    accept: node.ingest.acceptInto,
    instanceId: 'test',
    log: pino({ level: 'silent' }),
    metrics: new Metrics(),
  });
  await source.ready();
});

afterAll(async () => {
  await source?.stop();
  await node?.stop();
  await mosquitto?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function eventually<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let i = 0; i < 200; i++) {
    const value = await read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return undefined;
}

const frameAt = (time: number) =>
  eventually(async () => {
    for (const { partition } of await node.stream.ends(TOPICS.frames)) {
      const records = await node.stream.read(TOPICS.frames, partition, 0, 1_000);
      const frames = records.map(({ value }) => decodeRecord<Frame>(value));
      const found = frames.find((frame) => frame.time === time);
      if (found !== undefined) return found;
    }
    return undefined;
  });

async function pictureFile(red: number, exif?: Record<string, string>): Promise<string> {
  const plain = sharp({ create: { width: 16, height: 12, channels: 3, background: { r: red, g: 0, b: 0 } } });
  const file = join(folder, `${red}.jpg`);
  await writeFile(
    file,
    await (exif === undefined ? plain : plain.withExif({ IFD2: exif })).jpeg().toBuffer(),
  );
  return file;
}

const publish = (topic: string, ...rest: string[]) =>
  mosquittoPub(mosquitto.port, '-V', '5', '-q', '1', '-t', topic, ...rest);

describe('behind Mosquitto', () => {
  it('camera and time of a picture come as MQTT 5 user properties', async () => {
    const properties = { camera: 'cam-01', time: new Date(START).toISOString() };
    const said = Object.entries(properties).flatMap(([name, value]) => [
      '-D',
      'publish',
      'user-property',
      name,
      value,
    ]);
    await publish('v1/frames', '-f', await pictureFile(1), ...said);
    expect(await frameAt(START)).toMatchObject({ camera: 'cam-01', mediaType: 'image/jpeg' });
  });

  it('or stand in its EXIF', async () => {
    const taken = new Date(START + 1_000 + 8 * 3_600_000).toISOString();
    const DateTimeOriginal = taken.slice(0, 19).replaceAll('-', ':').replace('T', ' ');
    await publish('v1/frames', '-f', await pictureFile(2, { DateTimeOriginal, BodySerialNumber: 'SN-7' }));
    expect(await frameAt(START + 1_000)).toMatchObject({ camera: 'cam-01' });
  });

  it("Frigate's snapshot has the time of its event", async () => {
    const after = { id: '1-a', camera: 'gate', label: 'car', snapshot: { frame_time: START / 1_000 + 2.25 } };
    await publish('frigate/events', '-m', JSON.stringify({ type: 'new', before: {}, after }));
    await publish('frigate/gate/car/snapshot', '-f', await pictureFile(3));
    expect(await frameAt(START + 2_250)).toMatchObject({ camera: 'cam-01' });
  });

  it('a Zigbee device is known by its friendly name', async () => {
    const payload = { temperature: 27.34, last_seen: new Date(START).toISOString(), linkquality: 120 };
    await publish('zigbee2mqtt/仓库/温湿度 1', '-m', JSON.stringify(payload));
    const query = { datastream: 'zb-01/TEMP', from: START, to: START + 1 };
    expect(await eventually(async () => (await node.series.range(query))[0])).toMatchObject({ value: 27.34 });
  });
});

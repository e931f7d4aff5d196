import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { projectRoot } from '../backbone/project-root.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { type Mosquitto, mosquittoPasswd, mosquittoPub, startMosquitto } from '../bench/support/mosquitto.ts';
import { type Frame, QianliyanError, TOPICS } from '../contracts/index.ts';
import {
  type ExternalBroker,
  ExternalBrokerConfig,
  startExternalBroker,
} from '../devices/external-broker/index.ts';
import type { HandOn } from '../devices/handover.ts';

/** The product behind a real Mosquitto. */

const DEVICES = ['dust-01', 'dust-02'];
const START = Math.floor(Date.now() / 1_000) * 1_000 - 3_600_000;
let folder: string;
let broker: Mosquitto;
let node: Awaited<ReturnType<typeof startIngestNode>>;
const sources: ExternalBroker[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-external-'));
  broker = await startMosquitto();
  const where = { site: 'site-1', location: [123.41, 41.8] };
  node = await startIngestNode({
    folder,
    devices: [
      ...DEVICES.map((id) => ({ id, template: 'dust', ...where })),
      { id: 'cam-01', template: 'camera', ...where },
    ],
  });
});

afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.stop()));
});

afterAll(async () => {
  await node?.stop();
  await broker?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function read(
  config: Partial<ExternalBrokerConfig> = {},
  accept: HandOn = node.ingest.acceptInto,
  instanceId = 'test',
): Promise<ExternalBroker> {
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const deps = { accept, instanceId, log: pino({ level: 'silent' }), metrics: new Metrics() };
  const source = startExternalBroker(ExternalBrokerConfig.parse({ url, ...config }), deps);
  sources.push(source);
  await source.ready();
  return source;
}

const readings = (i: number) => JSON.stringify({ time: START + i, readings: { TSP: 0.1 + i / 1_000 } });

/** Publishes readings `from` to `to` of a device with QoS 1; resolves when Mosquitto has acknowledged all. */
async function publish(device: string, from: number, to: number): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 4 });
  const topic = `v1/devices/${device}/observations`;
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  await Promise.all(numbers.map((i) => client.publishAsync(topic, readings(i), { qos: 1 })));
  await client.endAsync();
}

async function stored(device: string, from: number, to: number): Promise<number[]> {
  const query = { datastream: `${device}/TSP`, from: START + from, to: START + to };
  for (let tries = 0; tries < 400; tries += 1) {
    const points = await node.series.range(query);
    if (points.length >= to - from) return points.map(({ time }) => time - START);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return (await node.series.range(query)).map(({ time }) => time - START);
}

const every = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('behind Mosquitto', () => {
  it('what one publishes there is in the series store, once, however many processes share it', async () => {
    // A group of its own: a member that is away keeps its share of the messages for its return.
    const shareName = 'many';
    await read({ connections: 2, shareName }, node.ingest.acceptInto, 'first');
    await read({ shareName }, node.ingest.acceptInto, 'second');
    const before = await node.count();
    await Promise.all([publish('dust-01', 0, 300), publish('dust-02', 0, 300)]);
    expect(await stored('dust-01', 0, 300)).toEqual(every(0, 300));
    expect(await stored('dust-02', 0, 300)).toEqual(every(0, 300));
    const { acknowledged, duplicates } = await node.count();
    expect(acknowledged - before.acknowledged).toBe(600);
    expect(duplicates).toBe(before.duplicates);
  });

  it('what was published while we were away is there when we come back', async () => {
    const first = await read();
    await first.stop();
    await publish('dust-01', 1_000, 1_200);
    await read();
    expect(await stored('dust-01', 1_000, 1_200)).toEqual(every(1_000, 1_200));
  });

  it('while the store is away nothing is acknowledged; then all of it comes again', async () => {
    let away = true;
    let refused = 0;
    await read({}, (message, settled) => {
      if (!away) {
        node.ingest.acceptInto(message, settled);
        return;
      }
      refused += 1;
      settled.failed(new QianliyanError('STORE_UNAVAILABLE', 'for a test'));
    });
    await publish('dust-01', 2_000, 2_100);
    while (refused === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(
      await node.series.range({ datastream: 'dust-01/TSP', from: START + 2_000, to: START + 2_100 }),
    ).toEqual([]);
    away = false;
    expect(await stored('dust-01', 2_000, 2_100)).toEqual(every(2_000, 2_100));
  });

  it('a broker that was killed is found again', async () => {
    const source = await read();
    await broker.kill();
    while (source.health().ok) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(source.health().problems[0]).toContain('0 of 1 connections');
    await broker.start();
    while (!source.health().ok) await new Promise((resolve) => setTimeout(resolve, 10));
    await publish('dust-02', 3_000, 3_010);
    expect(await stored('dust-02', 3_000, 3_010)).toEqual(every(3_000, 3_010));
  });

  it('a picture brings its time as an MQTT 5 user property', async () => {
    await read();
    const picture = await sharp({ create: { width: 32, height: 24, channels: 3, background: 'navy' } })
      .jpeg()
      .toBuffer();
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 5 });
    const userProperties = { time: String(START) };
    await client.publishAsync('v1/devices/cam-01/frames', picture, {
      qos: 1,
      properties: { userProperties },
    });
    await client.endAsync();
    let records = await node.stream.read(TOPICS.frames, 0, 0, 1);
    while (records.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      records = await node.stream.read(TOPICS.frames, 0, 0, 1);
    }
    expect(decodeRecord<Frame>(records[0]!.value)).toMatchObject({
      camera: 'cam-01',
      time: START,
      width: 32,
    });
  });

  it('what is wrong is in quarantine, and the messages behind it go on', async () => {
    await read();
    await mosquittoPub(broker.port, '-q', '1', '-t', 'v1/devices/dust-01/observations', '-m', '{');
    await publish('dust-01', 4_000, 4_001);
    expect(await stored('dust-01', 4_000, 4_001)).toEqual([4_000]);
    const [entry] = await node.ingest.quarantine.list({ reason: 'not-json', limit: 1 });
    expect(entry).toMatchObject({ device: 'dust-01', topic: 'v1/devices/dust-01/observations' });
  });
});

describe('a broker with passwords', () => {
  it('and the access list that ships lets devices speak for themselves only', async () => {
    const passwords = join(folder, 'passwords');
    await writeFile(passwords, '', { mode: 0o600 });
    for (const user of ['qianliyan', ...DEVICES])
      await mosquittoPasswd('-b', passwords, user, `${user}-secret`);
    const acl = join(folder, 'acl');
    await copyFile(join(projectRoot, 'deploy', 'mosquitto', 'acl'), acl);
    const secretFile = join(folder, 'secret');
    await writeFile(secretFile, 'qianliyan-secret\n');
    const guarded = await startMosquitto([
      'allow_anonymous false',
      `password_file ${passwords}`,
      `acl_file ${acl}`,
    ]);
    try {
      const url = `mqtt://127.0.0.1:${guarded.port}`;
      await read({ url, username: 'qianliyan', passwordFile: secretFile });
      const as = (user: string, device: string, i: number) =>
        mosquittoPub(
          guarded.port,
          ...['-u', user, '-P', `${user}-secret`, '-q', '1'],
          ...['-t', `v1/devices/${device}/observations`, '-m', readings(i)],
        );
      // Mosquitto acknowledges what its access list refuses, and drops it: it must not arrive.
      await as('dust-02', 'dust-01', 5_000);
      await as('dust-01', 'dust-01', 5_001);
      expect(await stored('dust-01', 5_001, 5_002)).toEqual([5_001]);
      const foreign = { datastream: 'dust-01/TSP', from: START + 5_000, to: START + 5_001 };
      expect(await node.series.range(foreign)).toEqual([]);
      await Promise.all(sources.splice(0).map((source) => source.stop()));
    } finally {
      await guarded.stop();
    }
  });

  it('names a password file that cannot be read', () => {
    const url = 'mqtt://127.0.0.1:1';
    const config = ExternalBrokerConfig.parse({ url, username: 'q', passwordFile: '/no/such/file' });
    const deps = {
      accept: node.ingest.acceptInto,
      instanceId: 't',
      log: pino({ level: 'silent' }),
      metrics: new Metrics(),
    };
    expect(() => startExternalBroker(config, deps)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        problems: [expect.objectContaining({ found: '/no/such/file' })],
      }),
    );
  });
});

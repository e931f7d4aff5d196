import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import mqtt, { type MqttClient } from 'mqtt';
import { generate, type Packet, parser } from 'mqtt-packet';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { mosquittoPub } from '../bench/support/mosquitto.ts';
import { type Frame, TOPICS } from '../contracts/index.ts';

/** Clients of MQTT 5 at the embedded broker: mqtt.js, mosquitto_pub, and packets by hand. */

const TIME = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;
let password: string;
const clients: MqttClient[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-mqtt5-'));
  const where = { site: 'site-1', location: [123.41, 41.8] };
  node = await startIngestNode({
    folder,
    broker: { allowAnonymous: false },
    devices: [
      { id: 'dust-01', template: 'dust', ...where },
      { id: 'cam-01', template: 'camera', ...where },
    ],
  });
  password = await node.registry.setPassword('dust-01');
  await node.registry.setPassword('cam-01', 'camera-password');
});

afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
});

afterAll(async () => {
  await node?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

const url = () => `mqtt://127.0.0.1:${node.broker.port}`;

async function signIn(options: mqtt.IClientOptions = {}): Promise<MqttClient> {
  const account = { username: 'dust-01', password, protocolVersion: 5, reconnectPeriod: 0 } as const;
  const client = await mqtt.connectAsync(url(), { ...account, ...options });
  clients.push(client);
  return client;
}

const reading = (i: number) => JSON.stringify({ time: TIME + i, readings: { TSP: 0.25 } });
const OBSERVATIONS = 'v1/devices/dust-01/observations';

async function stored(from: number, count: number) {
  const query = { datastream: 'dust-01/TSP', from: TIME + from, to: TIME + from + count };
  for (let tries = 0; tries < 200; tries += 1) {
    const points = await node.series.range(query);
    if (points.length >= count) return points.length;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return (await node.series.range(query)).length;
}

describe('a client that speaks MQTT 5', () => {
  it('is told what there is not, publishes with QoS 1, and is stored before it is acknowledged', async () => {
    const client = mqtt.connect(url(), { username: 'dust-01', password, protocolVersion: 5 });
    clients.push(client);
    const connack = await new Promise<mqtt.IConnackPacket>((resolve) => client.once('connect', resolve));
    expect(connack.properties).toMatchObject({ maximumQoS: 1, sessionExpiryInterval: 0 });
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => client.publishAsync(OBSERVATIONS, reading(i), { qos: 1 })),
    );
    expect((await node.count()).acknowledged).toBeGreaterThanOrEqual(300);
    expect(await stored(0, 300)).toBe(300);
  });

  it('gives a picture its time as a user property', async () => {
    const picture = await sharp({ create: { width: 32, height: 24, channels: 3, background: 'teal' } })
      .jpeg()
      .toBuffer();
    const file = join(folder, 'picture.jpg');
    await writeFile(file, picture);
    await mosquittoPub(
      node.broker.port,
      ...['-V', 'mqttv5', '-u', 'cam-01', '-P', 'camera-password', '-q', '1'],
      ...[
        '-t',
        'v1/devices/cam-01/frames',
        '-f',
        file,
        '-D',
        'publish',
        'user-property',
        'time',
        String(TIME),
      ],
    );
    const [record] = await node.stream.read(TOPICS.frames, 0, 0, 1);
    expect(decodeRecord<Frame>(record!.value)).toMatchObject({ camera: 'cam-01', time: TIME, width: 32 });
  });

  it('is refused with a reason of MQTT 5', async () => {
    await expect(signIn({ password: 'wrong-password' })).rejects.toMatchObject({ code: 0x86 });
    await expect(signIn({ properties: { authenticationMethod: 'SCRAM' } })).rejects.toMatchObject({
      code: 0x8c,
    });
  });

  it('hears its own commands, is refused others with a reason, and unsubscribes', async () => {
    const client = await signIn();
    const own = 'v1/devices/dust-01/commands/#';
    const granted = await client
      .subscribeAsync([own, 'v1/devices/cam-01/commands/#'])
      .catch((error) => error);
    expect(JSON.stringify(granted)).toMatch(/135|[Nn]ot authorized|Unspecified/);
    await client.subscribeAsync(own, { qos: 1 });
    const heard = new Promise<string>((resolve) => client.once('message', resolve));
    await node.broker.sendCommand('dust-01', 'calibrate', Buffer.from('{}'));
    expect(await heard).toBe('v1/devices/dust-01/commands/calibrate');
    await client.unsubscribeAsync([own, 'v1/devices/dust-01/x']);
  });

  it('leaves with its will when it says so (reason 4), and without when it says goodbye', async () => {
    const said = async (leave: (client: MqttClient) => Promise<unknown>) => {
      const will = { topic: 'v1/devices/dust-01/status', payload: Buffer.from('offline'), qos: 1 as const };
      const client = await signIn({ will: { ...will, retain: false } });
      await client.publishAsync(will.topic, 'online', { qos: 1 });
      await leave(client);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return (await node.ingest.status.of('dust-01')).state;
    };
    expect(await said((client) => client.endAsync(false, { reasonCode: 4 }))).toBe('gone');
    expect(await said((client) => client.endAsync())).not.toBe('gone');
  });

  it('may publish right behind its CONNECT, and gets an id when it has none', async () => {
    const socket = connect({ host: '127.0.0.1', port: node.broker.port });
    const hello = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clean: true,
      clientId: '',
      keepalive: 9,
    };
    const publish = {
      cmd: 'publish',
      topic: OBSERVATIONS,
      payload: reading(5_000),
      qos: 1,
      messageId: 7,
      dup: false,
    };
    const v5 = { protocolVersion: 5 };
    const bytes = [
      { ...hello, username: 'dust-01', password: Buffer.from(password) },
      { ...publish, retain: false },
    ];
    // One byte at a time: the broker has to wait for the level of the protocol, too.
    for (const byte of Buffer.concat(bytes.map((one) => generate(one as Packet, v5))))
      socket.write(Buffer.from([byte]));
    const answers: Packet[] = [];
    const reader = parser(v5);
    reader.on('packet', (packet) => answers.push(packet));
    socket.on('data', (chunk) => reader.parse(chunk));
    while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    socket.destroy();
    expect(answers).toMatchObject([
      {
        cmd: 'connack',
        reasonCode: 0,
        properties: { assignedClientIdentifier: expect.stringMatching(/^auto-/) },
      },
      { cmd: 'puback', messageId: 7 },
    ]);
    expect(await stored(5_000, 1)).toBe(1);
  });

  it('that publishes with QoS 2, or to a wildcard, is let go', async () => {
    for (const wrong of [
      { topic: OBSERVATIONS, qos: 2 },
      { topic: 'v1/devices/+/observations', qos: 1 },
    ]) {
      const client = await signIn();
      const closed = new Promise<void>((resolve) => client.once('close', resolve));
      const packet = { cmd: 'publish', messageId: 1, payload: 'x', dup: false, retain: false, ...wrong };
      client.stream.write(generate(packet as Packet, { protocolVersion: 5 }));
      await closed;
    }
  });

  it('and makes no sense is let go, and nobody else is', async () => {
    const hello = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clean: true,
      clientId: 'x',
      keepalive: 9,
    };
    const will = {
      topic: 'v1/devices/dust-01/status',
      payload: Buffer.from('offline'),
      qos: 1,
      retain: false,
    };
    const properties = { sessionExpiryInterval: 9, userProperties: { a: 'b' } };
    const signOn = generate(
      { ...hello, username: 'dust-01', password: Buffer.from(password), properties, will } as Packet,
      {
        protocolVersion: 5,
      },
    );
    const subscribe = {
      cmd: 'subscribe',
      messageId: 3,
      subscriptions: [{ topic: 'v1/devices/dust-01/commands/#', qos: 1 }],
    };
    const more = generate(subscribe as Packet, { protocolVersion: 5 });
    const change = fc.record({
      at: fc.nat(),
      bytes: fc.uint8Array({ maxLength: 8 }),
      behind: fc.uint8Array({ maxLength: 60 }),
    });
    for (const { at, bytes, behind } of fc.sample(change, { numRuns: 300, seed: 5 })) {
      const whole = Buffer.concat([signOn, more]);
      const cut = 10 + (at % (whole.length - 10));
      const socket = connect({ host: '127.0.0.1', port: node.broker.port });
      socket.on('error', () => undefined);
      socket.write(
        Buffer.concat([whole.subarray(0, cut), bytes, whole.subarray(cut + bytes.length), behind]),
      );
      setTimeout(() => socket.destroy(), 100);
    }
    const client = await signIn();
    await client.publishAsync(OBSERVATIONS, reading(9_000), { qos: 1 });
    expect(await stored(9_000, 1)).toBe(1);
  });
});

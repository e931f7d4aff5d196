import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegisteredDevice } from '../../contracts/index.ts';
import { BrokerConfig } from '../config.ts';
import { handOnTo } from '../handover.ts';
import type { DeviceMessage, Outgoing } from '../message.ts';
import { type Broker, startBroker } from './broker.ts';

/** The broker on a real socket, with mqtt.js clients; storage is played by the test. */

let broker: Broker;
let received: DeviceMessage[];
let sessions: string[];
let changed: (id: string) => void;
/** What goes back to the device of every message. */
let answer: { send?: Outgoing[] };
/** What storage does with a message. */
let store: (message: DeviceMessage) => Promise<unknown>;
const clients: MqttClient[] = [];

const registry = {
  get: (id: string) => (id === 'dust-01' || id === 'dust-02' ? ({ id } as RegisteredDevice) : undefined),
  find: (name: string) => registry.get(name),
  signIn: async (id: string, password: Buffer) =>
    registry.get(id) === undefined
      ? ('device-unknown' as const)
      : password.toString() === 'right'
        ? ('accepted' as const)
        : ('password-wrong' as const),
  certificateSignIn: () => 'certificate-of-nobody' as const,
  onCredentialChange(listener: (id: string) => void) {
    changed = listener;
    return () => undefined;
  },
};

async function start(config: Record<string, unknown> = {}) {
  broker = await startBroker(BrokerConfig.parse({ port: 0, ...config }), {
    registry,
    handOn: handOnTo(async (message) => {
      received.push(message);
      await store(message);
      return answer;
    }),
    session: (device, event) => sessions.push(`${device} ${event}`),
    log: pino({ level: 'silent' }),
    metrics: new Metrics(),
  });
}

async function connect(options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync({ host: '127.0.0.1', port: broker.port, reconnectPeriod: 0, ...options });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}
const as = (username: string, more: IClientOptions = {}) => connect({ username, password: 'right', ...more });

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !holds(); i++) await pause(10);
  expect(holds()).toBe(true);
}

beforeEach(() => {
  received = [];
  sessions = [];
  answer = {};
  store = async () => undefined;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await broker.stop();
});

describe('who gets in', () => {
  it.each([
    ['no name', {}, 5],
    ['a wrong password', { username: 'dust-01', password: 'wrong' }, 4],
    ['an unknown device', { username: 'stranger', password: 'right' }, 4],
  ])('refuses %s', async (_what, options, code) => {
    await start();
    await expect(connect(options)).rejects.toMatchObject({ code });
    expect(sessions).toEqual([]);
  });

  it('lets a device in by its password, and tells when its session begins and ends', async () => {
    await start();
    const client = await as('dust-01');
    const second = await as('dust-01');
    await client.endAsync();
    await pause(50);
    expect(sessions).toEqual(['dust-01 connected']);
    second.stream.destroy();
    await until(() => sessions.length === 2);
    expect(sessions[1]).toBe('dust-01 lost');
    const third = await as('dust-01');
    await third.endAsync();
    await until(() => sessions.length === 4);
    expect(sessions[3]).toBe('dust-01 disconnected');
  });

  it('ends the sessions of a device whose password changes', async () => {
    await start();
    const client = await as('dust-01');
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    changed('dust-01');
    await closed;
  });

  it('does not let one device push another off by its client id', async () => {
    await start();
    const first = await as('dust-01', { clientId: 'shared' });
    await as('dust-02', { clientId: 'shared' });
    await first.publishAsync('v1/devices/dust-01/observations', 'x', { qos: 1 });
    expect(first.connected).toBe(true);
  });

  it('knows anonymous clients on loopback only', async () => {
    const open = BrokerConfig.safeParse({ host: '0.0.0.0', allowAnonymous: true });
    expect(open.error?.issues[0]?.path).toEqual(['allowAnonymous']);
    await start({ allowAnonymous: true });
    const client = await connect();
    await client.publishAsync('v1/devices/dust-01/observations', 'x', { qos: 1 });
    expect(received[0]).toMatchObject({
      authenticatedDevice: null,
      topic: 'v1/devices/dust-01/observations',
    });
  });
});

describe('who hears what', () => {
  it('a device hears its own commands, and nothing else', async () => {
    await start();
    const client = await as('dust-01');
    const heard: string[] = [];
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
    await client.subscribeAsync('v1/devices/dust-01/commands/#', { qos: 1 });
    for (const filter of [
      '#',
      'v1/devices/+/commands/#',
      'v1/devices/dust-02/commands/#',
      'v1/devices/dust-01/#',
      '$SYS/#',
    ]) {
      await expect(client.subscribeAsync(filter), filter).rejects.toThrow();
    }
    await broker.sendCommand('dust-02', 'reboot', Buffer.from('no'));
    await broker.sendCommand('dust-01', 'reboot', Buffer.from('now'));
    await until(() => heard.length > 0);
    expect(heard).toEqual(['v1/devices/dust-01/commands/reboot now']);
  });

  it('what a device publishes is routed to nobody, retained or not', async () => {
    await start();
    const [mine, other] = [await as('dust-01'), await as('dust-01')];
    let heard = 0;
    other.on('message', () => (heard += 1));
    await other.subscribeAsync('v1/devices/dust-01/commands/#');
    await mine.publishAsync('v1/devices/dust-01/commands/reboot', 'x', { qos: 1, retain: true });
    const late = await as('dust-01');
    late.on('message', () => (heard += 1));
    await late.subscribeAsync('v1/devices/dust-01/commands/#');
    await pause(50);
    expect(heard).toBe(0);
    // It still came in, so that it can go to quarantine.
    expect(received.map((m) => m.topic)).toEqual(['v1/devices/dust-01/commands/reboot']);
  });

  it('a will speaks for its own device only', async () => {
    await start();
    const will = (device: string) => ({
      topic: `v1/devices/${device}/observations`,
      payload: Buffer.from('last'),
      qos: 1 as const,
      retain: false,
    });
    await expect(as('dust-01', { will: will('dust-02') })).rejects.toThrow();
    const client = await as('dust-01', { will: will('dust-01') });
    client.stream.destroy();
    await until(() => received.length === 1);
    expect(received[0]).toMatchObject({
      authenticatedDevice: 'dust-01',
      topic: 'v1/devices/dust-01/observations',
    });
    expect(received[0]?.payload.toString()).toBe('last');
  });
});

describe('acknowledgement', () => {
  const topic = 'v1/devices/dust-01/observations';

  it.each([1, 2] as const)('of QoS %i waits until the message is durable', async (qos) => {
    await start();
    let durable: () => void = () => undefined;
    store = () =>
      new Promise<void>((resolve) => {
        durable = resolve;
      });
    const client = await as('dust-01');
    let acknowledged = false;
    const published = client.publishAsync(topic, 'x', { qos }).then(() => {
      acknowledged = true;
    });
    await until(() => received.length === 1);
    await pause(100);
    expect(acknowledged).toBe(false);
    durable();
    await published;
    expect(acknowledged).toBe(true);
  });

  it('that is held up does not keep a pipelining client from being read, nor from being answered', async () => {
    await start();
    const held: (() => void)[] = [];
    store = () => new Promise<void>((resolve) => held.push(resolve));
    const client = await as('dust-01', { keepalive: 1 });
    const publishing = Promise.all(
      Array.from({ length: 500 }, (_, i) => client.publishAsync(topic, `${i}`, { qos: 1 })),
    );
    await until(() => received.length === 500);
    // Longer than one and a half keep-alive periods: PINGREQ is answered meanwhile.
    await pause(2_000);
    expect(client.connected).toBe(true);
    for (const release of held.reverse()) release();
    await publishing;
  });

  it('is bounded: beyond the limit a client is read no further until storage has caught up', async () => {
    await start({ maxInFlight: 10 });
    const held: (() => void)[] = [];
    store = () => new Promise<void>((resolve) => held.push(resolve));
    const client = await as('dust-01');
    const payload = 'x'.repeat(8_000);
    const publishing = Promise.all(
      Array.from({ length: 300 }, () => client.publishAsync(topic, payload, { qos: 1 })),
    );
    await until(() => received.length >= 10);
    await pause(100);
    const before = received.length;
    expect(before).toBeLessThan(100);
    store = async () => undefined;
    for (const release of held) release();
    await publishing;
    expect(received).toHaveLength(300);
  });

  it('never comes when storage fails: the connection ends, and the message comes again', async () => {
    await start();
    let full = true;
    store = async () => {
      if (full) throw new Error('no room');
    };
    const client = await as('dust-01', { reconnectPeriod: 20, clean: false, clientId: 'c' });
    let closed = 0;
    client.on('close', () => (closed += 1));
    const published = client.publishAsync(topic, 'x', { qos: 1 });
    await until(() => closed >= 2);
    full = false;
    await published;
    expect(received.length).toBeGreaterThanOrEqual(3);
  });
});

describe('a client that only publishes', () => {
  const hello = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 1 } as const;
  const reading = generate({
    cmd: 'publish',
    topic: 'v1/devices/dust-01/observations',
    payload: 'x',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
  });

  /** A plain socket: no client library that would send PINGREQ. */
  async function signIn() {
    const socket = connectTcp(broker.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      generate({
        cmd: 'connect',
        clientId: 'raw',
        username: 'dust-01',
        password: Buffer.from('right'),
        ...hello,
      }),
    );
    await once(socket, 'data');
    return socket;
  }

  it('is alive as long as it does so, and dropped once it is quiet for one and a half keep-alive periods', async () => {
    await start();
    const socket = await signIn();
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    socket.resume();
    for (let i = 0; i < 8; i++) {
      socket.write(reading);
      await pause(300);
      expect(closed).toBe(false);
    }
    expect(received).toHaveLength(8);
    await until(() => closed);
    expect(sessions).toEqual(['dust-01 connected', 'dust-01 lost']);
  });

  it('has said all that lies before its farewell', async () => {
    await start();
    const socket = await signIn();
    socket.end(Buffer.concat([reading, reading, generate({ cmd: 'disconnect' })]));
    await until(() => sessions.length === 2);
    expect(received).toHaveLength(2);
    expect(sessions[1]).toBe('dust-01 disconnected');
  });

  it('may send before it was let in, and in what order it likes', async () => {
    await start();
    const socket = connectTcp(broker.port, '127.0.0.1');
    const wholeTalk = [
      generate({
        cmd: 'connect',
        clientId: 'raw',
        username: 'dust-01',
        password: Buffer.from('right'),
        ...hello,
      }),
      ...['1', '2', '3'].map((payload, i) =>
        generate({
          cmd: 'publish',
          topic: 'v1/devices/dust-01/observations',
          payload,
          qos: 1,
          messageId: i + 1,
          dup: false,
          retain: false,
        }),
      ),
    ];
    socket.write(Buffer.concat(wholeTalk));
    const bytes: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => bytes.push(chunk));
    await until(() => Buffer.concat(bytes).length === 16);
    expect(received.map(({ payload }) => payload.toString())).toEqual(['1', '2', '3']);
    const acks = Buffer.concat(bytes).subarray(4);
    expect([3, 7, 11].map((at) => acks[at])).toEqual([1, 2, 3]);
    socket.destroy();
  });

  it('is cut off when it breaks the protocol, and nothing of that is taken', async () => {
    await start();
    const socket = await signIn();
    const closed = once(socket, 'close');
    socket.resume();
    socket.write(Buffer.from([0x32, 5, 0, 1, 97, 0, 0]));
    await closed;
    expect(received).toEqual([]);
  });
});

describe('an answer', () => {
  it('goes back to the device that is subscribed to it, once the message is durable', async () => {
    await start();
    const client = await as('dust-01');
    const heard: string[] = [];
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
    await client.subscribeAsync('v1/devices/dust-01/commands/#', { qos: 1 });
    answer = { send: [{ topic: 'v1/devices/dust-01/commands/rebirth', payload: Buffer.from('please') }] };
    await client.publishAsync('v1/devices/dust-01/observations', 'x', { qos: 1 });
    await until(() => heard.length === 1);
    expect(heard).toEqual(['v1/devices/dust-01/commands/rebirth please']);
  });
});

describe('size', () => {
  it('a message beyond the buffer is cut, hashed and acknowledged; one beyond the limit ends the connection', async () => {
    await start({ maxBufferedBytes: 65_536, maxPacketBytes: 1_000_000 });
    const client = await as('dust-01');
    for (const qos of [0, 1, 2] as const) {
      await client.publishAsync('v1/devices/dust-01/frames', Buffer.alloc(300_000), { qos });
    }
    await until(() => received.length === 3);
    for (const message of received) {
      expect(message.payload).toHaveLength(65_536);
      expect(message.oversize?.size).toBe(300_000);
    }
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.publish('v1/devices/dust-01/frames', Buffer.alloc(1_000_001), { qos: 1 }, () => undefined);
    await closed;
    expect(received).toHaveLength(3);
  });
});

describe('starting', () => {
  it('says which port is taken, and by which setting to change it', async () => {
    await start();
    const taken = startBroker(BrokerConfig.parse({ port: broker.port }), {
      registry,
      handOn: handOnTo(async () => ({})),
      session: () => undefined,
      log: pino({ level: 'silent' }),
      metrics: new Metrics(),
    });
    await expect(taken).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining('mqtt.port'),
    });
  });

  it('names a certificate that cannot be read', async () => {
    await start();
    const tls = { certFile: 'no-such.pem', keyFile: 'no-such.key' };
    const failing = startBroker(BrokerConfig.parse({ port: 0, tls }), {
      registry,
      handOn: handOnTo(async () => ({})),
      session: () => undefined,
      log: pino({ level: 'silent' }),
      metrics: new Metrics(),
    });
    await expect(failing).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      problems: [{ path: 'mqtt.tls.certFile' }],
    });
  });
});

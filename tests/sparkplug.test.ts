import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { newClient } from 'sparkplug-client';
import { get } from 'sparkplug-payload';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { wallClock } from '../backbone/index.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';

/**
 * Eclipse Tahu's own Sparkplug client, signed in at the embedded broker, on the real embedded stores. Its node `edge` is
 * the device `edge-01`, which is the gateway of the dust monitor behind it.
 */
type SparkplugClient = ReturnType<typeof newClient>;
type Payload = Parameters<SparkplugClient['publishNodeData']>[0];
type Metric = NonNullable<Payload['metrics']>[number];

const sparkplug = get('spBv1.0') as NonNullable<ReturnType<typeof get>>;

const SITE = { kind: 'sensor', name: { zh: '站', en: 'x' }, site: 'site-01', location: [123.41, 41.8] };
const stream = (property: string, unit: string) => ({ property, unit, range: [-100, 10_000], intervalS: 30 });
const DEVICES = [
  {
    ...SITE,
    id: 'edge-01',
    addresses: ['sparkplug:plant/edge'],
    datastreams: [stream('TEMP', 'Cel')],
    password: 'edge-secret',
  },
  {
    ...SITE,
    id: 'dust-01',
    addresses: ['sparkplug:plant/edge/dust'],
    gateway: 'edge-01',
    datastreams: [stream('TSP', 'mg/m3'), stream('PM10', 'ug/m3')],
    password: 'dust-secret',
  },
  { ...SITE, id: 'other-01', addresses: ['sparkplug:plant/other'], password: 'other-secret' },
];

let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;
const clients: SparkplugClient[] = [];

const start = () => startIngestNode({ folder, devices: DEVICES, broker: { allowAnonymous: false } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-sparkplug-'));
  node = await start();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.stop();
});
afterAll(async () => {
  await node.stop();
  await rm(folder, { recursive: true });
});

/** What the client does as its application would: births when asked for, by the broker's session or by a rebirth. */
function edge(
  births: (client: SparkplugClient) => void,
  more: { edgeNode?: string; username?: string } = {},
) {
  const client = newClient({
    serverUrl: `mqtt://127.0.0.1:${node.broker.port}`,
    username: 'edge-01',
    password: `${(more.username ?? 'edge-01').replace('-01', '')}-secret`,
    groupId: 'plant',
    edgeNode: 'edge',
    clientId: 'tahu',
    version: 'spBv1.0',
    mqttOptions: { reconnectPeriod: 0 },
    ...more,
  } as Parameters<typeof newClient>[0]);
  const rebirths: unknown[] = [];
  client.on('error', () => undefined);
  client.on('birth', () => births(client));
  client.on('ncmd', (payload: Payload) => {
    rebirths.push(...(payload.metrics ?? []).map(({ name, value }) => ({ name, value })));
    births(client);
  });
  clients.push(client);
  return { client, rebirths };
}

/** Every value at a time of its own: two values at one time would be a conflict. */
let last = 0;
const moment = (): number => {
  last = Math.max(last + 1, wallClock.now());
  return last;
};

const metric = (name: string, type: Metric['type'], value: Metric['value'], alias?: number): Metric =>
  ({ name, type, value, timestamp: moment(), ...(alias === undefined ? {} : { alias }) }) as Metric;
const payload = (...metrics: Metric[]): Payload => ({ timestamp: moment(), metrics });
/** As DATA has it after a birth. */
const byAlias = (alias: number, value: number): Metric =>
  ({ alias, type: 'Float', value, timestamp: moment() }) as unknown as Metric;

function births(client: SparkplugClient, tsp = 0.1): void {
  const control = metric('Node Control/Rebirth', 'Boolean', false);
  client.publishNodeBirth(
    payload(control, metric('TEMP', 'Int8', -7, 1), metric('Firmware', 'String', '1.2')),
  );
  const unit = { properties: { engUnit: { type: 'String', value: 'mg/m³' } } };
  client.publishDeviceBirth(
    'dust',
    payload({ ...metric('Outputs/TSP', 'Float', tsp, 2), ...unit } as Metric),
  );
}

async function values(datastream: string): Promise<number[]> {
  const points = await node.series.range({ datastream, from: 0, to: wallClock.now() + 60_000 });
  return points.map(({ value }) => value);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400 && !(await holds()); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await holds()).toBe(true);
}

describe("Eclipse Tahu's client", () => {
  it('is born, and its values are in the series store, with nothing in quarantine', async () => {
    const { client, rebirths } = edge(births);
    await until(async () => (await values('edge-01/TEMP')).includes(-7));
    client.publishDeviceData('dust', payload(byAlias(2, 0.8)));
    client.publishDeviceData('dust', payload(byAlias(2, 0.31)), { compress: true, algorithm: 'GZIP' });
    client.publishDeviceData('dust', payload(byAlias(2, 0.32)), { compress: true });
    await until(async () => (await values('dust-01/TSP')).includes(0.32));
    expect(await values('dust-01/TSP')).toEqual([0.1, 0.8, 0.31, 0.32]);
    expect(node.ingest.quarantine.total()).toBe(0);
    expect(rebirths).toEqual([]);
  });

  it('is asked for its births by a product that has just started, and goes on', async () => {
    await node.stop();
    node = await start();
    let silent = true;
    const { client, rebirths } = edge((one) => (silent ? undefined : births(one)));
    await until(() => node.broker.connections() === 1);
    // It does not know that it has to: as after a restart of the product behind a broker of its own.
    silent = false;
    client.publishDeviceData('dust', payload(byAlias(2, 0.41)));
    await until(() => rebirths.length > 0);
    expect(rebirths).toEqual([{ name: 'Node Control/Rebirth', value: true }]);
    client.publishDeviceData('dust', payload(byAlias(2, 0.42)));
    await until(async () => (await values('dust-01/TSP')).includes(0.42));
    const [entry] = await node.ingest.quarantine.list({ limit: 1 });
    const topic = 'spBv1.0/plant/DDATA/edge/dust';
    expect(entry).toMatchObject({ reason: 'birth-missing', device: 'dust-01', topic });
    // With the birth, what came before it can be told.
    await node.ingest.rerun({ reason: 'birth-missing' }, 'ada');
    await until(async () => (await values('dust-01/TSP')).includes(0.41));
    client.publishDeviceData('dust', payload(byAlias(2, 0.43)));
    await until(async () => (await values('dust-01/TSP')).includes(0.43));
    expect(rebirths).toHaveLength(1);
  });

  it('dies with its devices when it is cut off: its will tells', async () => {
    const { client } = edge((one) => births(one, 0.77));
    const states = async () =>
      Promise.all(['edge-01', 'dust-01'].map(async (id) => (await node.ingest.status.of(id)).state));
    await until(async () => (await values('dust-01/TSP')).includes(0.77));
    expect(await states()).toEqual(['online', 'online']);
    const before = node.ingest.quarantine.total();
    (client as unknown as { client: { stream: { destroy(): void } } }).client.stream.destroy();
    await until(async () => (await states()).every((state) => state === 'gone'));
    expect(node.ingest.quarantine.total()).toBe(before);
  });

  it('is not let in with the will of another node', async () => {
    const { client } = edge(() => undefined, { username: 'other-01' });
    const error = await new Promise((resolve) => client.on('error', resolve));
    expect(error).toMatchObject({ code: 5 });
  });

  it('does not speak for another', async () => {
    const { client } = edge((one) => one.publishNodeBirth(payload(metric('TEMP', 'Double', 99))), {
      username: 'other-01',
      edgeNode: 'other',
    });
    await until(() => node.broker.connections() === 1);
    const before = node.ingest.quarantine.total();
    const raw = await connectAsync({
      host: '127.0.0.1',
      port: node.broker.port,
      username: 'other-01',
      password: 'other-secret',
    });
    await raw.publishAsync('spBv1.0/plant/NDATA/edge', Buffer.from('0801', 'hex'), { qos: 1 });
    expect(node.ingest.quarantine.total()).toBe(before + 1);
    const [entry] = await node.ingest.quarantine.list({ limit: 1 });
    expect(entry).toMatchObject({ reason: 'device-mismatch' });
    await raw.endAsync();
    client.stop();
  });

  it.each([
    ['edge-01', 'spBv1.0/plant/NCMD/edge', 0],
    ['edge-01', 'spBv1.0/plant/NCMD/edge/#', 0],
    ['edge-01', 'spBv1.0/plant/DCMD/edge/#', 0],
    ['edge-01', 'spBv1.0/plant/DCMD/edge/dust', 0],
    ['dust-01', 'spBv1.0/plant/DCMD/edge/dust', 0],
    ['dust-01', 'spBv1.0/plant/NCMD/edge', 128],
    ['dust-01', 'spBv1.0/plant/DCMD/edge/#', 128],
    ['edge-01', 'spBv1.0/plant/NCMD/other', 128],
    ['edge-01', 'spBv1.0/plant/NCMD/+', 128],
    ['edge-01', 'spBv1.0/plant/#', 128],
    ['edge-01', 'spBv1.0/#', 128],
    ['edge-01', 'spBv1.0/plant/NDATA/edge', 128],
    ['edge-01', 'spBv1.0/STATE/#', 128],
  ])('as %s may subscribe to %s: %i', async (username, filter, code) => {
    const options = { host: '127.0.0.1', port: node.broker.port, username };
    const client = await connectAsync({ ...options, password: `${username.replace('-01', '')}-secret` });
    const [grant] = await client.subscribeAsync(filter).catch(() => [{ qos: 128 }]);
    expect(grant?.qos).toBe(code);
    await client.endAsync();
  });
});

it('refuses forty thousand undeclared values in one message without holding up the others', async () => {
  const metrics = Array.from(
    { length: 40_000 },
    (_, i) => ({ name: `x${i}`, type: 'Int8', value: 1 }) as Metric,
  );
  const bytes = Buffer.from(sparkplug.encodePayload({ timestamp: moment(), metrics }));
  const message = {
    topic: 'spBv1.0/plant/NDATA/edge',
    payload: bytes,
    clientId: 'x',
    authenticatedDevice: 'edge-01',
  };
  expect(await node.ingest.accept(message)).toMatchObject({ outcome: 'quarantined', quarantined: 1 });
  const [entry] = await node.ingest.quarantine.list({ limit: 1 });
  expect(entry).toMatchObject({ reason: 'property-undeclared', detail: expect.stringContaining('x9') });
}, 5_000);

describe('nodes behind the broker of somebody else, who are not signed in here', () => {
  it('have a rate each', async () => {
    const own = await mkdtemp(join(tmpdir(), 'qianliyan-sparkplug-rate-'));
    const rate = { perS: 0.001, burst: 3 };
    const behind = await startIngestNode({ folder: own, devices: DEVICES, ingest: { rate } });
    const say = (topic: string) =>
      behind.ingest.accept({ topic, payload: Buffer.alloc(0), clientId: null, authenticatedDevice: null });
    const reasons: unknown[] = [];
    for (let i = 0; i < 4; i++) reasons.push((await say('spBv1.0/plant/NDATA/edge')).reason);
    expect(reasons).toEqual([null, null, null, 'rate-limited']);
    expect((await say('spBv1.0/plant/NDATA/other')).reason).toBeNull();
    await behind.stop();
    await rm(own, { recursive: true });
  });
});

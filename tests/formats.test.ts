import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { encode } from 'cbor2';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { type ObservationRecord, TOPICS } from '../contracts/index.ts';

/**
 * The formats of docs/devices.md from the outside: Debian's mosquitto_pub (package mosquitto-clients) publishes with a
 * password, and what the series store holds afterwards counts.
 */

const run = promisify(execFile);
const SITE = { template: 'dust', site: 'my-site', location: [123.41, 41.8] };
let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-formats-'));
  node = await startIngestNode({
    folder,
    broker: { allowAnonymous: false },
    devices: [
      { id: 'dust-1', password: 'dust-1-secret', ...SITE },
      { id: 'gw-1', password: 'gw-1-secret', ...SITE },
      { id: 'dust-2', gateway: 'gw-1', addresses: ['senml:urn:dev:mac:0024befffe804ff1'], ...SITE },
      { id: 'dust-3', gateway: 'gw-1', addresses: ['line:probe three'], ...SITE },
      { id: 'dust-4', ...SITE },
    ],
  });
});

afterAll(async () => {
  await node?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** Ends when the broker has acknowledged. */
async function publish(user: string, topic: string, payload: string | Buffer): Promise<void> {
  const file = join(folder, 'payload');
  await writeFile(file, payload);
  const signIn = ['-h', '127.0.0.1', '-p', String(node.broker.port), '-u', user, '-P', `${user}-secret`];
  await run('mosquitto_pub', [...signIn, '-q', '1', '-t', topic, '-f', file]);
}

/** What the stream holds, which is where it is durable. */
async function records(): Promise<ObservationRecord[]> {
  const found: ObservationRecord[] = [];
  for (const { partition, first } of await node.stream.ends(TOPICS.observations)) {
    const stored = await node.stream.read(TOPICS.observations, partition, first, 10_000);
    found.push(...stored.map(({ value }) => decodeRecord<ObservationRecord>(value)));
  }
  return found;
}

/** The observations of a device, in the order in which they came. */
async function observed(device: string) {
  return (await records()).flatMap((record) => {
    if (record.type !== 'observations' || record.device !== device) return [];
    const { source } = record;
    return record.observations.map(({ datastream, time, value }) => ({ datastream, time, value, source }));
  });
}

/** Some seconds ago, at a full second, later with each call. */
let seconds = Math.floor(Date.now() / 1_000) - 500;
function nextSecond(): number {
  seconds += 1;
  return seconds;
}

describe('a device', () => {
  it('speaks SenML in JSON, in CBOR, and in both with gzip', async () => {
    const times = [nextSecond(), nextSecond(), nextSecond(), nextSecond()];
    const pack = (bt: number, v: number) => [{ bn: 'dust-1/', bt, n: 'TSP', u: 'mg/m3', v }];
    await publish('dust-1', 'v1/devices/dust-1/senml', JSON.stringify(pack(times[0]!, 1)));
    await publish('dust-1', 'v1/devices/dust-1/senml', Buffer.from(encode(pack(times[1]!, 2))));
    await publish('dust-1', 'v1/devices/dust-1/senml', gzipSync(JSON.stringify(pack(times[2]!, 3))));
    await publish('dust-1', 'v1/devices/dust-1/senml', gzipSync(encode(pack(times[3]!, 4))));
    const wanted = times.map((time, i) => ({
      datastream: 'dust-1/TSP',
      time: time * 1_000,
      value: i + 1,
      source: 'senml',
    }));
    expect(await observed('dust-1')).toEqual(wanted);
  });

  it('is told by its unit when it measures in another one', async () => {
    const pack = [{ bn: 'dust-1/', bt: nextSecond(), n: 'TSP', u: 'kg/m3', v: 1 }];
    await publish('dust-1', 'v1/devices/dust-1/senml', JSON.stringify(pack));
    const [entry] = await node.ingest.quarantine.list({ limit: 1 });
    expect(entry).toMatchObject({ reason: 'unit-mismatch', device: 'dust-1' });
  });

  it('speaks line protocol; of two lines the broken one is refused by line and column', async () => {
    const time = nextSecond();
    await publish(
      'dust-1',
      'v1/devices/dust-1/line',
      `air TSP=0.5 ${time}000000000\nair PM10= ${time}000000000\n`,
    );
    expect((await observed('dust-1')).at(-1)).toEqual({
      datastream: 'dust-1/TSP',
      time: time * 1_000,
      value: 0.5,
      source: 'line-protocol',
    });
    const [entry] = await node.ingest.quarantine.list({ limit: 1 });
    expect(entry).toMatchObject({ reason: 'malformed', device: 'dust-1' });
    expect(entry?.detail).toContain('line 2, column 10');
  });

  it('says by its last will that it is offline', async () => {
    const before = node.ingest.quarantine.total();
    const client = await connectAsync({
      port: node.broker.port,
      host: '127.0.0.1',
      username: 'dust-1',
      password: 'dust-1-secret',
      reconnectPeriod: 0,
      will: { topic: 'v1/devices/dust-1/status', payload: Buffer.from('offline'), qos: 1, retain: false },
    });
    await client.publishAsync('v1/devices/dust-1/status', 'online', { qos: 1 });
    client.stream.destroy();
    await client.endAsync(true);
    expect(await deviceEvent('dust-1', 'gone')).toBe(true);
    expect(node.ingest.quarantine.total()).toBe(before);
  });
});

describe('a gateway', () => {
  it('sends one SenML pack, and one message of Telegraf, for the devices behind it', async () => {
    const time = nextSecond();
    const pack = [
      { bn: 'urn:dev:mac:0024befffe804ff1_', bt: time, n: 'TSP', v: 2 },
      { bn: 'dust-3/', n: 'TSP', v: 3 },
    ];
    await publish('gw-1', 'senml/gw-1', JSON.stringify(pack));
    const lines = [2, 3].map((n) => {
      const device = n === 2 ? 'dust-2' : 'probe\\ three';
      return `modbus,device=${device},host=edge PM10=${n * 10}i ${time}000000000`;
    });
    await publish('gw-1', 'telegraf/edge/modbus', `${lines.join('\n')}\n`);
    const values = async (device: string) =>
      (await observed(device)).map((o) => [o.datastream, o.value, o.source]);
    expect(await values('dust-2')).toEqual([
      ['dust-2/TSP', 2, 'senml'],
      ['dust-2/PM10', 20, 'line-protocol'],
    ]);
    expect(await values('dust-3')).toEqual([
      ['dust-3/TSP', 3, 'senml'],
      ['dust-3/PM10', 30, 'line-protocol'],
    ]);
  });

  it('cannot speak for a device that does not name it, while its own part is taken', async () => {
    const pack = [
      { bn: 'dust-4/', bt: nextSecond(), n: 'TSP', v: 4 },
      { bn: 'dust-2/', n: 'TSP', v: 5 },
    ];
    await publish('gw-1', 'senml/gw-1', JSON.stringify(pack));
    expect(await observed('dust-4')).toEqual([]);
    expect((await observed('dust-2')).at(-1)).toMatchObject({ value: 5 });
    const [entry] = await node.ingest.quarantine.list({ reason: 'device-mismatch', limit: 1 });
    expect(entry).toMatchObject({ device: 'gw-1' });
    expect(entry?.detail).toContain('dust-4');
  });

  it('is told of lines that name no device', async () => {
    await publish('gw-1', 'telegraf/edge/cpu', 'cpu usage=3\ncpu,device=dust-2 TSP=1,x="text"');
    const entries = await node.ingest.quarantine.list({ limit: 3 });
    const said = entries.map(({ reason, detail }) => `${reason}: ${detail}`);
    expect(said).toContainEqual(expect.stringMatching(/^schema: line 1: no tag device/));
    expect(said).toContainEqual(expect.stringMatching(/^property-undeclared: line 2, field "x"/));
  });
});

async function deviceEvent(device: string, event: string): Promise<boolean> {
  for (let i = 0; i < 200; i += 1) {
    const found = (await records()).some(
      (record) => record.type === 'device' && record.device === device && record.event === event,
    );
    if (found) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}

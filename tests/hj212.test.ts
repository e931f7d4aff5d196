import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wallClock } from '../backbone/index.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { type Hj212Gateway, Hj212GatewayConfig, startHj212Gateway } from '../devices/hj212-gateway/index.ts';
import {
  frameOf,
  HostReader,
  loadDevices,
  loadMn,
  realtimeText,
  runLoad,
  stamp,
} from '../simulator/index.ts';

/** HJ 212 from the socket to the series store, on the real embedded stores: gateway, codec, ingest. */

const DEVICES = 50;
const SECOND = 1_000;
let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;
let gateway: Hj212Gateway;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-hj212-'));
  await open();
});
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true });
});

async function open(): Promise<void> {
  node = await startIngestNode({ folder, devices: loadDevices(DEVICES, { protocol: 'hj212' }) });
  gateway = await startHj212Gateway(Hj212GatewayConfig.parse({ port: 0 }), {
    directory: node.registry,
    accept: (message) => node.ingest.accept(message),
    session: (device, event) => void node.ingest.session(device, event),
    clock: wallClock,
    log: pino({ level: 'silent' }),
    metrics: new Metrics(),
    utcOffsetMs: 8 * 3_600_000,
  });
}

async function close(): Promise<void> {
  await gateway.stop();
  await node.stop();
}

async function eventually<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const value = await read();
    if (wanted(value)) return value;
    await pause(25);
  }
  return read();
}

/** Sends what is given, and collects the CN of what is answered. */
async function converse(...frames: Buffer[]): Promise<{ socket: Socket; heard: string[] }> {
  const socket = connect(gateway.port, '127.0.0.1');
  const reader = new HostReader();
  const heard: string[] = [];
  socket.on('data', (chunk) => {
    for (const { head } of reader.push(chunk)) heard.push(`${head.get('CN')} ${head.get('QN')}`);
  });
  for (const frame of frames) socket.write(frame);
  return { socket, heard };
}

let lastQn = Date.now();
function segment(cn: string, cp: string, n = 1, flag = 5): { qn: string; text: string } {
  const qn = stamp(++lastQn, 17);
  return { qn, text: `QN=${qn};ST=39;CN=${cn};PW=123456;MN=${loadMn(n)};Flag=${flag};CP=&&${cp}&&` };
}

describe('HJ 212 over TCP', () => {
  it('is in the series store after its 9014, with the standard’s data flag as quality', async () => {
    // In the past: the load of another test says something else of the same second.
    const time = Math.floor(Date.now() / SECOND) * SECOND - 30 * SECOND;
    const { qn, text } = segment(
      '2011',
      `DataTime=${stamp(time)};a34002-Rtd=62.7,a34002-Flag=N;a34004-Rtd=8,a34004-Flag=D`,
    );
    const { socket, heard } = await converse(frameOf(text));
    await eventually(
      async () => heard.length,
      (n) => n > 0,
    );
    expect(heard).toEqual([`9014 ${qn}`]);
    const read = (property: string) => () =>
      node.series.range({ datastream: `load-00001/${property}`, from: time, to: time + 1 });
    const [pm10] = await eventually(read('PM10'), (points) => points.length > 0);
    expect(pm10).toMatchObject({ time, value: 62.7, quality: 'valid' });
    expect((await read('PM2.5')())[0]).toMatchObject({ value: 8, quality: 'fault' });
    socket.destroy();
  });

  it('keeps what is broken in quarantine by its reason, and answers what is durable there', async () => {
    const before = node.ingest.quarantine.total();
    const now = Math.floor(Date.now() / SECOND) * SECOND;
    const bad = Buffer.from(frameOf(segment('2011', realtimeText(loadMn(2), now), 2).text));
    bad[60] = (bad[60] ?? 0) ^ 1;
    const stranger = segment('2011', `DataTime=${stamp(now)};a34002-Rtd=1`).text.replace(
      loadMn(1),
      'STRANGER',
    );
    const future = segment('2011', realtimeText(loadMn(2), now + 7 * 86_400_000), 2);
    const { socket, heard } = await converse(
      Buffer.from('\x16\x03\x01 not a frame\r\n'),
      bad,
      frameOf(stranger),
      frameOf(future.text),
    );
    await eventually(
      async () => node.ingest.quarantine.total(),
      (n) => n >= before + 4,
    );
    const entries = await node.ingest.quarantine.list({ limit: 10 });
    const reasons = new Set(entries.map((e) => e.reason));
    expect([...reasons]).toEqual(
      expect.arrayContaining(['malformed', 'crc-mismatch', 'device-unknown', 'time-future']),
    );
    await eventually(
      async () => heard.length,
      (n) => n === 2,
    );
    expect(heard.map((h) => h.slice(0, 4))).toEqual(['9014', '9014']);
    expect(heard[1]).toBe(`9014 ${future.qn}`);
    socket.destroy();
  });

  it('repeats are answered again and stored once; other content under the same QN is an event', async () => {
    const now = Math.floor(Date.now() / SECOND) * SECOND - 60_000;
    const one = segment('2011', `DataTime=${stamp(now)};a34002-Rtd=10.0,a34002-Flag=N`, 3);
    const other = one.text.replace('10.0', '99.0');
    const before = await node.ingest.counts();
    const { socket, heard } = await converse(frameOf(one.text));
    await eventually(
      async () => heard.length,
      (n) => n === 1,
    );
    socket.write(frameOf(one.text));
    await eventually(
      async () => heard.length,
      (n) => n === 2,
    );
    socket.write(frameOf(other));
    await eventually(
      async () => heard.length,
      (n) => n === 3,
    );
    const after = await node.ingest.counts();
    expect(after.observations.acknowledged - before.observations.acknowledged).toBe(1);
    const [entry] = await node.ingest.quarantine.list({ limit: 1 });
    expect(entry).toMatchObject({ reason: 'duplicate-conflict', device: 'load-00003' });
    socket.destroy();
  });

  it('in = out: what the load counts as acknowledged is stored, also over a restart of everything', async () => {
    // What came before has to be at rest: it is stored a moment after it was answered.
    const rest = await eventually(
      () => node.count(),
      (c) => c.pending === 0,
    );
    const before = rest.stored;
    const load = { protocol: 'hj212', devices: DEVICES, rate: 40, connections: 5 } as const;
    const first = await runLoad({ ...load, seconds: 2, address: `127.0.0.1:${gateway.port}` });
    await close();
    await open();
    const second = await runLoad({ ...load, seconds: 1, address: `127.0.0.1:${gateway.port}` });
    expect([first.failed, second.failed]).toEqual([0, 0]);
    const values = 3 * (first.acknowledged + second.acknowledged);
    const counts = await eventually(
      () => node.count(),
      (c) => c.stored >= before + values,
    );
    expect(counts.stored - before).toBe(values);
    expect(counts.missing).toBe(0);
  });
});

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Aedes } from 'aedes';
import { afterEach, describe, expect, it } from 'vitest';
import { districtDevices } from '../district/index.ts';
import { type Dispatch, playFleet } from '../fleet.ts';
import { demoScenario, type Scenario } from '../scenarios/index.ts';
import { MINUTE } from '../time.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './index.ts';

const ORIGIN = Date.parse('2026-11-22T21:40:00+08:00');
const devices = districtDevices();
const quiet: Scenario = { name: 'quiet', happenings: [] };
const silentLog = { info: () => {}, warn: () => {} } as unknown as SimulatorOptions['log'];

interface Broker {
  url: string;
  port: number;
  received: { client: string; topic: string; payload: Buffer }[];
  logins: { client: string; user: string | undefined; password: string | undefined }[];
  gone: string[];
  /** While true, no publish is acknowledged. */
  hold: boolean;
  stop(): Promise<void>;
}

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop();
});

/** A real broker on a real socket: aedes, and what it saw. */
async function broker(port = 0): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  const seen: Broker = { url: '', port: 0, received: [], logins: [], gone: [], hold: false, stop };
  aedes.authenticate = (client, user, password, done) => {
    seen.logins.push({ client: client.id, user, password: password?.toString() });
    done(null, true);
  };
  aedes.authorizePublish = (client, packet, done) => {
    if (seen.hold) return;
    seen.received.push({ client: client?.id ?? '', topic: packet.topic, payload: packet.payload as Buffer });
    done(null);
  };
  aedes.on('clientDisconnect', (client) => seen.gone.push(client.id));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  seen.port = (server.address() as AddressInfo).port;
  seen.url = `mqtt://127.0.0.1:${seen.port}`;
  open.push(seen);
  let stopped = false;
  async function stop() {
    if (stopped) return;
    stopped = true;
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
  }
  return seen;
}

function simulate(brokerUrl: string, more: Partial<SimulatorOptions>): Simulator {
  const simulator = startSimulator({
    brokerUrl,
    devices,
    scenario: quiet,
    seed: 1,
    clock: { origin: ORIGIN, speed: 1200, startedAt: Date.now() },
    log: silentLog,
    ...more,
  });
  open.push(simulator);
  return simulator;
}

async function waitFor(what: () => boolean): Promise<void> {
  while (!what()) await sleep(10);
}

const key = (topic: string, payload: Buffer) => `${topic} ${payload.toString()}`;
/** What the generator says these devices send in the first `minutes`, once each. */
function expected(only: string[], minutes: number, scenario = quiet): string[] {
  const fleet = playFleet(
    devices.filter((d) => only.includes(d.id)),
    { seed: 1, happenings: scenario.happenings },
    ORIGIN,
    ORIGIN + minutes * MINUTE,
  );
  const readings = (d: Dispatch) => (d.type === 'readings' && !d.repeat ? [key(d.topic, d.payload)] : []);
  return [...fleet].flatMap(readings);
}

describe('the live simulator', () => {
  it('sends each device through its own client, the very bytes of the generator, all acknowledged', async () => {
    const b = await broker();
    const only = ['dust-01', 'noise-02', 'river-01'];
    const simulator = simulate(b.url, { only, credentials: { 'dust-01': 's3cret' } });
    const wanted = expected(only, 10);
    await waitFor(() => b.received.length > wanted.length + 30);
    await simulator.stop();

    expect(b.logins.map((l) => l.client).sort()).toEqual(only);
    expect(b.logins.find((l) => l.client === 'dust-01')).toMatchObject({
      user: 'dust-01',
      password: 's3cret',
    });
    expect(b.logins.find((l) => l.client === 'noise-02')).toMatchObject({
      user: undefined,
      password: undefined,
    });
    expect(b.received.filter((m) => m.topic !== `v1/devices/${m.client}/observations`)).toEqual([]);
    const got = new Set(b.received.map((m) => key(m.topic, m.payload)));
    expect(wanted.filter((w) => !got.has(w))).toEqual([]);
    const stats = simulator.stats();
    expect(stats.acknowledged).toBe(stats.published);
    expect(stats.observations.acknowledged).toBe(stats.observations.published);
    expect(stats.published).toBe(b.received.length);
  });

  it('remembers when it published what: wall time, not simulated time', async () => {
    const b = await broker();
    const before = Date.now();
    const simulator = simulate(b.url, { only: ['river-02'] });
    await waitFor(() => b.received.length > 5);
    const { time } = JSON.parse(b.received[0]!.payload.toString()) as { time: string };
    const at = simulator.publishedAt('river-02', Date.parse(time))!;
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
    expect(simulator.publishedAt('river-02', ORIGIN - 1)).toBeUndefined();
  });

  it('sends again what a broker took without acknowledging before it died, and leaves no gap', async () => {
    const first = await broker();
    const only = ['noise-01', 'river-01'];
    const simulator = simulate(first.url, { only });
    await waitFor(() => first.received.length > 20);
    first.hold = true;
    await waitFor(() => simulator.stats().published > first.received.length + 20);
    await first.stop();
    await sleep(100);
    const second = await broker(first.port);
    const wanted = expected(only, 20);
    const missing = () => {
      const got = new Set([...first.received, ...second.received].map((m) => key(m.topic, m.payload)));
      return wanted.filter((w) => !got.has(w));
    };
    // Time goes on long past those 20 minutes, so that only what was lost for good can still be missing.
    const last = (client: string) => second.received.filter((m) => m.client === client).length;
    await waitFor(() => missing().length === 0 || only.every((client) => last(client) > 300));
    expect(missing()).toEqual([]);
    await simulator.stop();
    expect(simulator.stats().acknowledged).toBe(simulator.stats().published);
    expect(simulator.stats().refused).toBe(0);
  });

  it('holds only a window of messages while the broker is away, and catches up with the times unchanged', async () => {
    const b = await broker();
    b.hold = true;
    const simulator = simulate(b.url, {
      only: ['river-01'],
      clock: { origin: ORIGIN, speed: 20_000, startedAt: Date.now() },
    });
    await waitFor(() => simulator.stats().published >= 100);
    await sleep(200);
    expect(simulator.stats()).toMatchObject({ published: 100, acknowledged: 0 });
    await b.stop();
    const again = await broker(b.port);
    await waitFor(() => again.received.length > 500);
    const got = new Set(again.received.map((m) => key(m.topic, m.payload)));
    expect(expected(['river-01'], 60).filter((w) => !got.has(w))).toEqual([]);
  });

  it('cuts the line of a device that loses its power, without a farewell, and takes it up later', async () => {
    const b = await broker();
    const scenario: Scenario = {
      name: 'cut',
      happenings: [
        {
          id: 'cut',
          device: 'noise-06',
          does: 'power-cut',
          from: ORIGIN + 10 * MINUTE,
          to: ORIGIN + 30 * MINUTE,
        },
      ],
    };
    const simulator = simulate(b.url, { only: ['noise-06'], scenario });
    await waitFor(() => b.received.length > 60);
    await simulator.stop();
    expect(b.logins.length).toBe(2);
    const times = b.received.map((m) => Date.parse(JSON.parse(m.payload.toString()).time));
    expect(times.filter((t) => t >= ORIGIN + 10 * MINUTE && t < ORIGIN + 30 * MINUTE)).toEqual([]);
    expect(simulator.truth).toMatchObject([{ kind: 'device-silent', device: 'noise-06', unit: 'u-eco' }]);
  });

  it('sends pictures as JPEG under the time they were taken, and keeps the readings going meanwhile', async () => {
    const b = await broker();
    const simulator = simulate(b.url, {
      only: ['cam-01', 'river-01'],
      scenario: demoScenario(ORIGIN, devices),
      clock: { origin: ORIGIN, speed: 60, startedAt: Date.now() },
    });
    const pictures = () => b.received.filter((m) => m.client === 'cam-01');
    await waitFor(() => pictures().length >= 3);
    await simulator.stop();
    for (const { topic, payload } of pictures()) {
      expect(topic).toMatch(/^v1\/devices\/cam-01\/frames\/\d{13}$/);
      expect(payload.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    }
    const times = pictures().map((m) => Number(m.topic.split('/').at(-1)));
    expect(times.map((t) => t - times[0]!)).toEqual(times.map((_, i) => i * MINUTE));
    expect(b.received.filter((m) => m.client === 'river-01').length).toBeGreaterThan(10);
    expect(simulator.stats().pictures).toMatchObject({ acknowledged: times.length, unpainted: 0 });
  });

  it('ends in time when there is no broker at all', async () => {
    const gone = await broker();
    await gone.stop();
    const simulator = simulate(gone.url, { only: ['dust-01'] });
    await sleep(100);
    await simulator.stop();
    expect(simulator.stats()).toMatchObject({ published: 0, acknowledged: 0, refused: 0 });
  });
});

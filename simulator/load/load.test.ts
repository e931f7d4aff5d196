import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { afterEach, describe, expect, it } from 'vitest';
import { Device, NativeMessage } from '../../contracts/index.ts';
import { HostReader } from '../hj212/index.ts';
import {
  type LoadResult,
  loadDeviceId,
  loadDevices,
  loadFrame,
  loadMn,
  loadPayload,
  runLoad,
} from './index.ts';
import { startMeter } from './report.ts';

const servers: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(handle: (socket: Socket) => void): Promise<{ address: string; dropAll: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    handle(socket);
  });
  servers.push({ server, sockets });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, dropAll: () => [...sockets].map((socket) => socket.destroy()) };
}

describe('the load over MQTT', () => {
  const broker = async () => {
    const aedes = await Aedes.createBroker();
    const seen = new Map<string, number[]>();
    aedes.on('publish', (packet, client) => {
      if (!client) return;
      const times = seen.get(packet.topic) ?? [];
      seen.set(packet.topic, times);
      times.push(NativeMessage.parse(JSON.parse(packet.payload.toString())).time);
    });
    return { aedes, seen, ...(await serve(aedes.handle)) };
  };

  it('keeps the rate over few connections and counts what a real broker acknowledged', async () => {
    const { aedes, seen, address } = await broker();
    const progress: LoadResult[] = [];
    const result = await runLoad({
      address: `mqtt://${address}`,
      devices: 30,
      rate: 400,
      seconds: 1.5,
      connections: 4,
      onProgress: (p) => progress.push(p),
    });
    expect(result).toMatchObject({ published: result.acknowledged, failed: 0, resent: 0, reconnects: 0 });
    // The pace is kept from the start on; what the last step was due is at most one step short.
    expect(result.published).toBeGreaterThan(400);
    expect(result.published).toBeLessThanOrEqual(600);
    expect([...seen.keys()].sort()).toEqual(
      Array.from({ length: 30 }, (_, i) => `v1/devices/${loadDeviceId(i + 1)}/observations`),
    );
    expect([...seen.values()].every((times) => times.every((t, i) => i === 0 || t > times[i - 1]!))).toBe(
      true,
    );
    expect(progress.length).toBeGreaterThan(0);
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
  });

  it('sends again what was not acknowledged when the broker dies: all of it arrives, the same bytes', async () => {
    const { aedes, seen, address, dropAll } = await broker();
    const dying = setInterval(dropAll, 300);
    const result = await runLoad({ address, devices: 20, rate: 2_000, seconds: 1.2, connections: 3 }).finally(
      () => clearInterval(dying),
    );
    expect(result.failed).toBe(0);
    expect(result.reconnects).toBeGreaterThan(0);
    const different = [...seen.values()].map((times) => new Set(times).size);
    expect(different.reduce((a, b) => a + b, 0)).toBe(result.acknowledged);
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
  });

  it('says why it is not let in, and does not try for ever', async () => {
    const { address } = await serve((socket) =>
      socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 5]))),
    );
    const load = { address, devices: 1, rate: 1, seconds: 1, connections: 2 };
    await expect(runLoad(load)).rejects.toThrow(/CONNACK code 5.*allowAnonymous/);
    await expect(runLoad({ ...load, address: '127.0.0.1:1' })).rejects.toThrow(/ECONNREFUSED/);
  });

  it('signs in as the gateways of its list', async () => {
    const names: string[] = [];
    const aedes = await Aedes.createBroker({
      authenticate: (_client, username, password, done) => {
        names.push(`${username} ${password}`);
        done(null, true);
      },
    });
    const { address } = await serve(aedes.handle);
    const credentials = { password: 'long enough' };
    await runLoad({ address, devices: 4, rate: 50, seconds: 0.2, connections: 2, credentials });
    expect(names.sort()).toEqual(['load-gateway-001 long enough', 'load-gateway-002 long enough']);
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
  });
});

describe('the load over HJ 212', () => {
  /** A gateway that answers each frame; `deaf` of them not at their first sending. */
  const gateway = (deaf: (mn: string) => boolean, seen: Map<string, number>) => (socket: Socket) => {
    const reader = new HostReader();
    socket.on('data', (chunk) => {
      for (const { head } of reader.push(chunk)) {
        const key = `${head.get('MN')}/${head.get('QN')}`;
        const times = (seen.get(key) ?? 0) + 1;
        seen.set(key, times);
        if (times === 1 && deaf(head.get('MN') ?? '')) continue;
        const segment = `QN=${head.get('QN')};ST=91;CN=9014;PW=123456;MN=${head.get('MN')};Flag=4;CP=&&&&`;
        socket.write(frame(segment));
      }
    });
  };
  const frame = (segment: string) => {
    const bare = Buffer.from(segment);
    let register = 0xffff;
    for (const byte of bare) {
      register = (register >> 8) ^ byte;
      for (let i = 0; i < 8; i++) register = register & 1 ? (register >> 1) ^ 0xa001 : register >> 1;
    }
    return `##${String(bare.length).padStart(4, '0')}${segment}${register.toString(16).toUpperCase().padStart(4, '0')}\r\n`;
  };

  it('counts 9014s by device and QN, and never sends one twice without need', async () => {
    const seen = new Map<string, number>();
    const { address } = await serve(gateway(() => false, seen));
    const result = await runLoad({
      protocol: 'hj212',
      address,
      devices: 300,
      rate: 200,
      seconds: 1.2,
      connections: 3,
    });
    expect(result).toMatchObject({ published: seen.size, acknowledged: seen.size, failed: 0, resent: 0 });
    expect(seen.size).toBeGreaterThan(100);
  });

  it('sends the same frame again over a new connection', async () => {
    const seen = new Map<string, number>();
    const { address, dropAll } = await serve(gateway((mn) => mn.endsWith('7'), seen));
    const dying = setTimeout(dropAll, 600);
    const result = await runLoad({
      protocol: 'hj212',
      address,
      devices: 300,
      rate: 200,
      seconds: 1,
      connections: 2,
      patienceS: 0.5,
    }).finally(() => clearTimeout(dying));
    expect(result.resent).toBeGreaterThan(0);
    // Those of the last part wait for their turn, ten seconds away; patience was shorter.
    expect(result.failed).toBeGreaterThan(0);
    expect(result.acknowledged + result.failed).toBe(seen.size);
  });

  it('refuses a rate that DataTime cannot tell apart', async () => {
    const load = {
      protocol: 'hj212',
      address: 'x:1',
      devices: 10,
      rate: 11,
      seconds: 1,
      connections: 1,
    } as const;
    await expect(runLoad(load)).rejects.toThrow(RangeError);
  });
});

describe('what the load sends', () => {
  it('comes from devices that the registry takes, in messages of about 200 bytes that fit them', () => {
    const devices = loadDevices(120).map((d) => Device.parse(d));
    expect(devices.at(-1)?.id).toBe('load-00120');
    for (let n = 0; n < 100; n++) {
      const payload = loadPayload(n, 1_795_000_000_000 + n);
      expect(payload.length).toBeGreaterThan(180);
      expect(payload.length).toBeLessThan(220);
      const { readings } = NativeMessage.parse(JSON.parse(payload));
      expect(Object.keys(readings)).toEqual(devices[0]!.datastreams.map((d) => d.property));
    }
  });

  it('over HJ 212 is found by MN, with units that are stated', () => {
    const [device] = loadDevices(1, { protocol: 'hj212' }).map((d) => Device.parse(d));
    expect(device?.addresses).toEqual([`hj212:${loadMn(1)}`]);
    expect(device?.hj212?.factors.a34002).toEqual({ property: 'PM10', unit: 'ug/m3' });
    const text = loadFrame(0, 1_795_000_000_000, 1_795_000_000_123).toString();
    expect(text).toMatch(
      /^##0\d{3}QN=20261118190640123;ST=39;CN=2011;PW=123456;MN=LOAD0000000001;Flag=5;CP=&&DataTime=20261118190640;a34002-Rtd=[\d.]+,a34002-Flag=N;.*&&[0-9A-F]{4}\r\n$/,
    );
    expect(loadFrame(0, 1_795_000_000_000, 1_795_000_000_123).toString()).toBe(text);
  });

  it('is delivered by gateways where connections sign in', () => {
    const rows = loadDevices(5, { signIn: { password: 'long enough', connections: 2 } });
    expect(rows.map((d) => [d.id, d.gateway ?? null, d.password ?? null])).toEqual([
      ['load-gateway-001', null, 'long enough'],
      ['load-gateway-002', null, 'long enough'],
      ['load-00001', 'load-gateway-001', null],
      ['load-00002', 'load-gateway-002', null],
      ['load-00003', 'load-gateway-001', null],
      ['load-00004', 'load-gateway-002', null],
      ['load-00005', 'load-gateway-001', null],
    ]);
  });
});

describe('the meter', () => {
  it('gives percentiles of all acknowledgements within 2 %', () => {
    let now = 0;
    const meter = startMeter(() => now);
    for (let i = 1; i <= 10_000; i++) {
      meter.published();
      meter.acknowledged(i / 10);
    }
    now = 2_000;
    meter.published();
    meter.acknowledged(0);
    const { ackMs, ...rest } = meter.result();
    expect(rest).toMatchObject({
      seconds: 2,
      published: 10_001,
      acknowledged: 10_001,
      failed: 0,
      ratePerS: 5_000.5,
    });
    expect(Math.abs(ackMs.p50 / 500 - 1)).toBeLessThan(0.025);
    expect(Math.abs(ackMs.p99 / 990 - 1)).toBeLessThan(0.025);
  });
});

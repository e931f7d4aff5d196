import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes } from 'aedes';
import { describe, expect, it } from 'vitest';
import { Device, NativeMessage } from '../contracts/index.ts';
import { type LoadResult, loadDeviceId, loadDevices, loadPayload, runLoad } from './load.ts';

describe('the load generator', () => {
  it('keeps the rate over few connections and counts what a real broker acknowledged', async () => {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const seen = new Map<string, number[]>();
    aedes.on('publish', (packet, client) => {
      if (!client) return;
      const times = seen.get(packet.topic) ?? [];
      seen.set(packet.topic, times);
      times.push(NativeMessage.parse(JSON.parse(packet.payload.toString())).time);
    });
    const progress: LoadResult[] = [];
    const result = await runLoad({
      brokerUrl: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
      devices: 30,
      rate: 400,
      seconds: 1.5,
      connections: 4,
      onProgress: (p) => progress.push(p),
    });
    expect(result).toMatchObject({ published: result.acknowledged, failed: 0 });
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
    await new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
  });

  it('has devices that the registry takes, and messages of about 200 bytes that fit them', () => {
    const devices = loadDevices(120).map((d) => Device.parse(d));
    expect(devices.at(-1)?.id).toBe('load-00120');
    for (let n = 0; n < 100; n++) {
      const payload = loadPayload(n, 1_795_000_000_000 + n);
      expect(payload.length).toBeGreaterThan(180);
      expect(payload.length).toBeLessThan(220);
      const { readings } = NativeMessage.parse(JSON.parse(payload.toString()));
      expect(Object.keys(readings)).toEqual(devices[0]!.datastreams.map((d) => d.property));
    }
  });
});

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { generate, parser } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wallClock } from '../backbone/index.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';

/** One device floods the real broker as fast as it can, twenty others go on as always: they must not notice. */

const OTHERS = 20;
const EACH = 5;
const IN_FLIGHT = 200;
/** What one read of a socket may bring beyond that: 64 KiB of messages of about 90 bytes. */
const ONE_READ = 800;

let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;
let clients: MqttClient[];
let clock = wallClock.now();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-babbler-'));
  const site = { template: 'noise', site: 's', location: [123.4, 41.8] };
  node = await startIngestNode({
    folder,
    broker: { maxInFlight: IN_FLIGHT },
    ingest: { rate: { perS: 5, burst: 100 }, quarantine: { maxEntries: 400 } },
    devices: Array.from({ length: OTHERS + 1 }, (_, i) => ({ id: `d-${i}`, ...site })),
  });
  const { port } = node.broker;
  clients = await Promise.all(
    Array.from({ length: OTHERS }, () => connectAsync({ port, host: '127.0.0.1', reconnectPeriod: 0 })),
  );
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync()));
  await node.stop();
  await rm(folder, { recursive: true });
});

/** Writes without end, as fast as its socket takes it, and counts its PUBACKs. */
async function babbler(payload: (n: number) => string) {
  const socket: Socket = connect({ host: '127.0.0.1', port: node.broker.port });
  const packets = parser();
  const state = { written: 0, acknowledged: 0, going: true };
  packets.on('packet', (packet) => {
    if (packet.cmd === 'puback') state.acknowledged += 1;
  });
  socket.on('data', (bytes) => packets.parse(bytes));
  socket.on('error', () => undefined);
  const hello = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 } as const;
  socket.write(generate({ cmd: 'connect', clientId: 'babbler', ...hello }));
  await once(socket, 'data');
  function babble(): void {
    while (state.going) {
      state.written += 1;
      const more = { qos: 1, messageId: (state.written % 65_535) + 1, dup: false, retain: false } as const;
      const topic = `v1/devices/d-${OTHERS}/observations`;
      if (socket.write(generate({ cmd: 'publish', topic, payload: payload(state.written), ...more })))
        continue;
      socket.once('drain', babble);
      return;
    }
  }
  babble();
  return { socket, state };
}

async function messagesSeen(): Promise<number> {
  const metric = await node.metrics.getSingleMetric('qianliyan_ingest_messages_total')?.get();
  return metric?.values[0]?.value ?? 0;
}

/** Each of the others, one message after the other; the last one is bad, and belongs in quarantine. */
async function othersGoOn(): Promise<void> {
  await Promise.all(
    clients.map(async (client, i) => {
      const topic = `v1/devices/d-${i}/observations`;
      for (let n = 0; n < EACH; n++) {
        const readings = { LAeq: n === EACH - 1 ? 9_999 : 50 };
        await client.publishAsync(topic, JSON.stringify({ time: clock + n, readings }), { qos: 1 });
      }
    }),
  );
  clock += EACH;
}

describe.each([
  ['that makes no sense', () => '<<<<<<<<<<<<<<<<<<<<<<<<<<<'],
  ['that is right', (n: number) => JSON.stringify({ time: clock - n, readings: { LAeq: 50 } })],
])('a device that floods with what %s', (_what, payload) => {
  it('holds up itself only, costs bounded memory, and pushes nobody else out of quarantine', async () => {
    const before = { seen: await messagesSeen(), stored: (await node.count()).acknowledged };
    const { socket, state } = await babbler(payload);
    await expect.poll(() => state.acknowledged, { timeout: 30_000 }).toBeGreaterThan(500);
    // This ends, although the flood does not.
    await othersGoOn();
    // What was read and not answered stays bounded: it would only grow if the flood were read as fast as it comes.
    const underWay = async () => (await messagesSeen()) - before.seen - OTHERS * EACH - state.acknowledged;
    await expect.poll(underWay, { timeout: 10_000 }).toBeLessThanOrEqual(IN_FLIGHT + ONE_READ);
    state.going = false;
    socket.destroy();
    for (let i = 0; i < OTHERS; i++) {
      const mine = await node.ingest.quarantine.list({
        limit: 10,
        device: `d-${i}`,
        reason: 'value-out-of-range',
      });
      expect(mine.length).toBeGreaterThan(0);
    }
    const { acknowledged, missing } = await node.count();
    expect(acknowledged - before.stored).toBeGreaterThanOrEqual(OTHERS * (EACH - 1));
    expect(missing).toBe(0);
    expect((await node.ingest.quarantine.summary()).open).toBe(400);
  }, 60_000);
});

describe('afterwards', () => {
  it('the flood that was right is in quarantine as rate-limited, beyond what is allowed at once', async () => {
    const { reasons } = await node.ingest.quarantine.summary();
    const limited = reasons.find((one) => one.reason === 'rate-limited')?.entered ?? 0;
    // 100 at once, then 5 a second, of more than twice 500.
    expect(limited).toBeGreaterThan(500);
  });
});

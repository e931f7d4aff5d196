import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes, type PublishPacket } from 'aedes';
import mqtt from 'mqtt';
import { generate, type Packet, parser } from 'mqtt-packet';
import { pino } from 'pino';
import { NativePayload } from '../../contracts/index.ts';
import { ExternalBrokerConfig, startExternalBroker } from '../../devices/external-broker/index.ts';
import { startIngestNode } from './ingest-node.ts';

/**
 * What is measured, in a process of its own, so that its CPU time is its own.
 *
 *   with a broker of its own:  `count` (aedes that only counts), `zod` (aedes, JSON.parse, the contract's schema, nothing
 *                              stored), `product` (decoded, validated, durable, acknowledged, in the series store)
 *   behind another broker:     `mqttjs` (mqtt.js that only counts), `net` (net and mqtt-packet that only count),
 *                              `external` (the product)
 *
 * Talks to the bench over IPC: the port to send to when it is ready, and on every word its CPU time and memory.
 */
export type ServerKind = 'count' | 'zod' | 'product' | 'mqttjs' | 'net' | 'external';

export interface Usage {
  /** User and system, all threads, since the process began. */
  cpuS: number;
  rssMb: number;
  /** Observations stored. */
  done: number;
}

interface Server {
  port: number;
  done(): Promise<number>;
  stop(): Promise<void>;
}

async function aedesServer(onMessage: (packet: PublishPacket) => void): Promise<Server> {
  let done = 0;
  const broker = await Aedes.createBroker({
    authorizePublish(_client, packet, callback) {
      onMessage(packet);
      done += 1;
      callback(null);
    },
  });
  const server = createServer((socket) => broker.handle(socket)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, done: async () => done, stop: async () => process.exit(0) };
}

async function productServer(brokerPort: number | null): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-bench-'));
  const devices = Array.from({ length: 50 }, (_, i) => ({
    id: `bench-${i}`,
    template: 'dust',
    site: 'bench',
    location: [123.4, 41.8],
  }));
  const rate = { perS: 1_000_000, burst: 10_000_000 };
  const node = await startIngestNode({ folder, devices, ingest: { rate } });
  const source = brokerPort === null ? null : readBroker(node, brokerPort);
  await source?.ready();
  return {
    port: brokerPort ?? node.broker.port,
    done: async () => (await node.ingest.counts()).observations.stored,
    async stop() {
      await source?.stop();
      await node.stop();
      await rm(folder, { recursive: true });
      process.exit(0);
    },
  };
}

function readBroker(node: Awaited<ReturnType<typeof startIngestNode>>, port: number) {
  return startExternalBroker(ExternalBrokerConfig.parse({ url: `mqtt://127.0.0.1:${port}` }), {
    accept: node.ingest.acceptInto,
    instanceId: 'bench',
    log: pino({ level: 'silent' }),
    metrics: node.metrics,
  });
}

const TOPICS_OF_ALL = 'v1/devices/#';
/** As the product's. */
const MAX_IN_FLIGHT = ExternalBrokerConfig.parse({ url: 'mqtt://127.0.0.1' }).maxInFlight;

async function mqttJsCounter(port: number): Promise<Server> {
  let done = 0;
  const properties = { receiveMaximum: MAX_IN_FLIGHT };
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, properties });
  client.on('message', () => {
    done += 1;
  });
  await client.subscribeAsync(TOPICS_OF_ALL, { qos: 1 });
  return { port, done: async () => done, stop: async () => process.exit(0) };
}

/** The least that a client can do: parse, count, acknowledge what came in one chunk with one write. */
async function netCounter(port: number): Promise<Server> {
  const socket = connectTcp({ host: '127.0.0.1', port, noDelay: true });
  const reader = parser({ protocolVersion: 5 });
  let done = 0;
  let ready: () => void = () => undefined;
  const subscribed = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const acks: Buffer[] = [];
  const send = (packet: Packet) => socket.write(generate(packet, { protocolVersion: 5 }));
  reader.on('packet', (packet: Packet) => {
    if (packet.cmd === 'publish') {
      done += 1;
      const id = packet.messageId ?? 0;
      acks.push(Buffer.from([0x40, 2, id >> 8, id & 0xff]));
    } else if (packet.cmd === 'connack') {
      send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: TOPICS_OF_ALL, qos: 1 }] });
    } else if (packet.cmd === 'suback') ready();
  });
  socket.on('data', (chunk: Buffer) => {
    reader.parse(chunk);
    if (acks.length > 0) socket.write(Buffer.concat(acks.splice(0)));
  });
  const hello = { protocolId: 'MQTT', protocolVersion: 5, clean: true, keepalive: 0 } as const;
  send({ cmd: 'connect', clientId: 'bench', ...hello, properties: { receiveMaximum: MAX_IN_FLIGHT } });
  await subscribed;
  return { port, done: async () => done, stop: async () => process.exit(0) };
}

function start(kind: ServerKind, brokerPort: number): Promise<Server> {
  if (kind === 'product') return productServer(null);
  if (kind === 'external') return productServer(brokerPort);
  if (kind === 'mqttjs') return mqttJsCounter(brokerPort);
  if (kind === 'net') return netCounter(brokerPort);
  if (kind === 'count') return aedesServer(() => undefined);
  return aedesServer((packet) => NativePayload.parse(JSON.parse(packet.payload.toString())));
}

async function usage(server: Server): Promise<Usage> {
  const { user, system } = process.cpuUsage();
  return {
    cpuS: (user + system) / 1e6,
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
    done: await server.done(),
  };
}

const server = await start(process.argv[2] as ServerKind, Number(process.argv[3]));
process.on('message', (word) => {
  if (word === 'stop') void server.stop();
  else void usage(server).then((now) => process.send?.(now));
});
process.send?.({ port: server.port });

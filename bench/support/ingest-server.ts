import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes, type PublishPacket } from 'aedes';
import { NativePayload } from '../../contracts/index.ts';
import { startIngestNode } from './ingest-node.ts';

/**
 * What is measured, in a process of its own, so that its CPU time is its own: `count` (aedes that only counts), `zod`
 * (aedes, JSON.parse, the contract's schema, nothing stored), `product` (decoded, validated, durable, acknowledged, in
 * the series store). Talks to the bench over IPC: `ready` with the port; on `begin` and `end` its CPU time and memory.
 */
export type ServerKind = 'count' | 'zod' | 'product';

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

async function productServer(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-bench-'));
  const devices = Array.from({ length: 50 }, (_, i) => ({
    id: `bench-${i}`,
    template: 'dust',
    site: 'bench',
    location: [123.4, 41.8],
  }));
  const rate = { perS: 1_000_000, burst: 10_000_000 };
  const node = await startIngestNode({ folder, devices, ingest: { rate } });
  return {
    port: node.broker.port,
    done: async () => (await node.ingest.counts()).observations.stored,
    async stop() {
      await node.stop();
      await rm(folder, { recursive: true });
      process.exit(0);
    },
  };
}

function start(kind: ServerKind): Promise<Server> {
  if (kind === 'product') return productServer();
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

const server = await start(process.argv[2] as ServerKind);
process.on('message', (word) => {
  if (word === 'stop') void server.stop();
  else void usage(server).then((now) => process.send?.(now));
});
process.send?.({ port: server.port });

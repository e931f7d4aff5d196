import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';

/**
 * Load for benches: plain sockets that write packets made beforehand and count PUBACKs by their length (four bytes
 * each), so that the generator costs next to nothing beside what is measured. Each connection keeps `window` messages
 * unacknowledged.
 */
export interface LoadOptions {
  port: number;
  connections: number;
  messages: number;
  window: number;
  /** Topic and payload of message number `i` of a connection. */
  message(connection: number, i: number): { topic: string; payload: string };
}

export interface Load {
  /** Sends all; resolves with the seconds until the last PUBACK. */
  run(): Promise<number>;
  close(): void;
}

export async function mqttLoad(options: LoadOptions): Promise<Load> {
  const perConnection = Math.floor(options.messages / options.connections);
  const lines = await Promise.all(
    Array.from({ length: options.connections }, async (_, c) => ({
      socket: await signIn(options.port, `load-${c}`),
      packets: Array.from({ length: perConnection }, (_, i) => packet(options.message(c, i), i)),
    })),
  );
  return {
    async run() {
      const begun = performance.now();
      await Promise.all(lines.map(({ socket, packets }) => send(socket, packets, options.window)));
      return (performance.now() - begun) / 1_000;
    },
    close() {
      for (const { socket } of lines) socket.destroy();
    },
  };
}

function packet({ topic, payload }: { topic: string; payload: string }, i: number): Buffer {
  const messageId = (i % 65_535) + 1;
  return generate({ cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain: false });
}

async function signIn(port: number, clientId: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const hello = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 } as const;
  socket.write(generate({ cmd: 'connect', clientId, ...hello }));
  const [connack] = await once(socket, 'data');
  if (connack[3] !== 0) throw new Error(`CONNACK code ${connack[3]}`);
  return socket;
}

/** Fills the window, then sends one for each that was acknowledged. */
function send(socket: Socket, packets: readonly Buffer[], window: number): Promise<void> {
  let sent = 0;
  let ackedBytes = 0;
  const fill = (upTo: number): void => {
    if (sent >= upTo) return;
    socket.write(Buffer.concat(packets.slice(sent, upTo)));
    sent = upTo;
  };
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the broker closed the connection')));
    socket.on('data', (bytes: Buffer) => {
      ackedBytes += bytes.length;
      const acked = ackedBytes >> 2;
      if (acked === packets.length) resolve();
      else fill(Math.min(packets.length, acked + window));
    });
    fill(Math.min(packets.length, window));
  });
}

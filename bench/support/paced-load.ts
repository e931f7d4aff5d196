import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { generate } from 'mqtt-packet';

/**
 * Very many devices that send at a steady rate over a few connections, as gateways do: device after device, each message
 * stamped with the moment at which it is written. Counts PUBACKs by their length (four bytes each).
 */
export interface PacedOptions {
  port: number;
  devices: number;
  /** Messages a second, of all devices. */
  rate: number;
  seconds: number;
  connections: number;
  message(device: number, time: number): { topic: string; payload: string };
}

export interface PacedResult {
  sent: number;
  acknowledged: number;
}

const TURN_MS = 10;
/** After the last message; what is not acknowledged by then is counted as such. */
const PATIENCE_MS = 10_000;

export async function pacedLoad(options: PacedOptions): Promise<PacedResult> {
  const { rate, seconds } = options;
  const sockets = await Promise.all(
    Array.from({ length: options.connections }, (_, i) => signIn(options.port, i)),
  );
  let ackedBytes = 0;
  for (const socket of sockets) socket.on('data', (bytes: Buffer) => (ackedBytes += bytes.length));
  const total = rate * seconds;
  const begun = performance.now();
  let sent = 0;
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1_000) * rate));
    send(options, sockets, sent, due);
    sent = due;
    await pause(TURN_MS);
  }
  const deadline = performance.now() + PATIENCE_MS;
  while (ackedBytes >> 2 < total && performance.now() < deadline) await pause(TURN_MS);
  for (const socket of sockets) socket.destroy();
  return { sent, acknowledged: ackedBytes >> 2 };
}

function send(options: PacedOptions, sockets: readonly Socket[], from: number, to: number): void {
  const { devices, connections } = options;
  const time = Date.now();
  const batches = new Map<number, Buffer[]>();
  for (let i = from; i < to; i++) {
    const device = i % devices;
    const line = device % connections;
    const packets = batches.get(line) ?? [];
    batches.set(line, packets);
    const messageId = (i % 65_535) + 1;
    const message = options.message(device, time);
    packets.push(generate({ cmd: 'publish', ...message, qos: 1, messageId, dup: false, retain: false }));
  }
  for (const [line, packets] of batches) sockets[line]?.write(Buffer.concat(packets));
}

async function signIn(port: number, i: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const hello = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 } as const;
  socket.write(generate({ cmd: 'connect', clientId: `paced-${i}`, ...hello }));
  const [connack] = await once(socket, 'data');
  if (connack[3] !== 0) throw new Error(`CONNACK code ${connack[3]}`);
  return socket;
}

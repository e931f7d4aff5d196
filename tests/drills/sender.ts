import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { generate, parser } from 'mqtt-packet';

/**
 * A device for drills: a plain MQTT 3.1.1 client on `mqtt-packet` that keeps its own books, so that what it counts as
 * acknowledged rests on a PUBACK and on nothing else. Packet ids are unique on a connection; after a broken one it
 * sends again all that is open, with DUP.
 */
export interface Sender {
  readonly device: string;
  /** Value by time, of messages for which a PUBACK came. */
  readonly acknowledged: ReadonlyMap<number, number>;
  /** Sends nothing new; resolves when all that was sent is acknowledged. */
  finish(): Promise<void>;
  abandon(): void;
}

const IN_FLIGHT = 20;
const RECONNECT_MS = 100;

interface Message {
  time: number;
  value: number;
  payload: string;
  sentBefore: boolean;
}

export function startSender(device: string, port: number, intervalMs = 5): Sender {
  const acknowledged = new Map<number, number>();
  const origin = Date.now();
  /** Sent and not acknowledged, oldest first. */
  const open = new Set<Message>();
  /** What a packet id stands for on the present connection. */
  let byId = new Map<number, Message>();
  let nextId = 1;
  let sent = 0;
  let socket: Socket | null = null;
  let sending = true;
  let abandoned = false;

  function publish(message: Message): void {
    if (socket === null) return;
    const messageId = nextId;
    nextId = (nextId % 65_535) + 1;
    byId.set(messageId, message);
    const topic = `v1/devices/${device}/observations`;
    const { payload, sentBefore: dup } = message;
    message.sentBefore = true;
    socket.write(generate({ cmd: 'publish', topic, payload, qos: 1, messageId, dup, retain: false }));
  }

  function sendNew(): void {
    if (!sending || socket === null || open.size >= IN_FLIGHT) return;
    const time = origin + sent;
    const value = sent % 100;
    sent += 1;
    const payload = JSON.stringify({ time, readings: { LAeq: value } });
    const message = { time, value, payload, sentBefore: false };
    open.add(message);
    publish(message);
  }

  function onAck(messageId: number): void {
    const message = byId.get(messageId);
    if (message === undefined) return;
    byId.delete(messageId);
    open.delete(message);
    acknowledged.set(message.time, message.value);
  }

  function dial(): void {
    if (abandoned) return;
    const line = connect({ host: '127.0.0.1', port });
    const packets = parser();
    packets.on('packet', (packet) => {
      if (packet.cmd === 'puback' && packet.messageId !== undefined) onAck(packet.messageId);
      if (packet.cmd !== 'connack') return;
      socket = line;
      byId = new Map();
      for (const message of open) publish(message);
    });
    line.on('data', (bytes) => packets.parse(bytes));
    line.on('error', () => undefined);
    line.on('close', () => {
      socket = null;
      setTimeout(dial, RECONNECT_MS);
    });
    const hello = { protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 } as const;
    line.write(generate({ cmd: 'connect', clientId: device, ...hello }));
  }

  dial();
  const timer = setInterval(sendNew, intervalMs);

  function close(): void {
    sending = false;
    abandoned = true;
    clearInterval(timer);
    socket?.end(generate({ cmd: 'disconnect' }));
  }

  return {
    device,
    acknowledged,
    async finish() {
      sending = false;
      while (open.size > 0 && !abandoned) await pause(10);
      close();
    },
    abandon: close,
  };
}

import { MQTT_TOPICS } from '../../contracts/index.ts';
import { loadDeviceId } from './devices.ts';
import { loadPayload } from './payload.ts';
import type { Heard, Key, Message, Wire } from './wire.ts';

/**
 * MQTT 3.1.1 by hand: CONNECT, PUBLISH with QoS 1, PUBACK, and nothing else. A generator shares the machine with what it
 * tries; written so, a message costs it a few microseconds. `lastTime` is the newest time of each device, of all lanes.
 */
export function mqttWire(clientId: string, signIn: SignIn | null, lastTime: Float64Array): Wire {
  let messageId = 0;
  let rest: Buffer = Buffer.alloc(0);

  function nextId(taken: (key: Key) => boolean): number {
    do messageId = (messageId % 65_535) + 1;
    while (taken(messageId));
    return messageId;
  }

  return {
    repeatAfterMs: null,
    hello() {
      rest = Buffer.alloc(0);
      return connectPacket(clientId, signIn);
    },
    next(device, taken): Message {
      // Never twice at one millisecond: that would be the same reading.
      const time = Math.max(Date.now(), (lastTime[device] ?? 0) + 1);
      lastTime[device] = time;
      const key = nextId(taken);
      const topic = MQTT_TOPICS.observations(loadDeviceId(device + 1));
      return { key, bytes: publishPacket(topic, loadPayload(device, time), key) };
    },
    again(bytes) {
      // DUP, clause 3.3.1.1.
      bytes[0] = (bytes[0] ?? 0) | 0x08;
      return bytes;
    },
    receive(chunk, heard) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      // What a server sends here is CONNACK and PUBACK, each of four bytes.
      for (; at + 4 <= rest.length; at += 4) packet(rest, at, heard);
      rest = rest.subarray(at);
    },
  };
}

export interface SignIn {
  username: string;
  password: string;
}

const CONNACK = 0x20;
const PUBACK = 0x40;

function packet(bytes: Buffer, at: number, heard: Heard): void {
  const [type, length] = [bytes[at], bytes[at + 1]];
  if (type === PUBACK && length === 2) heard.acknowledged(bytes.readUInt16BE(at + 2));
  else if (type === CONNACK && length === 2) {
    const code = bytes[at + 3];
    if (code === 0) heard.ready();
    else heard.refused(`CONNACK code ${code}: ${CODES[code ?? 0] ?? 'refused'}`);
  } else heard.refused(`an unexpected packet of type ${(type ?? 0) >> 4}`);
}

const CODES: Readonly<Record<number, string>> = {
  1: 'wrong protocol version',
  2: 'client id refused',
  3: 'the server is not available',
  4: 'wrong user name or password',
  5: 'not allowed: without a password only where mqtt.allowAnonymous is true',
};

function connectPacket(clientId: string, signIn: SignIn | null): Buffer {
  const fields = [clientId, ...(signIn === null ? [] : [signIn.username, signIn.password])].map(text);
  // Clean session; user name and password; no keep-alive.
  const flags = 0x02 | (signIn === null ? 0 : 0xc0);
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, flags, 0, 0]), ...fields]);
  return Buffer.concat([Buffer.from([0x10, ...remainingLength(body.length)]), body]);
}

function publishPacket(topic: string, payload: string, id: number): Buffer {
  const length = 2 + topic.length + 2 + payload.length;
  const head = remainingLength(length);
  const bytes = Buffer.allocUnsafe(1 + head.length + length);
  bytes[0] = 0x32;
  bytes.set(head, 1);
  let at = bytes.writeUInt16BE(topic.length, 1 + head.length);
  at += bytes.write(topic, at, 'latin1');
  at = bytes.writeUInt16BE(id, at);
  bytes.write(payload, at, 'latin1');
  return bytes;
}

/** Clause 2.2.3: seven bits a byte, the lowest first. */
function remainingLength(length: number): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...remainingLength(length >> 7)];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

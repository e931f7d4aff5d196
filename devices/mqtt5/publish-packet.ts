import { Interned } from '../../backbone/interned.ts';

/** The bytes of an MQTT 5 PUBLISH packet. Numbers of clauses are those of the OASIS standard MQTT Version 5.0. */

/** Devices publish to the same few topics for ever. */
const topics = new Interned(32_768);

/** Clause 2.1.4. `[bytes of the fixed header, bytes of the body]`. */
export function readFixedHeader(bytes: Buffer, at: number): [number, number] | 'incomplete' | 'malformed' {
  const length = readVariableInteger(bytes, at + 1);
  return typeof length === 'string' ? length : [1 + length[1], length[0]];
}

/** Clause 1.5.5. `[value, bytes it takes]`. */
function readVariableInteger(bytes: Buffer, at: number): [number, number] | 'incomplete' | 'malformed' {
  let value = 0;
  let factor = 1;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return 'incomplete';
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return [value, i + 1];
    factor *= 128;
  }
  return 'malformed';
}

interface ParsedPublish {
  topic: string;
  qos: 0 | 1;
  messageId: number;
  userProperties: Record<string, string> | null;
  payloadAt: number;
}

/** A body, or its head; what is wrong with it as a sentence. */
export function parsePublish(firstByte: number, body: Buffer): ParsedPublish | string {
  if (body.length < 2) return 'a PUBLISH without a topic';
  const topicEnd = 2 + body.readUInt16BE(0);
  const qos = (firstByte & 2) === 0 ? 0 : 1;
  const propertiesAt = topicEnd + (qos === 1 ? 2 : 0);
  if (propertiesAt >= body.length) return 'a PUBLISH that ends within its header';
  const messageId = qos === 1 ? body.readUInt16BE(topicEnd) : 0;
  if (qos === 1 && messageId === 0) return 'a PUBLISH with the packet identifier 0';
  const topic = topics.read(body, 2, topicEnd);
  if (body[propertiesAt] === 0) {
    return { topic, qos, messageId, userProperties: null, payloadAt: propertiesAt + 1 };
  }
  const length = readVariableInteger(body, propertiesAt);
  if (typeof length === 'string') return 'a PUBLISH whose properties have no length';
  const from = propertiesAt + length[1];
  const payloadAt = from + length[0];
  if (payloadAt > body.length) return 'a PUBLISH that ends within its properties';
  const userProperties = readUserProperties(body.subarray(from, payloadAt));
  return typeof userProperties === 'string'
    ? userProperties
    : { topic, qos, messageId, userProperties, payloadAt };
}

/** Bytes of each property's value that a PUBLISH may have (clause 3.3.2.3); -1: text, -2: integer of variable length. */
const PROPERTY_BYTES: Readonly<Record<number, number>> = {
  1: 1, // payload format
  2: 4, // message expiry
  3: -1, // content type
  8: -1, // response topic
  9: -1, // correlation data
  11: -2, // subscription identifier
  35: 2, // topic alias: we allow none
};
const USER_PROPERTY = 38;

function readUserProperties(bytes: Buffer): Record<string, string> | null | string {
  let found: Record<string, string> | null = null;
  let at = 0;
  const text = (): string | null => {
    if (at + 2 > bytes.length) return null;
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) return null;
    const value = bytes.toString('utf8', at + 2, end);
    at = end;
    return value;
  };
  while (at < bytes.length) {
    const id = bytes[at++] ?? 0;
    if (id === USER_PROPERTY) {
      const name = text();
      const value = name === null ? null : text();
      if (name === null || value === null) return 'a user property that ends too early';
      found ??= Object.create(null) as Record<string, string>;
      found[name] = value;
      continue;
    }
    const size = PROPERTY_BYTES[id];
    if (size === undefined) return `property ${id}, which a PUBLISH cannot have`;
    if (size === -1) {
      if (text() === null) return `property ${id} that ends too early`;
    } else if (size === -2) {
      const value = readVariableInteger(bytes, at);
      if (typeof value === 'string') return `property ${id} that ends too early`;
      at += value[1];
    } else at += size;
  }
  return at > bytes.length ? 'properties that end too early' : found;
}

import { createHash } from 'node:crypto';
import { Interned } from '../../backbone/interned.ts';

/**
 * Takes the PUBLISH packets of QoS 0 and 1 out of the byte stream of an MQTT 5 connection (clause 3.3) and lets all else
 * through, byte for byte, to the library that keeps the session. Why: the library hands messages over one at a time, and
 * its parser makes a dozen objects a packet.
 *
 * It promises to hold at most `maxBytes` of a packet: of a longer PUBLISH the head is kept, the rest hashed. A payload is
 * a window on the chunk it came in, unless it came in several. What is malformed ends the connection: `fault` is called
 * once, and nothing passes any more.
 */
export interface TappedPublish {
  topic: string;
  payload: Buffer;
  qos: 0 | 1;
  /** 0 for QoS 0. */
  messageId: number;
  userProperties: Record<string, string> | null;
  /** `payload` is but the head of what came. */
  oversize: { size: number; sha256: string } | null;
}

export interface TapEvents {
  publish(publish: TappedPublish): void;
  fault(message: string): void;
}

const PUBLISH = 3;
/** Devices publish to the same few topics for ever. */
const topics = new Interned(32_768);
/** Of an oversize packet: topic (at most 65,537 bytes), packet id, properties, and the head of its payload. */
const HEAD_BYTES = 192 * 1024;
const KEPT_PAYLOAD_BYTES = 64 * 1024;

export class PublishTap {
  readonly #maxBytes: number;
  readonly #events: TapEvents;
  /** A packet, or a fixed header, of which the rest is still to come. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes that the pending packet needs to be whole; 0: its length is not known. */
  #needed = 0;
  #long: LongPublish | null = null;
  #closed = false;

  constructor(maxBytes: number, events: TapEvents) {
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  /** What of the chunk is for the library, whole packets only; null when nothing. */
  pass(chunk: Buffer): Buffer | null {
    if (this.#pendingBytes > 0 && this.#pendingBytes + chunk.length < this.#needed) {
      this.#keep(chunk);
      return null;
    }
    let bytes = chunk;
    if (this.#pendingBytes > 0) {
      bytes = Buffer.concat([...this.#pending, chunk]);
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    return this.#walk(bytes);
  }

  #walk(bytes: Buffer): Buffer | null {
    const others: Buffer[] = [];
    let at = 0;
    while (at < bytes.length && !this.#closed) {
      if (this.#long !== null) {
        at += this.#feedLong(this.#long, bytes, at);
        continue;
      }
      const header = readFixedHeader(bytes, at);
      if (header === 'malformed') this.#fail('a remaining length of more than four bytes');
      if (typeof header === 'string') {
        if (header === 'incomplete') this.#wait(bytes, at, 0);
        break;
      }
      const [headerBytes, bodyBytes] = header;
      const first = bytes[at] ?? 0;
      const body = at + headerBytes;
      const end = body + bodyBytes;
      const own = first >> 4 === PUBLISH && (first & 6) !== 4;
      if (bodyBytes > this.#maxBytes) {
        if (!own) {
          this.#fail(`a packet of type ${first >> 4} with ${bodyBytes} bytes`);
          break;
        }
        this.#long = new LongPublish(first, bodyBytes);
        at = body;
        continue;
      }
      if (end > bytes.length) {
        this.#wait(bytes, at, end - at);
        break;
      }
      if (own) this.#take(first, bytes.subarray(body, end), null);
      else others.push(bytes.subarray(at, end));
      at = end;
    }
    if (this.#closed || others.length === 0) return null;
    return others.length === 1 ? (others[0] ?? null) : Buffer.concat(others);
  }

  #wait(bytes: Buffer, at: number, needed: number): void {
    this.#needed = needed;
    // A copy: the chunk may be many times as long as what is kept of it.
    this.#keep(Buffer.from(bytes.subarray(at)));
  }

  #keep(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #feedLong(long: LongPublish, bytes: Buffer, at: number): number {
    const taken = long.take(bytes, at);
    if (long.complete) {
      this.#long = null;
      this.#take(long.firstByte, long.head(), long);
    }
    return taken;
  }

  #take(firstByte: number, body: Buffer, long: LongPublish | null): void {
    const parsed = parsePublish(firstByte, body);
    if (typeof parsed === 'string') {
      this.#fail(parsed);
      return;
    }
    // Field by field: this is done for every message.
    const { topic, qos, messageId, userProperties, payloadAt } = parsed;
    const head = long === null ? body.length : payloadAt + KEPT_PAYLOAD_BYTES;
    const window = body.subarray(payloadAt, head);
    const payload = long === null ? window : Buffer.from(window);
    const oversize = long === null ? null : long.payloadFrom(payloadAt);
    this.#events.publish({ topic, payload, qos, messageId, userProperties, oversize });
  }

  #fail(message: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.fault(message);
  }
}

/** A PUBLISH that is too long to be held: its head, and the hash of what is behind the head. */
class LongPublish {
  readonly firstByte: number;
  readonly #bodyBytes: number;
  readonly #head: Buffer;
  readonly #hash = createHash('sha256');
  #taken = 0;
  #payloadAt = -1;

  constructor(firstByte: number, bodyBytes: number) {
    this.firstByte = firstByte;
    this.#bodyBytes = bodyBytes;
    this.#head = Buffer.allocUnsafe(Math.min(bodyBytes, HEAD_BYTES));
  }

  get complete(): boolean {
    return this.#taken === this.#bodyBytes;
  }

  /** Takes what belongs to the packet; returns how many bytes that were. */
  take(bytes: Buffer, at: number): number {
    const step = Math.min(this.#bodyBytes - this.#taken, bytes.length - at);
    const part = bytes.subarray(at, at + step);
    const intoHead = Math.max(0, Math.min(part.length, this.#head.length - this.#taken));
    part.copy(this.#head, this.#taken, 0, intoHead);
    this.#taken += step;
    if (this.#taken >= this.#head.length) this.#hashFrom(part.subarray(intoHead));
    return step;
  }

  /** The payload's part of the head is hashed once the head is whole, then what comes behind it. */
  #hashFrom(behindHead: Buffer): void {
    if (this.#payloadAt < 0) {
      const parsed = parsePublish(this.firstByte, this.#head);
      this.#payloadAt = typeof parsed === 'string' ? this.#head.length : parsed.payloadAt;
      this.#hash.update(this.#head.subarray(this.#payloadAt));
    }
    this.#hash.update(behindHead);
  }

  head(): Buffer {
    return this.#head;
  }

  payloadFrom(payloadAt: number): { size: number; sha256: string } {
    return { size: this.#bodyBytes - payloadAt, sha256: this.#hash.digest('hex') };
  }
}

/** Clause 2.1.4. `[bytes of the fixed header, bytes of the body]`. */
function readFixedHeader(bytes: Buffer, at: number): [number, number] | 'incomplete' | 'malformed' {
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
function parsePublish(firstByte: number, body: Buffer): ParsedPublish | string {
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

import { LongPublish } from './long-publish.ts';
import { parsePublish, readFixedHeader } from './publish-packet.ts';

/**
 * Takes the PUBLISH packets of QoS 0 and 1 out of the byte stream of an MQTT 5 connection (clause 3.3) and lets all else
 * through, byte for byte, to the library that keeps the session. Why: the library hands messages over one at a time, and
 * its parser makes a dozen objects a packet.
 *
 * It promises to hold no more of a packet than its limits say: of a longer PUBLISH the head is kept, the rest hashed. A payload is
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

export interface TapLimits {
  /** Of a PUBLISH of QoS 0 or 1; a longer one is kept by its head, size and hash. */
  maxBytes: number;
  /** Of any other packet; a longer one is a fault. */
  controlBytes: number;
}

export interface TapEvents {
  publish(publish: TappedPublish): void;
  fault(message: string): void;
}

const PUBLISH = 3;
const KEPT_PAYLOAD_BYTES = 64 * 1024;

export class PublishTap {
  readonly #limits: TapLimits;
  readonly #events: TapEvents;
  /** A packet, or a fixed header, of which the rest is still to come. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes that the pending packet needs to be whole; 0: its length is not known. */
  #needed = 0;
  #long: LongPublish | null = null;
  #closed = false;

  constructor(limits: TapLimits, events: TapEvents) {
    this.#limits = limits;
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
      if (bodyBytes > (own ? this.#limits.maxBytes : this.#limits.controlBytes)) {
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

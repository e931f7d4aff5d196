import { Interned } from '../../backbone/interned.ts';
import { HEAD_BYTES, type OversizePublish, type Swallower, swallower } from './oversize.ts';

/**
 * Stands between a socket and the MQTT library. It reads fixed headers (MQTT 3.1.1, clause 2.2) and sorts packets:
 *
 *   PUBLISH of QoS 0 and 1, once it takes them   parsed here and handed over: the library never sees them, which is what
 *                                                makes the broker fast
 *   PUBLISH longer than `bufferBytes`            its head is kept, the rest hashed and forgotten
 *   any other packet longer than that, any packet longer than `packetBytes`, a PUBLISH that makes no sense
 *                                                ends the connection
 *   all else                                     passes, byte for byte, to the library
 *
 * It promises at most `bufferBytes` and HEAD_BYTES held here for each connection, and no copy of a packet that came in
 * one piece. Of what passes it checks nothing but the length: that is the library's.
 */

export interface GateLimits {
  bufferBytes: number;
  packetBytes: number;
}

export interface PacketGate {
  /** What of the chunk the library may see; null when nothing. */
  pass(chunk: Buffer): Buffer | null;
  /** From the next packet on PUBLISH of QoS 0 and 1 are handed over. Not before the library has let the client in. */
  takePublishes(): void;
  /** A DISCONNECT has come: the client leaves on purpose. */
  readonly saidGoodbye: boolean;
  /** PUBLISH packets handed over so far. */
  readonly taken: number;
}

export interface GateEvents {
  /** `payload` is a window on the chunk it came in. `messageId` is 0 for QoS 0. */
  publish(topic: string, payload: Buffer, messageId: number): void;
  oversize(publish: OversizePublish): void;
  /** The connection has to end; nothing passes any more. */
  refuse(reason: 'packet-too-large' | 'malformed', bytes: number): void;
}

export { HEAD_BYTES, type OversizePublish };

/** A CONNECT with a will of the greatest length, or a SUBSCRIBE: nothing but a PUBLISH has reason to be longer. */
export const CONTROL_BYTES = 256 * 1024;
/** As the library has it: a deeper topic is nobody's. */
const MAX_TOPIC_LEVELS = 100;
const SLASH = 47;
const PUBLISH = 3;
const DISCONNECT = 14;
/**
 * Packet types after which the connection goes on: PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE,
 * PINGREQ. Behind any other one the library has the last word on all that comes.
 */
const GOES_ON = 0b0001_0101_1111_1000;
/** Devices publish to the same few topics for ever. */
const topics = new Interned(32_768);

/** In place of a remaining length. */
const INCOMPLETE = -1;
const MALFORMED = -2;

export function packetGate(limits: GateLimits, events: GateEvents): PacketGate {
  return new Gate(limits, events);
}

class Gate implements PacketGate {
  saidGoodbye = false;
  taken = 0;
  readonly #limits: GateLimits;
  readonly #events: GateEvents;
  /** Bytes of the present packet's body that still have to pass. */
  #passing = 0;
  #swallowing: Swallower | null = null;
  /** What is held back until there is more of it: half a fixed header, or half a PUBLISH of ours. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** So many bytes there have to be before it is worth looking again. */
  #neededBytes = 0;
  /** Bytes of the fixed header that was read last. */
  #headerBytes = 0;
  /** A topic that was looked at already. */
  #lastTopic: string | null = null;
  #firstPacket = true;
  #taking = false;
  #closed = false;

  constructor(limits: GateLimits, events: GateEvents) {
    this.#limits = limits;
    this.#events = events;
  }

  takePublishes(): void {
    this.#taking = !this.saidGoodbye;
  }

  pass(chunk: Buffer): Buffer | null {
    const bytes = this.#heldBytes === 0 ? chunk : this.#withHeld(chunk);
    if (bytes === null) return null;
    let passed: Buffer[] | null = null;
    let at = 0;
    while (at < bytes.length && !this.#closed) {
      const end = this.#runToPass(bytes, at);
      if (end > at) {
        passed ??= [];
        passed.push(bytes.subarray(at, end));
      }
      at = end < bytes.length && !this.#closed ? this.#keep(bytes, end) : bytes.length;
    }
    if (this.#closed || passed === null) return null;
    return passed.length === 1 ? (passed[0] ?? null) : Buffer.concat(passed);
  }

  #withHeld(chunk: Buffer): Buffer | null {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#neededBytes) return null;
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }

  /** A copy, because the chunk may be many times as long. */
  #hold(bytes: Buffer, from: number, neededBytes: number): void {
    this.#held = [Buffer.from(bytes.subarray(from))];
    this.#heldBytes = bytes.length - from;
    this.#neededBytes = neededBytes;
  }

  /** Walks over what may pass. Returns where that ends: at something to keep, or with the bytes. */
  #runToPass(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#passing > 0) {
        const step = Math.min(this.#passing, bytes.length - at);
        this.#passing -= step;
        at += step;
        continue;
      }
      if (this.#swallowing !== null) return at;
      const length = this.#readLength(bytes, at);
      if (length === INCOMPLETE) return at;
      if (length === MALFORMED) {
        this.#refuse('malformed', bytes.length);
        return at;
      }
      const first = bytes[at] ?? 0;
      if (!this.#admits(first, length)) return at;
      at += this.#headerBytes;
      this.#passing = length;
    }
    return at;
  }

  /** Whether a packet passes; if not, it is ours, is swallowed, or ends the connection. */
  #admits(first: number, bodyLength: number): boolean {
    const type = first >> 4;
    if (type === DISCONNECT) this.saidGoodbye = true;
    if (((GOES_ON >> type) & 1) === 0) this.#taking = false;
    // Before the CONNECT nobody is known who could answer for a long packet.
    const most = type === PUBLISH && !this.#firstPacket ? this.#limits.packetBytes : CONTROL_BYTES;
    this.#firstPacket = false;
    if (bodyLength > most) {
      this.#refuse('packet-too-large', bodyLength);
      return false;
    }
    if (type !== PUBLISH) return true;
    if (bodyLength <= this.#limits.bufferBytes) return !this.#isOurs(first);
    this.#swallowing = swallower((first >> 1) & 3, bodyLength);
    return false;
  }

  #isOurs(first: number): boolean {
    return this.#taking && first >> 4 === PUBLISH && (first & 4) === 0;
  }

  /** Keeps what does not pass, and returns where it ends. */
  #keep(bytes: Buffer, from: number): number {
    if (this.#swallowing !== null) return this.#swallow(this.#swallowing, bytes, from);
    const length = this.#readLength(bytes, from);
    if (length < 0) {
      this.#hold(bytes, from, 0);
      return bytes.length;
    }
    const body = from + this.#headerBytes;
    const end = body + length;
    if (end > bytes.length) {
      this.#hold(bytes, from, end - from);
      return bytes.length;
    }
    this.#take(((bytes[from] ?? 0) >> 1) & 1, bytes, body, end);
    return end;
  }

  /** Clause 3.3.2. What the library would refuse is refused. */
  #take(qos: number, bytes: Buffer, body: number, end: number): void {
    const topicAt = body + 2;
    const topicEnd = topicAt + (((bytes[body] ?? 0) << 8) | (bytes[body + 1] ?? 0));
    const payloadAt = topicEnd + 2 * qos;
    if (topicAt > end || payloadAt > end) {
      this.#refuse('malformed', bytes.length);
      return;
    }
    const messageId = qos === 0 ? 0 : ((bytes[topicEnd] ?? 0) << 8) | (bytes[topicEnd + 1] ?? 0);
    const topic = topics.read(bytes, topicAt, topicEnd);
    // A packet identifier of 0 is a protocol error [MQTT-2.3.1-1], a topic with a wildcard too [MQTT-3.3.2-2].
    if ((qos === 1 && messageId === 0) || (topic !== this.#lastTopic && !isTopicName(topic))) {
      this.#refuse('malformed', bytes.length);
      return;
    }
    this.#lastTopic = topic;
    this.taken += 1;
    this.#events.publish(topic, bytes.subarray(payloadAt, end), messageId);
  }

  /** Feeds the long PUBLISH; returns where its bytes end. */
  #swallow(swallowing: Swallower, bytes: Buffer, from: number): number {
    // The fixed header itself is not part of the body.
    if (!swallowing.begun) this.#readLength(bytes, from);
    const at = swallowing.begun ? from : from + this.#headerBytes;
    const end = at + swallowing.take(bytes, at);
    if (!swallowing.complete) return end;
    this.#swallowing = null;
    const publish = swallowing.finish();
    if (publish === null) this.#refuse('malformed', bytes.length);
    else this.#events.oversize(publish);
    return end;
  }

  /** The remaining length of the packet at `at` (clause 2.2.3): 7 bits a byte, at most four bytes. */
  #readLength(bytes: Buffer, at: number): number {
    let length = 0;
    for (let i = 0; i < 4; i++) {
      const byte = bytes[at + 1 + i];
      if (byte === undefined) return INCOMPLETE;
      length += (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        this.#headerBytes = 2 + i;
        return length;
      }
    }
    return MALFORMED;
  }

  #refuse(reason: 'packet-too-large' | 'malformed', bytes: number): void {
    this.#closed = true;
    this.#events.refuse(reason, bytes);
  }
}

/** A topic to publish to (clauses 4.7.1 and 4.7.3), not deeper than the library allows. */
export function isTopicName(topic: string): boolean {
  if (topic === '' || topic.includes('+') || topic.includes('#')) return false;
  let levels = 1;
  for (let i = 0; i < topic.length; i++) if (topic.charCodeAt(i) === SLASH) levels += 1;
  return levels <= MAX_TOPIC_LEVELS;
}

import { createHash, type Hash } from 'node:crypto';

/**
 * Stands between a socket and the MQTT parser, which would hold a whole packet in memory, whatever its length. The
 * gate reads fixed headers only (MQTT 3.1.1, clause 2.2) and lets packets through byte for byte, but
 *
 *   a PUBLISH longer than `bufferBytes`  never reaches the parser: its head is kept, the rest hashed and forgotten
 *   any other packet longer than that, or any packet longer than `packetBytes`   ends the connection
 *
 * It promises at most `bufferBytes` in the parser and HEAD_BYTES here for each connection, and no copy of what it lets
 * through. It does not check anything else of the protocol: that is the parser's.
 */

export interface GateLimits {
  bufferBytes: number;
  packetBytes: number;
}

/** A PUBLISH that was too long to be held. */
export interface OversizePublish {
  topic: string;
  qos: number;
  /** Null for QoS 0. */
  messageId: number | null;
  /** The first bytes of the payload. */
  head: Buffer;
  /** Of the whole payload. */
  size: number;
  sha256: string;
}

export interface PacketGate {
  /** What of the chunk the parser may see; null when nothing. */
  pass(chunk: Buffer): Buffer | null;
  /** A DISCONNECT has come: the client leaves on purpose. */
  readonly saidGoodbye: boolean;
}

export interface GateEvents {
  oversize(publish: OversizePublish): void;
  /** The connection has to end; nothing passes any more. */
  refuse(reason: 'packet-too-large' | 'malformed', bytes: number): void;
}

/** How much of an oversize payload is kept. */
export const HEAD_BYTES = 64 * 1024;
/** A CONNECT with a will of the greatest length, or a SUBSCRIBE: nothing but a PUBLISH has reason to be longer. */
const CONTROL_BYTES = 256 * 1024;
const PUBLISH = 3;
const DISCONNECT = 14;

export function packetGate(limits: GateLimits, events: GateEvents): PacketGate {
  return new Gate(limits, events);
}

class Gate implements PacketGate {
  saidGoodbye = false;
  readonly #limits: GateLimits;
  readonly #events: GateEvents;
  /** Bytes of the present packet's body that still have to pass. */
  #passing = 0;
  #swallowing: Swallower | null = null;
  /** The beginning of a fixed header that came in pieces, at most 4 bytes. */
  #partial: Buffer | null = null;
  #firstPacket = true;
  #closed = false;

  constructor(limits: GateLimits, events: GateEvents) {
    this.#limits = limits;
    this.#events = events;
  }

  pass(chunk: Buffer): Buffer | null {
    const bytes = this.#partial === null ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = null;
    const kept: Buffer[] = [];
    let at = 0;
    while (at < bytes.length && !this.#closed) {
      const end = this.#swallowing === null ? this.#runOfPackets(bytes, at) : at;
      if (end > at) kept.push(bytes.subarray(at, end));
      at = this.#partial === null && !this.#closed ? this.#swallow(bytes, end) : bytes.length;
    }
    if (this.#closed || kept.length === 0) return null;
    return kept.length === 1 ? (kept[0] ?? null) : Buffer.concat(kept);
  }

  /** Walks over packets that may pass. Returns where they end: at a long PUBLISH, at half a header, or with the bytes. */
  #runOfPackets(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#passing > 0) {
        const step = Math.min(this.#passing, bytes.length - at);
        this.#passing -= step;
        at += step;
        continue;
      }
      const header = readFixedHeader(bytes, at);
      if (header === 'incomplete') this.#partial = Buffer.from(bytes.subarray(at));
      else if (header === 'malformed') this.#refuse('malformed', bytes.length);
      if (typeof header === 'string') return at;
      if (!this.#admit(bytes[at] ?? 0, header)) return at;
      at += header.length;
      this.#passing = header.bodyLength;
    }
    return at;
  }

  /** Whether the packet may pass; if not, it is swallowed or the connection ends. */
  #admit(firstByte: number, { bodyLength }: FixedHeader): boolean {
    const type = firstByte >> 4;
    if (type === DISCONNECT) this.saidGoodbye = true;
    // Before the CONNECT nobody is known who could answer for a long packet.
    const most = type === PUBLISH && !this.#firstPacket ? this.#limits.packetBytes : CONTROL_BYTES;
    this.#firstPacket = false;
    if (bodyLength > most) {
      this.#refuse('packet-too-large', bodyLength);
      return false;
    }
    if (type !== PUBLISH || bodyLength <= this.#limits.bufferBytes) return true;
    this.#swallowing = swallower((firstByte >> 1) & 3, bodyLength);
    return false;
  }

  /** Feeds the long PUBLISH, if there is one; returns where its bytes end. */
  #swallow(bytes: Buffer, from: number): number {
    const swallowing = this.#swallowing;
    if (swallowing === null) return from;
    // The fixed header itself is not part of the body.
    let at = from;
    if (!swallowing.begun) {
      const header = readFixedHeader(bytes, at);
      if (typeof header === 'string') return at;
      at += header.length;
    }
    at += swallowing.take(bytes, at);
    if (!swallowing.complete) return at;
    this.#swallowing = null;
    const publish = swallowing.finish();
    if (publish === null) this.#refuse('malformed', bytes.length);
    else this.#events.oversize(publish);
    return at;
  }

  #refuse(reason: 'packet-too-large' | 'malformed', bytes: number): void {
    this.#closed = true;
    this.#events.refuse(reason, bytes);
  }
}

interface FixedHeader {
  /** 2 to 5 bytes. */
  length: number;
  bodyLength: number;
}

/** Clause 2.2.3: the remaining length, 7 bits a byte, at most four bytes. */
function readFixedHeader(bytes: Buffer, at: number): FixedHeader | 'incomplete' | 'malformed' {
  let bodyLength = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + 1 + i];
    if (byte === undefined) return 'incomplete';
    bodyLength += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return { length: 2 + i, bodyLength };
  }
  return 'malformed';
}

interface Swallower {
  /** The body's bytes are being taken in. */
  readonly begun: boolean;
  /** Takes what belongs to the packet; returns how many bytes that were. */
  take(bytes: Buffer, from: number): number;
  readonly complete: boolean;
  /** Null when the packet's own head makes no sense. */
  finish(): OversizePublish | null;
}

/** Takes in one PUBLISH body (clause 3.3): topic length and topic, packet id, payload. */
function swallower(qos: number, bodyLength: number): Swallower {
  /** Topic (at most 65,535 bytes with its length), packet id, head of the payload. */
  const head = Buffer.allocUnsafe(Math.min(bodyLength, 2 + 65_535 + 2 + HEAD_BYTES));
  const hash: Hash = createHash('sha256');
  let taken = 0;
  let begun = false;

  /** Where the payload begins; null as long as the topic's length is not known. */
  const payloadStart = (): number | null => {
    if (taken < 2) return null;
    return 2 + head.readUInt16BE(0) + (qos > 0 ? 2 : 0);
  };

  return {
    get begun() {
      return begun;
    },
    take(bytes, from) {
      begun = true;
      const step = Math.min(bodyLength - taken, bytes.length - from);
      const part = bytes.subarray(from, from + step);
      const before = taken;
      part.copy(head, before, 0);
      taken += step;
      const start = payloadStart();
      if (start !== null && taken > start) {
        // The topic's length may have come with an earlier part: what of the payload was in the head is hashed once.
        if (before < start) hash.update(part.subarray(start - before));
        else hash.update(part);
      }
      return step;
    },
    get complete() {
      return taken === bodyLength;
    },
    finish() {
      const start = payloadStart();
      if (start === null || start > bodyLength || qos > 2) return null;
      return {
        topic: head.toString('utf8', 2, 2 + head.readUInt16BE(0)),
        qos,
        messageId: qos > 0 ? head.readUInt16BE(start - 2) : null,
        head: Buffer.from(head.subarray(start, start + HEAD_BYTES)),
        size: bodyLength - start,
        sha256: hash.digest('hex'),
      };
    },
  };
}

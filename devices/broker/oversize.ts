import { createHash, type Hash } from 'node:crypto';

/**
 * A PUBLISH that is too long to be held (MQTT 3.1.1, clause 3.3): its head is kept, the rest hashed and forgotten, so
 * that quarantine can say what it was. Holds HEAD_BYTES and a topic, however long the packet.
 */
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

/** How much of an oversize payload is kept. */
export const HEAD_BYTES = 64 * 1024;

export interface Swallower {
  /** The body's bytes are being taken in. */
  readonly begun: boolean;
  /** Takes what belongs to the packet; returns how many bytes that were. */
  take(bytes: Buffer, from: number): number;
  readonly complete: boolean;
  /** Null when the packet's own head makes no sense. */
  finish(): OversizePublish | null;
}

/** Takes in one PUBLISH body (clause 3.3): topic length and topic, packet id, payload. */
export function swallower(qos: number, bodyLength: number): Swallower {
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

import { createHash } from 'node:crypto';
import { parsePublish } from './publish-packet.ts';

/** Of an oversize packet: topic (at most 65,537 bytes), packet id, properties, and the head of its payload. */
const HEAD_BYTES = 192 * 1024;

/** A PUBLISH that is too long to be held: its head, and the hash of what is behind the head. */
export class LongPublish {
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

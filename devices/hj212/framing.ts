import { CRC, type CrcVariant, crcModbus, crcText } from './crc.ts';

/**
 * Cuts a byte stream into HJ 212 frames: `##` + 4 digits of length + data segment + 4 hex digits of CRC (+ CR LF).
 *
 * Promises: cuts by length, never by CR LF (2025 cipher text may hold CR LF, `&&` and `##`); counts bytes, not characters;
 * takes segments split and joined in any way; finds the next frame after any damage; each frame gives one result;
 * memory is bounded by the longest frame allowed. It does not look into the data segment.
 */

/** Why a piece of the stream is no frame. */
export type FrameError =
  /** Bytes that belong to no frame: no `##` and four digits. */
  | 'no-header'
  /** The length is beyond what is allowed. */
  | 'too-long'
  /** The frame ends elsewhere than its length says. */
  | 'length-mismatch'
  /** The checksum does not fit the data segment. */
  | 'crc-mismatch'
  /** The stream ended within a frame. */
  | 'incomplete';

export type FrameResult =
  /** `raw`: the whole frame as it came, without its line end. */
  | { ok: true; at: number; segment: Buffer; crc: CrcVariant; raw: Buffer }
  | { ok: false; at: number; code: FrameError; message: string; raw: Buffer };

export interface FramingOptions {
  /** Longest data segment, bytes. 1,024 by the standard; real devices go beyond it. */
  maxSegment?: number;
  /**
   * Asked when a header states more than `maxSegment`: how much this sender is allowed, by the first bytes of its data
   * segment (which name its MN).
   */
  longer?: (head: Buffer) => number;
  /** Checksums that are accepted, in this order. A variant that is not named here is refused, never tried in silence. */
  crc?: readonly CrcVariant[];
}

const HEADER = 6;
const CRC_DIGITS = 4;
const HASH = 0x23;
const NEWLINE = 0x0a;
/** Bytes behind the longest data segment that are looked at to find a frame's real end. */
const LOOKAHEAD = 16;
/** QN, ST, CN, PW and MN stand within so many bytes of the data segment. */
const HEAD_BYTES = 160;

export class FrameSplitter {
  readonly #maxSegment: number;
  readonly #longer: ((head: Buffer) => number) | null;
  readonly #crc: readonly CrcVariant[];
  #buffer: Buffer = Buffer.alloc(0);
  /** Position of `#buffer[0]` in the whole stream. */
  #position = 0;

  constructor(options: FramingOptions = {}) {
    this.#maxSegment = options.maxSegment ?? 1024;
    this.#longer = options.longer ?? null;
    this.#crc = options.crc ?? ['standard'];
  }

  /** Takes the next bytes and gives the frames that they complete. */
  push(chunk: Uint8Array): FrameResult[] {
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#buffer, chunk]);
    return this.#drain(false);
  }

  /** The stream has ended: what is left becomes an error of its own. */
  end(): FrameResult[] {
    return this.#drain(true);
  }

  #drain(ended: boolean): FrameResult[] {
    const results: FrameResult[] = [];
    while (this.#buffer.length > 0) {
      const step = this.#next(ended);
      if (step === null) break;
      if (step.result) results.push(step.result);
      this.#buffer = this.#buffer.subarray(step.used);
      this.#position += step.used;
    }
    return results;
  }

  /** The next piece and how many bytes it used; null = more bytes are needed. */
  #next(ended: boolean): { used: number; result: FrameResult | null } | null {
    const start = this.#findHeader();
    if (start > 0) return this.#beforeHeader(start);
    if (start < 0) return this.#noHeader(ended);
    const length = Number(this.#buffer.toString('latin1', 2, HEADER));
    if (length > this.#maxSegment) {
      const allowed = this.#allowed(length, ended);
      if (allowed === null) return null;
      if (length > allowed) return this.#tooLong(length, allowed);
    }
    const end = HEADER + length + CRC_DIGITS;
    if (this.#buffer.length < end) return ended ? this.#incomplete(length) : null;
    return this.#check(length);
  }

  /** What the sender of a long segment is allowed; null = its head is not here yet. */
  #allowed(length: number, ended: boolean): number | null {
    if (this.#longer === null) return this.#maxSegment;
    const head = this.#buffer.subarray(HEADER, HEADER + Math.min(length, HEAD_BYTES));
    return head.length < Math.min(length, HEAD_BYTES) && !ended ? null : this.#longer(head);
  }

  #beforeHeader(start: number): { used: number; result: FrameResult | null } {
    const line = this.#buffer.indexOf(NEWLINE) + 1;
    const used = line > 0 && line < start ? line : start;
    return { used, result: this.#garbage(used) };
  }

  #check(length: number): { used: number; result: FrameResult } {
    const end = HEADER + length + CRC_DIGITS;
    const segment = this.#buffer.subarray(HEADER, HEADER + length);
    const stated = this.#buffer.toString('latin1', HEADER + length, end);
    const crc = this.#crc.find((variant) => crcText(CRC[variant](segment)) === stated.toUpperCase());
    if (crc === undefined) return this.#mismatch(segment, stated);
    const raw = Buffer.from(this.#buffer.subarray(0, end));
    const whole = raw.subarray(HEADER, HEADER + length);
    return { used: end, result: { ok: true, at: this.#position, segment: whole, crc, raw } };
  }

  #mismatch(segment: Buffer, stated: string): { used: number; result: FrameResult } {
    const end = this.#actualEnd(segment.length);
    if (end.length !== null && end.length !== segment.length)
      return this.#wrongLength(segment.length, end.length);
    const used = HEADER + segment.length + CRC_DIGITS;
    if (end.length === null && end.nextHeader < used) {
      const message = `the header says ${segment.length} bytes, but another frame begins after ${end.nextHeader}`;
      return this.#fail('length-mismatch', message, end.nextHeader);
    }
    const expected = crcText(CRC[this.#crc[0] ?? 'standard'](segment));
    const modbus = stated.toUpperCase() === crcText(crcModbus(segment));
    const hint = modbus ? '; it fits CRC16/MODBUS, which a device profile may allow' : '';
    const message = `the frame says CRC ${JSON.stringify(stated)}, its data segment gives ${expected}${hint}`;
    return this.#fail('crc-mismatch', message, used);
  }

  #wrongLength(stated: number, actual: number) {
    const message = `the header says ${stated} bytes, the data segment ends after ${actual}`;
    return this.#fail('length-mismatch', message, HEADER + actual + CRC_DIGITS);
  }

  #tooLong(length: number, allowed: number) {
    const end = this.#actualEnd(length);
    const used = end.length === null ? end.nextHeader : HEADER + end.length + CRC_DIGITS;
    return this.#fail('too-long', `the header says ${length} bytes; at most ${allowed} are allowed`, used);
  }

  #incomplete(length: number) {
    const end = this.#actualEnd(length);
    if (end.length !== null && end.length !== length) return this.#wrongLength(length, end.length);
    const missing = HEADER + length + CRC_DIGITS - end.nextHeader;
    return this.#fail('incomplete', `the frame ends ${missing} bytes before its length says`, end.nextHeader);
  }

  /**
   * Where the frame at hand really ends: `length` of the data segment up to the `&&` that four hex digits and a line end
   * follow (null: no such end before the next frame), and where that next frame, or the end of what is here, lies.
   */
  #actualEnd(stated: number): { length: number | null; nextHeader: number } {
    const window = HEADER + Math.max(this.#maxSegment, stated) + LOOKAHEAD;
    const text = this.#buffer.toString('latin1', 0, window);
    const next = /##\d{4}/.exec(text.slice(2));
    const nextHeader = next ? next.index + 2 : this.#buffer.length;
    const match = /&&[0-9A-Fa-f]{4}(?=\s|$)/.exec(text.slice(HEADER, nextHeader));
    return { length: match ? match.index + 2 : null, nextHeader };
  }

  /** Index of `##dddd`; -1 when there is none in what is here. */
  #findHeader(): number {
    for (let at = this.#buffer.indexOf('##'); at >= 0; at = this.#buffer.indexOf('##', at + 1)) {
      if (at + HEADER > this.#buffer.length) return -1;
      if (/^\d{4}$/.test(this.#buffer.toString('latin1', at + 2, at + HEADER))) return at;
    }
    return -1;
  }

  /** Garbage is given line by line, once its line has ended: two broken lines are two errors. */
  #noHeader(ended: boolean): { used: number; result: FrameResult | null } | null {
    const line = this.#buffer.indexOf(NEWLINE) + 1;
    if (line > 0) return { used: line, result: this.#garbage(line) };
    if (!ended && this.#buffer.length < this.#maxSegment + LOOKAHEAD) return null;
    // A header may be split between two segments: its first bytes stay.
    const used = this.#buffer.length - (ended ? 0 : this.#headerPrefix());
    return { used, result: this.#garbage(used) };
  }

  #headerPrefix(): number {
    for (let n = HEADER - 1; n > 0; n -= 1) {
      const tail = this.#buffer.subarray(this.#buffer.length - n);
      if (tail.every((byte, i) => (i < 2 ? byte === HASH : byte >= 0x30 && byte <= 0x39))) return n;
    }
    return 0;
  }

  /** Line ends and blanks between frames are no fault. */
  #garbage(used: number): FrameResult | null {
    const raw = this.#buffer.subarray(0, used);
    if (/^\s*$/.test(raw.toString('latin1'))) return null;
    return this.#fail(
      'no-header',
      `${used} bytes that belong to no frame (a frame begins with ## and four digits)`,
      used,
    ).result;
  }

  #fail(code: FrameError, message: string, used: number): { used: number; result: FrameResult } {
    const raw = Buffer.from(this.#buffer.subarray(0, used));
    return { used, result: { ok: false, at: this.#position, code, message, raw } };
  }
}

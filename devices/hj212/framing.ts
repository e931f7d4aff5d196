import type { CrcVariant } from './crc.ts';
import { type Opened, openSegment, type PeerProfile } from './open.ts';
import { looksPlain } from './sm4.ts';
import { wireText } from './text.ts';

export type { PeerProfile } from './open.ts';

/**
 * Cuts a byte stream into HJ 212 frames: `##` + 4 digits of length + data segment + 4 hex digits of CRC (+ CR LF).
 *
 * Promises: cuts by length, never by CR LF (2025 cipher text may hold CR LF, `&&` and `##`); counts bytes, not characters;
 * gives the same results however the stream is split into chunks; finds the next frame after any damage; each frame gives
 * one result; memory is bounded by the longest frame allowed. Of the data segment it reads MN alone, to find its profile.
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
  /** The segment is encrypted, and no key, or not the right one, is known. */
  | 'not-decrypted'
  /** The stream ended within a frame. */
  | 'incomplete';

export type FrameResult =
  /** `segment`: plain; `raw`: the frame as it came, without line end. */
  | { ok: true; at: number; segment: Buffer; crc: CrcVariant; encrypted: boolean; raw: Buffer }
  | { ok: false; at: number; code: FrameError; message: string; raw: Buffer };

export interface FramingOptions extends PeerProfile {
  /** Longest data segment, bytes. 1,024 by the standard; real devices go beyond it. */
  maxSegment?: number;
  /**
   * Asked when a header states more than `maxSegment`: how much this sender is allowed, by the first bytes of its data
   * segment (which name its MN).
   */
  longer?: (head: Buffer) => number;
  /** What holds for the sender of a frame, by its MN, instead of the options' own; null: the frame has none. */
  peer?: (mn: string | null) => PeerProfile;
}

const HEADER = 6;
const CRC_DIGITS = 4;
const HASH = 0x23;
const NEWLINE = 0x0a;
/** Bytes behind the longest data segment that are looked at to find a frame's real end. */
const LOOKAHEAD = 16;
/** QN, ST, CN, PW and MN stand within so many bytes of the data segment. */
const HEAD_BYTES = 160;
/** Of UTF-8, in Latin-1. */
const BYTE_ORDER_MARK = /^\xef\xbb\xbf/;
/** `0xE4,` for one byte. */
const PRINTED_BYTE = 5;

type Step = { used: number; result: FrameResult | null };

export class FrameSplitter {
  readonly #maxSegment: number;
  readonly #longer: ((head: Buffer) => number) | null;
  /** Bytes on the wire for one of the segment, at most. */
  readonly #stretch: number;
  readonly #peer: (mn: string | null) => PeerProfile;
  #buffer: Buffer = Buffer.alloc(0);
  /** Position of `#buffer[0]` in the whole stream. */
  #position = 0;
  /** The rest of a frame that was refused as too long is passed over in silence. */
  #passing = false;

  constructor(options: FramingOptions = {}) {
    this.#maxSegment = options.maxSegment ?? 1024;
    this.#longer = options.longer ?? null;
    this.#stretch = options.braces ? PRINTED_BYTE : 1;
    this.#peer = options.peer ?? (() => options);
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
  #next(ended: boolean): Step | null {
    const start = this.#findHeader();
    if (start !== 0) return this.#noHeader(start, ended);
    this.#passing = false;
    const length = Number(this.#buffer.toString('latin1', 2, HEADER));
    const allowed = this.#allowed(length, ended);
    if (allowed === null) return null;
    if (length > allowed * this.#stretch) return this.#tooLong(length, allowed, ended);
    const end = HEADER + length + CRC_DIGITS;
    if (this.#buffer.length >= end) return this.#check(length, allowed, ended);
    return ended ? this.#incomplete(length) : this.#endsEarly(length);
  }

  /** What the sender of a long segment is allowed; null = its head is not here yet. */
  #allowed(length: number, ended: boolean): number | null {
    if (this.#longer === null || length <= this.#maxSegment) return this.#maxSegment;
    const head = this.#buffer.subarray(HEADER, HEADER + Math.min(length, HEAD_BYTES));
    return head.length < Math.min(length, HEAD_BYTES) && !ended ? null : this.#longer(head);
  }

  #check(length: number, allowed: number, ended: boolean): Step | null {
    const end = HEADER + length + CRC_DIGITS;
    const opened = this.#open(length);
    if (opened.ok)
      return opened.segment.length > allowed
        ? this.#tooLong(length, allowed, ended)
        : this.#good(opened, end);
    if (opened.code === 'not-decrypted') return this.#fail(opened.code, opened.message, end);
    return this.#mismatch(length, opened, ended);
  }

  #open(length: number): Opened {
    const wire = this.#buffer.subarray(HEADER, HEADER + length);
    const stated = this.#buffer.toString('latin1', HEADER + length, HEADER + length + CRC_DIGITS);
    return openSegment(wire, stated, this.#peer(mnOf(wire)));
  }

  #good(opened: Opened & { ok: true }, used: number): Step {
    const { crc, encrypted } = opened;
    const raw = Buffer.from(this.#buffer.subarray(0, used));
    const segment = Buffer.from(opened.segment);
    return { used, result: { ok: true, at: this.#position, segment, crc, encrypted, raw } };
  }

  #mismatch(length: number, opened: Opened & { ok: false }, ended: boolean): Step | null {
    const end = this.#actualEnd(length);
    if (end.length !== length && opened.crcDigits === CRC_DIGITS) {
      if (!ended && !this.#endIsSeen(length)) return null;
      if (end.length !== null)
        return this.#printed(length, end.length) ?? this.#wrongLength(length, end.length);
      if (end.nextHeader < HEADER + length + CRC_DIGITS) {
        const message = `the header says ${length} bytes, but another frame begins after ${end.nextHeader}`;
        return this.#fail('length-mismatch', message, end.nextHeader);
      }
    }
    return this.#fail(opened.code, opened.message, HEADER + length + opened.crcDigits);
  }

  /** Print notation of cipher text, with the length of the plain text in the header, as the standard's examples have it. */
  #printed(stated: number, actual: number): Step | null {
    const used = HEADER + actual + CRC_DIGITS;
    const opened = this.#open(actual);
    if (!opened.ok)
      return opened.code === 'not-decrypted' ? this.#fail(opened.code, opened.message, used) : null;
    return opened.encrypted && opened.segment.length === stated ? this.#good(opened, used) : null;
  }

  #wrongLength(stated: number, actual: number): Step {
    const hint =
      characters(this.#buffer.subarray(HEADER, HEADER + actual)) === stated
        ? '; it counts characters, not bytes'
        : '';
    const message = `the header says ${stated} bytes, the data segment ends after ${actual}${hint}`;
    return this.#fail('length-mismatch', message, HEADER + actual + CRC_DIGITS);
  }

  #tooLong(length: number, allowed: number, ended: boolean): Step | null {
    if (!ended && !this.#endIsSeen(length)) return null;
    const end = this.#actualEnd(length);
    const line = this.#buffer.indexOf(NEWLINE) + 1;
    const most = Math.min(end.nextHeader, line > 0 ? line : Number.POSITIVE_INFINITY, this.#limit(length));
    const used = end.length === null ? most : HEADER + end.length + CRC_DIGITS;
    this.#passing = end.length === null;
    return this.#fail('too-long', `the header says ${length} bytes; at most ${allowed} are allowed`, used);
  }

  #incomplete(length: number): Step {
    const end = this.#actualEnd(length);
    if (end.length !== null && end.length !== length)
      return this.#printed(length, end.length) ?? this.#wrongLength(length, end.length);
    const missing = HEADER + length + CRC_DIGITS - end.nextHeader;
    return this.#fail('incomplete', `the frame ends ${missing} bytes before its length says`, end.nextHeader);
  }

  /**
   * A length beyond the frame's own end would hold up a sender that waits for its answer: a plain frame that ends with
   * the chunk, and whose checksum fits there, is told at once.
   */
  #endsEarly(length: number): Step | null {
    if (this.#buffer.at(-1) !== NEWLINE) return null;
    const end = this.#actualEnd(length);
    if (end.length === null || end.length >= length) return null;
    const opened = this.#open(end.length);
    const sound = opened.ok && !opened.encrypted && looksPlain(opened.segment);
    return sound ? this.#wrongLength(length, end.length) : null;
  }

  /** Enough is here to say where the frame at hand ends. */
  #endIsSeen(stated: number): boolean {
    if (this.#buffer.length >= this.#limit(stated) || this.#buffer.indexOf(NEWLINE, HEADER) >= 0) return true;
    return /##\d{4}/.test(this.#buffer.toString('latin1', 2, this.#limit(stated)));
  }

  /** How far a frame that states so much is looked at. */
  #limit(stated: number): number {
    return HEADER + Math.max(stated, this.#maxSegment) * this.#stretch + LOOKAHEAD;
  }

  /**
   * Where the frame at hand really ends: `length` of the data segment up to the `&&` that a checksum and a line end, or the
   * next frame, follow (null: no such end before the next frame), and where that next frame, or the end of what is here, lies.
   */
  #actualEnd(stated: number): { length: number | null; nextHeader: number } {
    const text = this.#buffer.toString('latin1', 0, this.#limit(stated));
    const next = /##\d{4}/.exec(text.slice(2));
    const nextHeader = next ? next.index + 2 : this.#buffer.length;
    const match = /&&[0-9A-Fa-f]{4}(?=\s|$)/.exec(text.slice(HEADER, nextHeader));
    return { length: match ? match.index + 2 : null, nextHeader };
  }

  /** Index of `##dddd`; -1 when there is none in what is looked at: as much as one piece of garbage may be long. */
  #findHeader(): number {
    const bytes = this.#buffer;
    const last = Math.min(bytes.length, this.#limit(0) + HEADER) - HEADER;
    for (let at = 0; at <= last; at += 1) if (isHeader(bytes, at)) return at;
    return -1;
  }

  /** Garbage is given line by line, once its line has ended: two broken lines are two errors. `start`: the next header. */
  #noHeader(start: number, ended: boolean): Step | null {
    const line = this.#buffer.indexOf(NEWLINE) + 1;
    const most = this.#limit(0);
    const piece = line > 0 && (start < 0 || line < start) ? line : start;
    if (piece > 0 && piece <= most) return this.#garbage(piece);
    // A header may be split between two chunks: its first bytes stay.
    if (piece > most || this.#buffer.length >= most + HEADER) return this.#garbage(most);
    return ended ? this.#garbage(this.#buffer.length) : null;
  }

  /** Line ends and blanks between frames, and a byte order mark before all, are no fault. */
  #garbage(used: number): Step {
    const raw = this.#buffer.subarray(0, used);
    const text = raw.toString('latin1');
    const blank = /^\s*$/.test(this.#position === 0 ? text.replace(BYTE_ORDER_MARK, '') : text);
    const silent = this.#passing || blank;
    if (raw.at(-1) === NEWLINE) this.#passing = false;
    if (silent) return { used, result: null };
    const digits = /^\s*##(\d{1,3})(?!\d)/.exec(text)?.[1];
    const hint = digits === undefined ? '' : `; here the length has ${digits.length} digits`;
    const message = `${used} bytes that belong to no frame (a frame begins with ## and four digits${hint})`;
    return this.#fail('no-header', message, used);
  }

  #fail(code: FrameError, message: string, used: number): Step {
    const raw = Buffer.from(this.#buffer.subarray(0, used));
    return { used, result: { ok: false, at: this.#position, code, message, raw } };
  }
}

function isHeader(bytes: Buffer, at: number): boolean {
  if (bytes[at] !== HASH || bytes[at + 1] !== HASH) return false;
  for (let i = at + 2; i < at + HEADER; i += 1) if (!isDigit(bytes[i] ?? 0)) return false;
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** MN stands before CP, in clear text in every edition. */
function mnOf(wire: Buffer): string | null {
  const head = wire.toString('latin1', 0, Math.min(wire.length, 256));
  return /(?:^|;)\s*MN\s*=\s*([^;]*?)\s*;/i.exec(head)?.[1] || null;
}

function characters(segment: Buffer): number | null {
  try {
    return wireText(segment).read(0, segment.length).length;
  } catch {
    // No text.
    return null;
  }
}

import type { Hj212Item } from './cp.ts';
import type { CrcVariant } from './crc.ts';
import { type SegmentError, SegmentFault } from './fault.ts';
import { type FrameError, type FrameResult, FrameSplitter, type FramingOptions } from './framing.ts';
import type { Edition } from './head.ts';
import { parseSegment } from './segment.ts';

/** One decoded frame as `qianliyan decode hj212` prints it. */
export type DecodedFrame =
  | {
      ok: true;
      edition: Edition;
      crc: CrcVariant;
      qn: string | null;
      st: string | null;
      cn: string | null;
      mn: string | null;
      flag: number | null;
      packet: { total: number; index: number } | null;
      /** The first, `YYYYMMDDhhmmss` as sent, Beijing time; an item of another time has a `dataTime` of its own. */
      dataTime: string | null;
      resent: boolean;
      /** SM4; what follows is of the plain text. */
      encrypted: boolean;
      items: Hj212Item[];
    }
  | {
      ok: false;
      code: FrameError | SegmentError;
      message: string;
      /** Byte position in the whole input. */
      at: number;
      /** The bytes at fault; what is not ASCII stands as \xNN. */
      raw: string;
    };

/** Decodes a byte stream of frames, one a line or back to back. */
export class Hj212Decoder {
  readonly #splitter: FrameSplitter;

  constructor(options: FramingOptions = {}) {
    this.#splitter = new FrameSplitter(options);
  }

  push(chunk: Uint8Array): DecodedFrame[] {
    return this.#splitter.push(chunk).map(decodeFrame);
  }

  end(): DecodedFrame[] {
    return this.#splitter.end().map(decodeFrame);
  }
}

function decodeFrame(frame: FrameResult): DecodedFrame {
  if (!frame.ok)
    return { ok: false, code: frame.code, message: frame.message, at: frame.at, raw: printable(frame.raw) };
  try {
    const { edition, qn, st, cn, mn, flag, packet, dataTime, resent, items } = parseSegment(frame.segment);
    const { crc, encrypted } = frame;
    return { ok: true, edition, crc, qn, st, cn, mn, flag, packet, dataTime, resent, encrypted, items };
  } catch (error) {
    if (!(error instanceof SegmentFault)) throw error;
    const at = frame.at + HEADER + error.at;
    return { ok: false, code: error.code, message: error.message, at, raw: printable(frame.segment) };
  }
}

const HEADER = 6;
const RAW_LIMIT = 2048;

function printable(bytes: Buffer): string {
  const shown = bytes.subarray(0, RAW_LIMIT).toString('latin1');
  return shown.replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

import { TextDecoder } from 'node:util';
import { SegmentFault } from './fault.ts';

/**
 * A data segment as text whose positions are bytes. Structure is found in `bytes as Latin-1` (one character a byte), which
 * is safe: every sign that HJ 212 gives a meaning is below 0x40, where neither UTF-8 nor GB 18030 put a part of another
 * character except digits. Only names and values are then decoded.
 */
export interface WireText {
  /** One character a byte. */
  readonly latin1: string;
  /** What stands there, for people: UTF-8 (2017 6.2), or GB 18030 as older devices send it. */
  read(from: number, to: number): string;
}

/** @throws SegmentFault `encoding` at the first byte that fits neither. */
export function wireText(bytes: Uint8Array): WireText {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (!/[\x80-\xff]/.test(latin1)) return { latin1, read: (from, to) => latin1.slice(from, to) };
  const decoder = decoderFor(bytes);
  return { latin1, read: (from, to) => decoder.decode(bytes.subarray(from, to)) };
}

function decoderFor(bytes: Uint8Array): TextDecoder {
  for (const name of ['utf-8', 'gb18030']) {
    try {
      new TextDecoder(name, { fatal: true }).decode(bytes);
      return new TextDecoder(name, { ignoreBOM: true });
    } catch {
      // Not in this encoding.
    }
  }
  const at = bytes.findIndex((byte) => byte > 0x7f);
  throw new SegmentFault('encoding', 'neither UTF-8 nor GB 18030 text (encrypted, perhaps)', at);
}

/** A piece of text and where it begins, in bytes. */
export interface Piece {
  text: string;
  at: number;
}

/** The pieces between separators that hold more than blanks, each with its position. */
export function* pieces({ text, at }: Piece, separator: string, mask = text): Generator<Piece> {
  let begin = 0;
  while (begin <= text.length) {
    const found = mask.indexOf(separator, begin);
    const end = found < 0 ? text.length : found;
    const piece = text.slice(begin, end);
    if (piece.trim() !== '') yield { text: piece, at: at + begin };
    begin = end + 1;
  }
}

/** `NAME=VALUE` with blanks around either dropped. @throws SegmentFault `field` */
export function nameAndValue(piece: Piece, wire: WireText): { name: string; value: string; at: number } {
  const equals = piece.text.indexOf('=');
  const whole = wire.read(piece.at, piece.at + piece.text.length);
  if (equals < 1 || piece.text.slice(0, equals).trim() === '') throw notAField(whole, piece.at);
  const value = wire.read(piece.at + equals + 1, piece.at + piece.text.length).trim();
  return { name: wire.read(piece.at, piece.at + equals).trim(), value, at: piece.at };
}

function notAField(text: string, at: number): SegmentFault {
  const wide = /[＝；，＆]/.test(text) ? '; it holds full-width signs where = ; , & are meant' : '';
  return new SegmentFault('field', `${JSON.stringify(text)} is not NAME=VALUE${wide}`, at);
}

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { cpRange, parseHead } from './head.ts';
import { wireText } from './text.ts';

/**
 * HJ 212-2025 6.4.2 and Appendix A.2: SM4, ECB, no padding, over the inside of `CP=&&…&&`. Whole groups of 16 bytes are encrypted, the rest
 * stays plain. Length and head stay as they are, and the CRC is that of the PLAIN segment. On the wire the groups are taken
 * to be raw bytes (the lengths in the standard's example say so); its print notation `{0xE4,0x3E,…}` is read too where the
 * caller allows it, since public implementations send that.
 */
const GROUP = 16;
const BRACES = /^\{((?:0[xX][0-9a-fA-F]{2}(?:,(?=0)|(?=\})))*)\}/;

export function isSm4Key(key: Uint8Array): boolean {
  return key.length === GROUP;
}

/** The segment as it travels. @throws SegmentFault without CP */
export function encryptSegment(segment: Buffer, key: Uint8Array): Buffer {
  return overGroups(segment, (groups) => {
    const cipher = createCipheriv('sm4-ecb', key, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(groups), cipher.final()]);
  });
}

/** The plain segment; with a wrong key, noise. @throws SegmentFault without CP */
export function decryptSegment(segment: Buffer, key: Uint8Array): Buffer {
  return overGroups(segment, (groups) => {
    const decipher = createDecipheriv('sm4-ecb', key, null).setAutoPadding(false);
    return Buffer.concat([decipher.update(groups), decipher.final()]);
  });
}

/** The segment with `{0x..,0x..}` written as the bytes that it stands for; null when it is not written so. */
export function withoutBraces(segment: Buffer): Buffer | null {
  const range = rangeOf(segment);
  if (range === null) return null;
  const found = BRACES.exec(segment.toString('latin1', range.from, range.to));
  if (found?.[1] === undefined) return null;
  const bytes = Buffer.from(found[1].replace(/0[xX]|,/g, ''), 'hex');
  if (bytes.length % GROUP !== 0) return null;
  const rest = segment.subarray(range.from + found[0].length);
  return Buffer.concat([segment.subarray(0, range.from), bytes, rest]);
}

/**
 * Whether a segment reads as plain text: the inside of CP is empty or begins with a name and `=`, and holds no control
 * characters. Cipher text passes with about 1 in 1,000 for its beginning alone.
 */
export function looksPlain(segment: Buffer): boolean {
  const inside = insideOf(segment);
  return /^[\s;,]*(?:[\w-]{1,40}[ \t]*=|$)/.test(inside) && !/[^\t\r\n\x20-\x7e\x80-\xff]/.test(inside);
}

/** Whether it is text in an encoding that devices use, without control characters: Chinese names, too, are plain. */
export function readsAsText(segment: Buffer): boolean {
  try {
    const { read } = wireText(segment);
    return !/[\p{Cc}\ufffd]/u.test(read(0, segment.length).replaceAll(/[\t\r\n]/g, ''));
  } catch {
    return false;
  }
}

/**
 * Whether it is cipher text: version 2 in Flag, and an inside of at least one group that reads as no text and of which
 * more than a quarter is no printable ASCII (of cipher text 63 % are not). A damaged plain frame is not.
 */
export function looksEncrypted(segment: Buffer): boolean {
  const range = rangeOf(segment);
  if (range === null || range.to - range.from < GROUP || looksPlain(segment) || !isVersion2(segment))
    return false;
  if (withoutBraces(segment) !== null) return true;
  const inside = segment.subarray(range.from, range.to);
  const odd = inside.reduce((n, byte) => (byte < 0x20 || byte > 0x7e ? n + 1 : n), 0);
  return odd * 4 > inside.length - (inside.length % GROUP) && !readsAsText(segment);
}

function overGroups(segment: Buffer, change: (groups: Buffer) => Buffer): Buffer {
  const { from, to } = cpRange(segment.toString('latin1'));
  const end = to - ((to - from) % GROUP);
  return Buffer.concat([
    segment.subarray(0, from),
    change(segment.subarray(from, end)),
    segment.subarray(end),
  ]);
}

function insideOf(segment: Buffer): string {
  const range = rangeOf(segment);
  return range === null ? '' : segment.toString('latin1', range.from, range.to);
}

function isVersion2(segment: Buffer): boolean {
  try {
    return (parseHead(segment).flag ?? 0) >> 2 === 2;
  } catch {
    return false;
  }
}

function rangeOf(segment: Buffer) {
  try {
    return cpRange(segment.toString('latin1'));
  } catch {
    return null;
  }
}

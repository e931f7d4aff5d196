import { pictureType } from './picture-type.ts';

/**
 * What EXIF (CIPA DC-008) says of a picture: JPEG (segment APP1), PNG (chunk eXIf) and WebP (chunk EXIF). Works on any
 * bytes: never throws, never reads beyond the segment, follows at most two directories.
 */
export interface Exif {
  /** An ASCII value of the first directory (IFD0); null when it is not there. */
  text(tag: number): string | null;
  /** An ASCII value of the EXIF directory. */
  exifText(tag: number): string | null;
}

const EXIF_HEADER = 'Exif\0\0';
const TAG_EXIF_IFD = 0x8769;
const MOST_ENTRIES = 512;
const MOST_CHUNKS = 1_000;

/** Null when the picture holds no EXIF that can be read. */
export function readExif(picture: Buffer): Exif | null {
  const tiff = exifSegment(picture);
  const reader = tiff === null ? null : tiffReader(tiff);
  if (reader === null) return null;
  const first = reader.u32(4);
  const exif = reader.entry(first, TAG_EXIF_IFD)?.value;
  return {
    text: (tag) => reader.text(reader.entry(first, tag)),
    exifText: (tag) => (exif === undefined ? null : reader.text(reader.entry(exif, tag))),
  };
}

/** The TIFF structure inside. */
function exifSegment(picture: Buffer): Buffer | null {
  switch (pictureType(picture)) {
    case 'image/jpeg':
      return jpegSegment(picture);
    case 'image/png':
      return chunk(picture, 8, 'eXIf', { lengthFirst: true });
    case 'image/webp':
      return withoutHeader(chunk(picture, 12, 'EXIF', { lengthFirst: false }));
    case null:
      return null;
  }
}

function jpegSegment(jpeg: Buffer): Buffer | null {
  let at = 2;
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff) {
    const marker = jpeg[at + 1] ?? 0;
    const length = jpeg.readUInt16BE(at + 2);
    // SOS: the picture's data begin, no more segments.
    if (marker === 0xda || length < 2) return null;
    const body = jpeg.subarray(at + 4, at + 2 + length);
    if (marker === 0xe1 && body.toString('latin1', 0, 6) === EXIF_HEADER) return body.subarray(6);
    at += 2 + length;
  }
  return null;
}

/** PNG: length, name, data, CRC. RIFF: name, length (little-endian), data, padded to an even length. */
function chunk(
  bytes: Buffer,
  from: number,
  name: string,
  { lengthFirst }: { lengthFirst: boolean },
): Buffer | null {
  let at = from;
  for (let i = 0; i < MOST_CHUNKS && at + 8 <= bytes.length; i++) {
    const length = lengthFirst ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at + 4);
    const nameAt = lengthFirst ? at + 4 : at;
    if (bytes.toString('latin1', nameAt, nameAt + 4) === name) return bytes.subarray(at + 8, at + 8 + length);
    at += 8 + length + (lengthFirst ? 4 : length % 2);
  }
  return null;
}

/** Some writers of WebP put JPEG's header before it. */
function withoutHeader(exif: Buffer | null): Buffer | null {
  return exif?.toString('latin1', 0, 6) === EXIF_HEADER ? exif.subarray(6) : exif;
}

interface Entry {
  count: number;
  /** The four value bytes as a number: an offset where the value is longer. */
  value: number;
  at: number;
}

function tiffReader(tiff: Buffer) {
  const order = tiff.toString('latin1', 0, 2);
  if ((order !== 'II' && order !== 'MM') || tiff.length < 8) return null;
  const little = order === 'II';
  const inside = (at: number, bytes: number) => at >= 0 && at + bytes <= tiff.length;
  const u16 = (at: number): number => {
    if (!inside(at, 2)) return 0;
    return little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at);
  };
  const u32 = (at: number): number => {
    if (!inside(at, 4)) return 0;
    return little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at);
  };
  return {
    u32,
    entry(directory: number, tag: number): Entry | undefined {
      const entries = Math.min(u16(directory), MOST_ENTRIES);
      for (let i = 0; i < entries; i++) {
        const at = directory + 2 + i * 12;
        if (u16(at) === tag) return { count: u32(at + 4), value: u32(at + 8), at: at + 8 };
      }
      return undefined;
    },
    /** An ASCII value: up to four bytes stand in the entry itself. */
    text(entry: Entry | undefined): string | null {
      if (entry === undefined || entry.count > 64) return null;
      const at = entry.count <= 4 ? entry.at : entry.value;
      return inside(at, entry.count) ? tiff.toString('latin1', at, at + entry.count) : null;
    },
  };
}

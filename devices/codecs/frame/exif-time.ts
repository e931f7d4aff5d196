/**
 * When a JPEG was taken, by its EXIF (CIPA DC-008): DateTimeOriginal (0x9003) with OffsetTimeOriginal (0x9011) or, in
 * its absence, the zone that is handed in; SubSecTimeOriginal (0x9291) is not read. Works on any bytes: never throws,
 * never reads beyond the APP1 segment, follows at most two directories.
 */

const EXIF_HEADER = 'Exif\0\0';
const TAG_EXIF_IFD = 0x8769;
const TAG_DATE_TIME_ORIGINAL = 0x9003;
const TAG_OFFSET_TIME_ORIGINAL = 0x9011;
const MOST_ENTRIES = 512;

/** Epoch ms, or null when the picture does not tell. */
export function exifTime(jpeg: Buffer, utcOffsetMs: number): number | null {
  const tiff = exifSegment(jpeg);
  if (tiff === null) return null;
  const reader = tiffReader(tiff);
  if (reader === null) return null;
  const exifAt = reader.entry(reader.u32(4), TAG_EXIF_IFD)?.value;
  if (exifAt === undefined) return null;
  const taken = reader.text(reader.entry(exifAt, TAG_DATE_TIME_ORIGINAL));
  const offset = reader.text(reader.entry(exifAt, TAG_OFFSET_TIME_ORIGINAL));
  return taken === null ? null : toEpochMs(taken, offset, utcOffsetMs);
}

/** `YYYY:MM:DD HH:MM:SS`, and `+HH:MM`. */
function toEpochMs(taken: string, offset: string | null, utcOffsetMs: number): number | null {
  const parts = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(taken);
  if (parts === null) return null;
  const [, y, mo, d, h, mi, s] = parts;
  const local = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  const zone = /^([+-])(\d\d):(\d\d)/.exec(offset ?? '');
  const shift =
    zone === null
      ? utcOffsetMs
      : (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000;
  return Number.isNaN(local) ? null : local - shift;
}

/** The TIFF structure inside the first APP1 segment that holds EXIF. */
function exifSegment(jpeg: Buffer): Buffer | null {
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

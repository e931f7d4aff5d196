import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { encodeRecord } from '../backbone/codec.ts';
import type { Blobs, Stream } from '../backbone/index.ts';
import { type Frame, TOPICS } from '../contracts/index.ts';
import { pictureType, type Rejected } from '../devices/codecs/index.ts';
import type { IngestConfig } from './config.ts';

/**
 * Pictures: looked at without decoding them, stored untouched, then told to the detectors.
 *
 *   header ─▶ known format? declared size allowed? ─▶ bytes durable in the blob store ─▶ Frame durable on the stream
 *
 * A decompression bomb is refused by the size that its header declares, before a pixel is decoded. A picture whose
 * header is sound but whose data end early is taken as it is: what can be seen of it is the image stage's to say.
 * At most PICTURES_AT_A_TIME are under way; further ones wait, unacknowledged.
 */
export interface Pictures {
  /** Resolves when durable, or with why not; rejects when a store is away. */
  take(picture: PictureIn): Promise<'stored' | 'duplicate' | Rejected>;
}

export interface PictureIn {
  camera: string;
  time: number;
  receivedAt: number;
  bytes: Buffer;
}

const PICTURES_AT_A_TIME = 4;
const RECENT_PLACES = 8;

/** A picture of a camera that came lately; `stored` settles when it is durable, or not. */
interface RecentPicture {
  time: number;
  sha256: string;
  stored: Promise<unknown>;
}

export function pictures(config: IngestConfig, deps: { stream: Stream; blobs: Blobs }): Pictures {
  /** By camera id, newest last. */
  const recent = new Map<string, RecentPicture[]>();
  const inTurn = turnstile(PICTURES_AT_A_TIME);

  async function store(picture: PictureIn, size: PictureSize): Promise<void> {
    const { camera, time, receivedAt, bytes } = picture;
    const { mediaType, width, height } = size;
    const blob = await deps.blobs.put(bytes);
    const frame: Frame = {
      type: 'frame',
      camera,
      time,
      receivedAt,
      blob,
      mediaType,
      width,
      height,
      bytes: bytes.length,
    };
    await deps.stream.append(TOPICS.frames, [{ key: camera, value: encodeRecord(frame) }]);
  }

  async function take(picture: PictureIn): Promise<'stored' | 'duplicate' | Rejected> {
    const size = await inspect(picture.bytes, config.maxPicturePixels);
    if ('reason' in size) return size;
    const sha256 = createHash('sha256').update(picture.bytes).digest('hex');
    const lately = recent.get(picture.camera) ?? [];
    const known = lately.find((one) => one.time === picture.time);
    if (known !== undefined) {
      if (known.sha256 !== sha256) return conflict(picture.time, known.sha256);
      // The first one may still be under way: no word before it is durable.
      await known.stored;
      return 'duplicate';
    }
    const entry: RecentPicture = { time: picture.time, sha256, stored: store(picture, size) };
    recent.set(picture.camera, [...lately, entry].slice(-RECENT_PLACES));
    try {
      await entry.stored;
    } catch (error) {
      const others = (recent.get(picture.camera) ?? []).filter((one) => one !== entry);
      recent.set(picture.camera, others);
      throw error;
    }
    return 'stored';
  }

  return { take: (picture) => inTurn(() => take(picture)) };
}

function conflict(time: number, sha256: string): Rejected {
  const detail = `picture at ${new Date(time).toISOString()}: another one (SHA-256 ${sha256}) is stored for that time`;
  return { reason: 'duplicate-conflict', detail };
}

interface PictureSize {
  mediaType: Frame['mediaType'];
  /** Pixels of the upright image. */
  width: number;
  height: number;
}

/** Reads the header only. */
export async function inspect(bytes: Buffer, maxPixels: number): Promise<PictureSize | Rejected> {
  const mediaType = pictureType(bytes);
  try {
    // The limit is held below: libvips' own would hide how large the picture claims to be.
    const { format, autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata();
    const { width, height } = autoOrient;
    if (mediaType === null || `image/${format}` !== mediaType) {
      return { reason: 'not-a-picture', detail: `payload: ${format} found; JPEG, PNG or WebP is allowed` };
    }
    if (width * height > maxPixels) {
      const detail = `payload: ${width} × ${height} pixels declared; at most ${maxPixels} are allowed`;
      return { reason: 'picture-too-large', detail };
    }
    if (isCutShort(bytes, mediaType)) {
      const detail = `payload: ${mediaType} that ends before its end mark, after ${bytes.length} bytes`;
      return { reason: 'not-a-picture', detail };
    }
    return { mediaType, width, height };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { reason: 'not-a-picture', detail: `payload: its header cannot be read (${why})` };
  }
}

/**
 * Whether a picture lacks its end, as after a broken upload. Seen from its marks, without decoding: a JPEG's last scan (SOS)
 * must be followed by EOI, which cannot stand within a scan; an EXIF thumbnail brings both marks of its own, but earlier.
 */
function isCutShort(bytes: Buffer, mediaType: Frame['mediaType']): boolean {
  switch (mediaType) {
    case 'image/jpeg':
      return bytes.lastIndexOf(JPEG_EOI) < bytes.lastIndexOf(JPEG_SOS);
    case 'image/png':
      return bytes.lastIndexOf('IEND') < 0;
    case 'image/webp':
      return bytes.readUInt32LE(4) > bytes.length - 8;
  }
}

const JPEG_SOS = Buffer.from([0xff, 0xda]);
const JPEG_EOI = Buffer.from([0xff, 0xd9]);

/** Lets so many pieces of work run at a time; the others stand in line. */
function turnstile(atATime: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < atATime) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

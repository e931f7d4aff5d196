import { type Exif, readExif } from './exif.ts';

/**
 * When a picture was taken, by its EXIF: DateTimeOriginal (0x9003) with OffsetTimeOriginal (0x9011) or, in its absence,
 * the zone that is handed in; SubSecTimeOriginal (0x9291) is not read.
 */
const TAG_DATE_TIME_ORIGINAL = 0x9003;
const TAG_OFFSET_TIME_ORIGINAL = 0x9011;

/** Epoch ms, or null when the picture does not tell. */
export function exifTime(picture: Buffer, utcOffsetMs: number): number | null {
  const exif = readExif(picture);
  const taken = exif?.exifText(TAG_DATE_TIME_ORIGINAL) ?? null;
  if (exif === null || taken === null) return null;
  return toEpochMs(taken, exif.exifText(TAG_OFFSET_TIME_ORIGINAL), utcOffsetMs);
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

/** BodySerialNumber (0xA431), or what DNG calls CameraSerialNumber (0xC62F, in the first directory). */
const TAG_BODY_SERIAL_NUMBER = 0xa431;
const TAG_CAMERA_SERIAL_NUMBER = 0xc62f;

/** The camera's serial number; null when the picture does not tell. */
export function exifSerial(picture: Buffer): string | null {
  const exif = readExif(picture);
  return serial(exif, 'exifText', TAG_BODY_SERIAL_NUMBER) ?? serial(exif, 'text', TAG_CAMERA_SERIAL_NUMBER);
}

function serial(exif: Exif | null, where: 'text' | 'exifText', tag: number): string | null {
  const said = exif?.[where](tag)?.replace(/\0.*$/s, '').trim() ?? '';
  return /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(said) ? said : null;
}

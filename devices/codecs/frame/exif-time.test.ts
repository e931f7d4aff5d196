import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { exifSerial, exifTime } from './exif-time.ts';

const BEIJING = 8 * 3_600_000;
const TAKEN = Date.parse('2026-11-22T22:05:00+08:00');

async function jpeg(exif: Record<string, string>): Promise<Buffer> {
  const blank = sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } });
  return blank.withExif({ IFD2: exif }).jpeg().toBuffer();
}

describe('time from EXIF', () => {
  let local: Buffer;
  beforeAll(async () => {
    local = await jpeg({ DateTimeOriginal: '2026:11:22 22:05:00' });
  });

  it('reads local time in the zone that is handed in', () => {
    expect(exifTime(local, BEIJING)).toBe(TAKEN);
  });

  it('believes a zone that the camera states', async () => {
    const stated = await jpeg({ DateTimeOriginal: '2026:11:22 14:05:00', OffsetTimeOriginal: '+00:00' });
    expect(exifTime(stated, BEIJING)).toBe(TAKEN);
  });

  it('says null where there is no time', async () => {
    expect(exifTime(await jpeg({ UserComment: 'none' }), BEIJING)).toBeNull();
    expect(exifTime(Buffer.from([0xff, 0xd8, 0xff, 0xd9]), BEIJING)).toBeNull();
  });

  it.each(['png', 'webp'] as const)('reads %s as well', async (format) => {
    const blank = sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } });
    const exif = { DateTimeOriginal: '2026:11:22 22:05:00', BodySerialNumber: 'SN 0042' };
    const picture = await blank.withExif({ IFD2: exif }).toFormat(format).toBuffer();
    expect(exifTime(picture, BEIJING)).toBe(TAKEN);
    expect(exifSerial(picture)).toBe('SN 0042');
    for (let end = 0; end < picture.length; end++) exifTime(picture.subarray(0, end), BEIJING);
  });

  it('reads the serial number of the camera, where it is one', async () => {
    expect(exifSerial(await jpeg({ BodySerialNumber: 'SN-7  ' }))).toBe('SN-7');
    expect(exifSerial(await jpeg({ BodySerialNumber: '  ' }))).toBeNull();
    expect(exifSerial(local)).toBeNull();
  });

  it('survives any damage', () => {
    const damage = fc.array(fc.tuple(fc.nat(local.length - 1), fc.nat(255)), { maxLength: 20 });
    fc.assert(
      fc.property(damage, fc.nat(local.length), (changes, end) => {
        const broken = Buffer.from(local.subarray(0, end));
        for (const [at, byte] of changes) if (at < broken.length) broken[at] = byte;
        const time = exifTime(broken, BEIJING);
        expect(time === null || Number.isFinite(time)).toBe(true);
        expect(exifSerial(broken) ?? 'none').not.toBe('');
      }),
      { numRuns: 2_000 },
    );
  });
});

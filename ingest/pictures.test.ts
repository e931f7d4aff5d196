import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspect } from './pictures.ts';

const MAX_PIXELS = 50_000_000;
const blank = sharp({ create: { width: 640, height: 360, channels: 3, background: '#446688' } });

describe('a picture is looked at before it is kept', () => {
  for (const format of ['jpeg', 'png', 'webp'] as const) {
    it(`a whole ${format} is taken with its size`, async () => {
      const bytes = await blank.clone().toFormat(format).toBuffer();
      expect(await inspect(bytes, MAX_PIXELS)).toEqual({
        mediaType: `image/${format}`,
        width: 640,
        height: 360,
      });
    });

    it(`a ${format} that was cut short is no picture`, async () => {
      const bytes = await blank.clone().toFormat(format).toBuffer();
      const cut = bytes.subarray(0, Math.ceil(bytes.length * 0.9));
      expect(await inspect(cut, MAX_PIXELS)).toMatchObject({ reason: 'not-a-picture' });
    });
  }

  it('what a camera writes behind the end of a JPEG does no harm', async () => {
    const bytes = Buffer.concat([await blank.clone().jpeg().toBuffer(), Buffer.from('serial 0042')]);
    expect(await inspect(bytes, MAX_PIXELS)).toMatchObject({ mediaType: 'image/jpeg' });
  });
});

import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ModelInput } from '../models/manifest.ts';
import { nms } from './nms.ts';
import { preparePicture } from './pixels.ts';

const input = ModelInput.parse({
  name: 'images',
  width: 64,
  height: 32,
  colours: 'rgb',
  fit: 'letterbox-centre',
  pad: 7,
});
const PLANE = 64 * 32;

/** A picture whose left half is red and whose right half is blue. */
function halves(width: number, height: number) {
  const blue = {
    create: { width: Math.floor(width / 2), height, channels: 3, background: '#0000ff' },
  } as const;
  const base = sharp({ create: { width, height, channels: 3, background: '#ff0000' } });
  return base.composite([{ input: blue, left: Math.ceil(width / 2), top: 0 }]);
}

/** Colour of the tensor at a place, channel by channel. */
const at = (tensor: Float32Array, x: number, y: number) =>
  [0, 1, 2].map((c) => Math.round(tensor[c * PLANE + y * 64 + x] ?? -1));

describe('a picture becomes the tensor that the manifest asks for', () => {
  it('keeps its shape in the middle of the letterbox, with the padding around it', async () => {
    const { tensor, placement, width, height } = await preparePicture(
      await halves(100, 100).png().toBuffer(),
      input,
    );
    expect({ width, height }).toEqual({ width: 100, height: 100 });
    expect(placement).toMatchObject({ left: 16, top: 0, width: 32, height: 32 });
    expect(at(tensor, 3, 16)).toEqual([7, 7, 7]);
    expect(at(tensor, 20, 16)).toEqual([255, 0, 0]);
    expect(at(tensor, 44, 16)).toEqual([0, 0, 255]);
  });

  it('gives BGR, scale, mean and deviation as asked', async () => {
    const other = {
      ...input,
      colours: 'bgr' as const,
      fit: 'stretch' as const,
      scale: 1 / 255,
      mean: [0.5, 0, 0] as [number, number, number],
      std: [0.5, 1, 1] as [number, number, number],
    };
    const { tensor } = await preparePicture(await halves(100, 50).png().toBuffer(), other);
    expect(at(tensor, 5, 5)).toEqual([-1, 0, 1]);
    expect(at(tensor, 60, 5)).toEqual([1, 0, 0]);
  });

  it('lays channels side by side for NHWC', async () => {
    const { tensor } = await preparePicture(await halves(100, 50).png().toBuffer(), {
      ...input,
      layout: 'nhwc',
      fit: 'stretch',
    });
    expect([...tensor.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect([...tensor.subarray(63 * 3, 64 * 3)]).toEqual([0, 0, 255]);
  });

  it('turns a picture upright before anything else', async () => {
    // Orientation 6: the camera lay on its side; the left of the file is the top of the picture.
    const lying = await halves(80, 40).jpeg({ quality: 100 }).withMetadata({ orientation: 6 }).toBuffer();
    const { width, height, tensor } = await preparePicture(lying, { ...input, fit: 'stretch' });
    expect({ width, height }).toEqual({ width: 40, height: 80 });
    const [top, bottom] = [at(tensor, 30, 3), at(tensor, 30, 28)];
    expect(top[0]).toBeGreaterThan(200);
    expect(bottom[2]).toBeGreaterThan(200);
  });

  it.each([
    ['16-bit PNG', async () => halves(64, 32).toColourspace('rgb16').png().toBuffer()],
    ['PNG with transparency', async () => halves(64, 32).ensureAlpha(0.999).png().toBuffer()],
    ['PNG with a palette', async () => halves(64, 32).png({ palette: true }).toBuffer()],
    ['first frame of an animated WebP', async () => animated()],
  ])('handles a %s', async (_, make) => {
    const { tensor } = await preparePicture(await make(), { ...input, fit: 'stretch' });
    const [r = 0, g = 0, b = 0] = at(tensor, 8, 16);
    expect(r).toBeGreaterThan(225);
    expect(Math.max(g, b)).toBeLessThan(30);
  });

  it('handles a CMYK JPEG: red stays redder than blue', async () => {
    const cmyk = await halves(64, 32).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const { tensor } = await preparePicture(cmyk, { ...input, fit: 'stretch' });
    expect(at(tensor, 8, 16)[0]).toBeGreaterThan((at(tensor, 8, 16)[2] ?? 0) + 80);
  });

  it('handles grey, a single pixel and a line', async () => {
    const grey = await halves(64, 32).toColourspace('b-w').png().toBuffer();
    expect(new Set(at((await preparePicture(grey, input)).tensor, 5, 5)).size).toBe(1);
    for (const [w, h] of [
      [1, 1],
      [3000, 1],
      [1, 3000],
    ] as const) {
      const dot = await sharp({ create: { width: w, height: h, channels: 3, background: '#fff' } })
        .png()
        .toBuffer();
      expect(await preparePicture(dot, input)).toMatchObject({ width: w, height: h });
    }
  });
});

async function animated(): Promise<Buffer> {
  const frame = (background: string) => ({
    create: { width: 32, height: 32, channels: 3 as const, background },
  });
  const frames = ['#ff0000', '#0000ff'].map((colour) => sharp(frame(colour)).png().toBuffer());
  return sharp(await Promise.all(frames), { join: { animated: true } })
    .webp({ lossless: true })
    .toBuffer();
}

describe('what is no picture has a named reason', () => {
  const jpeg = () => halves(640, 360).jpeg().toBuffer();

  it.each([
    [
      'a text file named .jpg',
      async () => Buffer.from('this is no picture at all, whatever its name says'),
      'not-a-picture',
    ],
    ['an empty file', async () => Buffer.alloc(0), 'not-a-picture'],
    ['half a JPEG', async () => (await jpeg()).subarray(0, 900), 'picture-truncated'],
    ['a picture that says it is enormous', async () => enormous(), 'picture-too-large'],
  ])('%s: %#', async (_, make, reason) => {
    await expect(preparePicture(await make(), input)).rejects.toMatchObject({
      name: 'UnreadablePicture',
      reason,
    });
  });

  it('random bytes behind a JPEG head never do more than be refused', async () => {
    const good = await jpeg();
    for (let seed = 1; seed <= 40; seed++) {
      const bytes = Buffer.from(good);
      for (let i = 0; i < 30; i++)
        bytes[2 + ((seed * 7919 + i * 104_729) % (bytes.length - 2))] = (seed * 31 + i * 17) & 255;
      const result = await preparePicture(bytes, input).catch((error: { reason: string }) => error.reason);
      expect(typeof result === 'string' ? /^(not-a-picture|picture-)/.test(result) : result.width > 0).toBe(
        true,
      );
    }
  });
});

/** A PNG whose head says 20,000 × 20,000 and that holds nothing: must be refused from the head alone. */
function enormous(): Buffer {
  const head = Buffer.alloc(33);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(head);
  head.writeUInt32BE(20_000, 16);
  head.writeUInt32BE(20_000, 20);
  head.set([8, 2, 0, 0, 0], 24);
  head.writeUInt32BE(crc32(head.subarray(12, 29)), 29);
  return Buffer.concat([
    head,
    Buffer.from('0000000049444154' + '35af061e' + '0000000049454e44ae426082', 'hex'),
  ]);
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

describe('boxes that overlap', () => {
  const box = (score: number, x: number, name = 'car') => ({
    score,
    name,
    box: [x, 0, 10, 10] as [number, number, number, number],
  });

  it('of one class become the best of them, best first', () => {
    const kept = nms([box(0.6, 0), box(0.9, 1), box(0.7, 30)], 0.5, (b) => b.name);
    expect(kept.map((b) => b.score)).toEqual([0.9, 0.7]);
  });

  it('of two classes are two things', () => {
    expect(nms([box(0.6, 0), box(0.9, 0, 'person')], 0.5, (b) => b.name)).toHaveLength(2);
  });
});

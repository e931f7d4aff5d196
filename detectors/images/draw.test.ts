import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { drawDetections } from './draw.ts';

const grey = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#808080' } });
const car = {
  class: 'car',
  score: 0.91,
  box: [20, 20, 40, 30] as [number, number, number, number],
  track: 3,
};

async function pixel(jpeg: Buffer, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  return [...data.subarray((y * info.width + x) * info.channels, (y * info.width + x) * info.channels + 3)];
}

describe('a drawn copy', () => {
  it('shows box and label, leaves the rest as it was, and does not touch the original', async () => {
    const original = await grey(120, 90).jpeg({ quality: 95 }).toBuffer();
    const before = createHash('sha256').update(original).digest('hex');
    const drawn = await drawDetections(original, [car]);
    expect(createHash('sha256').update(original).digest('hex')).toBe(before);
    expect(await sharp(drawn).metadata()).toMatchObject({ format: 'jpeg', width: 120, height: 90 });
    const edge = await pixel(drawn, 20, 40);
    expect(edge[0]! - edge[2]!).toBeGreaterThan(60); // orange
    expect(Math.abs((await pixel(drawn, 100, 70))[0]! - 128)).toBeLessThan(6);
  });

  it('shows the zone in red', async () => {
    const drawn = await drawDetections(
      await grey(120, 90).jpeg().toBuffer(),
      [],
      [
        [10, 10],
        [110, 10],
        [110, 80],
        [10, 80],
      ],
    );
    const inside = await pixel(drawn, 60, 45);
    expect(inside[0]! - inside[1]!).toBeGreaterThan(15);
  });

  it('stands upright, as its boxes do', async () => {
    const lying = await grey(120, 90).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    expect(await sharp(await drawDetections(lying, [car])).metadata()).toMatchObject({
      width: 90,
      height: 120,
    });
  });

  it('of what is no picture is refused by name', async () => {
    await expect(drawDetections(Buffer.from('no picture'), [])).rejects.toMatchObject({
      reason: 'not-a-picture',
    });
  });
});

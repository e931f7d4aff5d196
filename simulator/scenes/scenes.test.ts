import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type SPLITS, trainingScene } from './dataset.ts';
import { fireLaneZone, picture, renderScene, type Story, sceneAt, stays, viewOf } from './index.ts';

const T0 = Date.parse('2026-11-22T21:40:00+08:00');
const MINUTE = 60_000;
const story: Story = {
  view: 'cam-01',
  seed: 7,
  utcOffsetMs: 8 * 60 * MINUTE,
  weather: 'clear',
  caption: 'CAM-01',
  trafficPerMin: 6,
  walkersPerMin: 4,
  shortcutsPerMin: 0.3,
  stays: [
    { id: 'v1', class: 'truck', place: 'fire-lane', from: T0 + 5 * MINUTE, to: T0 + 30 * MINUTE },
    { id: 'v2', class: 'car', place: 'kerb', from: T0, to: T0 + 60 * MINUTE },
  ],
};

function inside([x, y]: readonly [number, number], polygon: readonly (readonly [number, number])[]): boolean {
  let odd = false;
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  });
  return odd;
}

describe('a picture', () => {
  it('is the same for the same scene and seed, and another for another seed', async () => {
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => renderScene(sceneAt(story, T0), seed)));
    expect(a!.jpeg.equals(b!.jpeg)).toBe(true);
    expect(a!.truth).toEqual(b!.truth);
    expect(a!.jpeg.equals(c!.jpeg)).toBe(false);
  });

  it('is a JPEG of 640 × 360 whose truth lies within it', async () => {
    for (let i = 0; i < 6; i++) {
      // Two streets, three scenes each: a street is dear, a scene on it is cheap.
      const { jpeg, truth } = await renderScene(trainingScene('test', i + (i % 2) * 20), i);
      expect(await sharp(jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 640, height: 360 });
      for (const {
        box: [x, y, w, h],
        visible,
      } of truth) {
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
        expect(x + w).toBeLessThanOrEqual(640.2);
        expect(y + h).toBeLessThanOrEqual(360.2);
        expect(visible).toBeGreaterThanOrEqual(0.35);
      }
    }
  });

  it('shows what its truth says: where a box is, the picture differs from the empty street', async () => {
    const scene = {
      ...sceneAt(story, T0 + 10 * MINUTE),
      imaging: { noise: 0, blur: 0, quality: 95, jitter: 0 },
    };
    const [full, empty] = await Promise.all([
      renderScene(scene, 1),
      renderScene({ ...scene, actors: [] }, 1),
    ]);
    const [a, b] = await Promise.all([full!, empty!].map((p) => sharp(p.jpeg).greyscale().raw().toBuffer()));
    expect(full!.truth.map((t) => t.actor)).toContain('v1');
    expect(empty!.truth).toEqual([]);
    for (const {
      box: [x, y, w, h],
    } of full!.truth) {
      let differs = 0;
      for (let v = Math.ceil(y); v < y + h - 1; v++)
        for (let u = Math.ceil(x); u < x + w - 1; u++)
          if (Math.abs(a![v * 640 + u]! - b![v * 640 + u]!) > 8) differs++;
      expect(differs / (w * h)).toBeGreaterThan(0.25);
    }
  });

  it('is dark at night and bright by day', async () => {
    const mean = async (hour: number) =>
      (
        await sharp((await renderScene({ ...sceneAt(story, T0), hour }, 1)).jpeg)
          .greyscale()
          .stats()
      ).channels[0]!.mean;
    expect(await mean(12)).toBeGreaterThan(1.2 * (await mean(23)));
  });
});

describe('a story', () => {
  it('gives the same scene for a time, whatever was asked before', () => {
    const forth = Array.from({ length: 40 }, (_, i) => sceneAt(story, T0 + i * MINUTE));
    const back = Array.from({ length: 40 }, (_, i) => sceneAt(story, T0 + (39 - i) * MINUTE)).reverse();
    expect(back).toEqual(forth);
  });

  it('has who stays in the lane standing in its zone, exactly from and to when it says', async () => {
    const zone = fireLaneZone(viewOf('cam-01')).map(([x, y]) => [x * 640, y * 360] as const);
    const standing = async (minute: number) => {
      const { truth } = await picture(story, T0 + minute * MINUTE);
      const found = truth.find((t) => t.actor === 'v1');
      return found
        ? inside([found.box[0] + found.box[2] / 2, found.box[1] + found.box[3] * 0.85], zone)
        : false;
    };
    expect(await Promise.all([4, 5, 12, 30, 31].map(standing))).toEqual([false, true, true, true, false]);
    expect(stays(story).map((s) => s.id)).toEqual(['v1']);
  });

  it('has traffic and people, more of them when asked for more', () => {
    const count = (over: Partial<Story>) =>
      Array.from(
        { length: 60 },
        (_, i) => sceneAt({ ...story, ...over }, T0 + i * MINUTE).actors.length,
      ).reduce((a, b) => a + b, 0);
    expect(count({})).toBeGreaterThan(60);
    expect(count({ trafficPerMin: 0, walkersPerMin: 0, shortcutsPerMin: 0 })).toBe(26 + 60);
  });
});

describe('what the model is judged on', () => {
  it('are streets that it was not trained on, and not those of the demonstration', () => {
    const seeds = (split: keyof typeof SPLITS) =>
      Array.from({ length: 300 }, (_, i) => trainingScene(split, i * 10).view.seed);
    const demo = ['cam-01', 'cam-02', 'cam-03'].map((name) => viewOf(name).seed);
    const all = [new Set(seeds('train')), new Set(seeds('val')), new Set(seeds('test')), new Set(demo)];
    expect(new Set(all.flatMap((s) => [...s])).size).toBe(all.reduce((n, s) => n + s.size, 0));
  });
});

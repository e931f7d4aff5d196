/**
 * From a scene to a JPEG and its truth. The same scene and seed give the same pixels (JPEG bytes may differ between
 * versions of libvips). About 20 ms a picture once the backdrop is there.
 *
 *   backdrop (kept) ─┐
 *   actors, props ───┴▶ colours × light + what shines + glow of lamps + noise ─▶ caption ─▶ blur ─▶ JPEG
 */

import sharp from 'sharp';
import { type Backdrop, type BackdropProp, backdropOf } from './backdrop.ts';
import { burnIn } from './caption.ts';
import { line, svg } from './paint.ts';
import { paintPerson } from './person.ts';
import { chance } from './random.ts';
import { type Body, extentOf, truthOf } from './truth.ts';
import type { Actor, Extent, Pixel, RenderedScene, SceneState } from './types.ts';
import { type Glow, type Painted, paintVehicle } from './vehicle.ts';
import { type Lens, lensOf } from './view.ts';

export async function renderScene(scene: SceneState, seed: number): Promise<RenderedScene> {
  const c = chance('render', seed);
  const sway = scene.imaging.jitter;
  const shift: Pixel = [Math.round(c.between(-sway, sway)), Math.round(c.between(-sway, sway))];
  const backdrop = await backdropOf(scene);
  const lens = lensOf(scene.view, shift);
  const bodies = paintBodies(scene, lens, backdrop, shift);
  const rain = scene.weather === 'rain' ? drizzle(scene, seed) : '';
  const picture = svg(scene.view.width, scene.view.height, bodies.map((b) => b.svg).join('') + rain);
  const front = await sharp(picture).ensureAlpha().raw().toBuffer();
  const rgb = compose(scene, backdrop, front, shift, seed);
  for (const glow of bodies.flatMap((b) => b.glows)) shine(rgb, scene.view.width, scene.view.height, glow);
  if (scene.caption) burnIn(rgb, scene.view.width, scene.caption, 12, 12, 2);
  return { jpeg: await encode(scene, rgb), truth: truthOf(scene, bodies) };
}

type Drawn = Body & { svg: string; glows: Glow[] };

/**
 * Actors and props from far to near, each with the outline that truth and occlusion rest on. Props are in the backdrop
 * already; only one that stands before an actor is painted again, over it.
 */
function paintBodies(scene: SceneState, lens: Lens, { light, props }: Backdrop, shift: Pixel): Drawn[] {
  const wet = scene.weather === 'rain';
  const actors = scene.actors
    .filter((a) => lens.depth([a.at[0], a.at[1], 0.5]) > 2)
    .map((actor) => ({
      depth: nearest(actor, lens),
      actor,
      ...paintActor(actor, lens, light.sun, light.lamps > 0.3, wet),
    }));
  const still = props.map((p) => moved(p, shift));
  const hides = (prop: { depth: number; extent: Extent }) =>
    actors.some((a) => a.depth > prop.depth && overlap(extentOf(a.outline), prop.extent));
  const painted = still.map((p) => (hides({ depth: p.depth, extent: p.extent }) ? p : { ...p, svg: '' }));
  return [...actors, ...painted].sort((a, b) => b.depth - a.depth);
}

/** A prop as it is when the mast sways: what was painted, moved by whole pixels. */
function moved(prop: BackdropProp, [dx, dy]: Pixel): BackdropProp & { actor: null } {
  const [l, t, r, b] = prop.extent;
  return {
    ...prop,
    actor: null,
    svg: `<g transform="translate(${dx} ${dy})">${prop.svg}</g>`,
    outline: prop.outline.map(([x, y]): Pixel => [x + dx, y + dy]),
    extent: [l + dx, t + dy, r + dx, b + dy],
    glows: prop.glows.map((g) => ({ ...g, at: [g.at[0] + dx, g.at[1] + dy] as Pixel })),
  };
}

const overlap = (a: Extent, b: Extent) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

/** Sorting by the middle of a long truck would put a person beside its front behind it. */
function nearest(actor: Actor, lens: Lens): number {
  return lens.depth([actor.at[0], actor.at[1], 0]) - (actor.class === 'person' ? 0.2 : 0.6);
}

function paintActor(
  actor: Actor,
  lens: Lens,
  sun: Parameters<typeof paintVehicle>[2],
  dark: boolean,
  wet: boolean,
): Painted {
  return actor.class === 'person' ? paintPerson(actor, lens, sun, wet) : paintVehicle(actor, lens, sun, dark);
}

function drizzle(scene: SceneState, seed: number): string {
  const c = chance('rain', seed);
  let out = '';
  for (let i = 0; i < 90; i++) {
    const [x, y, l] = [c.between(-10, scene.view.width), c.between(-10, scene.view.height), c.between(8, 26)];
    out += line(
      [
        [x, y],
        [x - l * 0.16, y + l],
      ],
      [205, 212, 222],
      c.between(0.5, 1.1),
      c.between(0.12, 0.4),
    );
  }
  return out;
}

/** Sensor noise of deviation 1 for 65,536 pixels, mostly the same in all three channels. */
const NOISE_PIXELS = 65_536;
const NOISE = (() => {
  const c = chance('noise');
  const gauss = () => Math.sqrt(-2 * Math.log(1 - c.next())) * Math.cos(2 * Math.PI * c.next());
  const values = new Float32Array(NOISE_PIXELS * 3);
  for (let i = 0; i < values.length; i += 3) {
    const luma = gauss();
    for (let j = i; j < i + 3; j++) values[j] = luma + gauss() * 0.35;
  }
  return values;
})();

/** Backdrop where nothing is painted, else the painted colour under the light of its place; noise over all. */
function compose(
  scene: SceneState,
  backdrop: Backdrop,
  front: Buffer,
  shift: Pixel,
  seed: number,
): Uint8ClampedArray {
  const { width, height } = scene.view;
  const { empty, light } = backdrop;
  const out = new Uint8ClampedArray(width * height * 3);
  const sigma = scene.imaging.noise * (1 + 1.1 * light.lamps);
  const c = chance('rows', seed);
  for (let y = 0; y < height; y++) {
    const above = Math.min(height - 1, Math.max(0, y - shift[1])) * width;
    let n = c.int(0, NOISE_PIXELS - width - 1) * 3;
    let o = y * width * 3;
    for (let x = 0; x < width; x++, o += 3, n += 3) {
      const from = (above + Math.min(width - 1, Math.max(0, x - shift[0]))) * 3;
      const at = (y * width + x) * 4;
      if (front[at + 3] === 0) {
        out[o] = (empty[from] as number) + (NOISE[n] as number) * sigma;
        out[o + 1] = (empty[from + 1] as number) + (NOISE[n + 1] as number) * sigma;
        out[o + 2] = (empty[from + 2] as number) + (NOISE[n + 2] as number) * sigma;
      } else {
        blend(out, o, from, at, n, sigma, front, backdrop);
      }
    }
  }
  return out;
}

/** One pixel of what is painted before the backdrop: its colour under the light of the place, seen through the haze. */
function blend(
  out: Uint8ClampedArray,
  o: number,
  from: number,
  at: number,
  n: number,
  sigma: number,
  front: Buffer,
  { empty, lit, light }: Backdrop,
): void {
  const alpha = (front[at + 3] as number) / 255;
  const haze = lit[at + 3] as number;
  for (let j = 0; j < 3; j++) {
    const lightened = (front[at + j] as number) * (lit[at + j] as number);
    const colour = lightened * (1 - haze) + (light.haze.colour[j as 0] as number) * haze;
    out[o + j] =
      (empty[from + j] as number) * (1 - alpha) + colour * alpha + (NOISE[n + j] as number) * sigma;
  }
}

/** Adds a lamp's halo: bright core, wide soft edge. */
function shine(rgb: Uint8ClampedArray, width: number, height: number, { at, radius, colour }: Glow): void {
  const reach = Math.min(90, radius);
  const [x0, x1] = [Math.max(0, Math.floor(at[0] - reach)), Math.min(width - 1, Math.ceil(at[0] + reach))];
  const [y0, y1] = [Math.max(0, Math.floor(at[1] - reach)), Math.min(height - 1, Math.ceil(at[1] + reach))];
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const d = Math.hypot(x - at[0], y - at[1]) / reach;
      if (d >= 1) continue;
      const k = (1 - d) ** 3;
      const i = (y * width + x) * 3;
      for (let j = 0; j < 3; j++) rgb[i + j] = (rgb[i + j] as number) + k * (colour[j as 0] as number);
    }
  }
}

function encode(scene: SceneState, rgb: Uint8ClampedArray): Promise<Buffer> {
  const { width, height } = scene.view;
  const image = sharp(Buffer.from(rgb.buffer), { raw: { width, height, channels: 3 } });
  const blurred = scene.imaging.blur >= 0.3 ? image.blur(scene.imaging.blur) : image;
  return blurred.jpeg({ quality: scene.imaging.quality }).toBuffer();
}

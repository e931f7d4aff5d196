/**
 * The part of a picture that stays: painted once per view, half hour and weather, then kept. Holds at most eight of
 * them (about 5 MB each); the least recently used goes.
 */

import sharp from 'sharp';
import { GRID, isNight, type Light, lightAt, lightMap } from './light.ts';
import { svg } from './paint.ts';
import { type PaintedProp, propsOf } from './props.ts';
import { chance } from './random.ts';
import { paintStreet } from './street.ts';
import type { SceneState, View } from './types.ts';
import { lensOf } from './view.ts';

/** A prop as painted for a camera that does not sway. */
export interface BackdropProp extends PaintedProp {
  /** Metres along the axis of the lens. */
  depth: number;
}

export interface Backdrop {
  light: Light;
  /** RGB as the camera sees it when nobody is there. */
  empty: Buffer;
  /** Per pixel: light for R, G, B, and haze: for what is painted before it. */
  lit: Float32Array;
  /** From far to near. Part of `empty` already; painted again over an actor that they hide. */
  props: readonly BackdropProp[];
}

const KEPT = 8;
/** `seed|half hour, 0 by night|weather` → backdrop, oldest use first. */
const kept = new Map<string, Promise<Backdrop>>();

export function backdropOf(scene: SceneState): Promise<Backdrop> {
  // The whole night has one light, and so one backdrop.
  const half = isNight(scene.hour) ? 0 : Math.round(scene.hour * 2) / 2;
  const key = `${scene.view.seed}|${half}|${scene.weather}`;
  const found = kept.get(key) ?? paint(scene.view, half, scene.weather);
  kept.delete(key);
  kept.set(key, found);
  const oldest = kept.size > KEPT ? kept.keys().next().value : undefined;
  if (oldest !== undefined) kept.delete(oldest);
  return found;
}

async function paint(view: View, hour: number, weather: SceneState['weather']): Promise<Backdrop> {
  const light = lightAt(hour, weather);
  const layers = paintStreet(view, light, weather);
  const lens = lensOf(view);
  const painted: BackdropProp[] = propsOf(view)
    .map((prop) => ({ depth: lens.depth([prop.at[0], prop.at[1], 0]), ...prop.paint(lens, light) }))
    .sort((a, b) => b.depth - a.depth);
  const props = painted.map((p) => p.svg).join('');
  const raster = (body: string) =>
    sharp(svg(view.width, view.height, body))
      .flatten({ background: '#000' })
      .removeAlpha()
      .raw()
      .toBuffer();
  const colours = grain(await raster(layers.colours + props), view);
  // Props stand before the windows: where they are, nothing shines.
  const shining =
    light.lamps > 0.05 ? await bloom(await raster(layers.shining + blackened(props)), view) : null;
  const lit = spread(view, light);
  return { light, empty: underLight(colours, shining, lit, light), lit, props: painted };
}

const blackened = (props: string) => props.replaceAll(/(fill|stroke)="#[0-9a-f]{6}"/g, '$1="#000000"');

function underLight(
  colours: Buffer,
  shining: Buffer | null,
  lit: Float32Array,
  { haze, lamps }: Light,
): Buffer {
  const out = Buffer.alloc(colours.length);
  for (let i = 0; i < colours.length; i++) {
    const [pixel, j] = [Math.floor(i / 3) * 4, i % 3];
    const fog = lit[pixel + 3] ?? 0;
    const seen = (colours[i] ?? 0) * (lit[pixel + j] ?? 0) * (1 - fog) + (haze.colour[j as 0] ?? 0) * fog;
    out[i] = Math.min(255, seen + (shining ? (shining[i] ?? 0) * lamps : 0));
  }
  return out;
}

/** Asphalt, plaster and paving are never one colour: coarse and fine grain that stays with the place. */
function grain(rgb: Buffer, view: View): Buffer {
  const c = chance('grain', view.seed);
  const coarse = Float32Array.from({ length: 4096 }, () => c.between(-1, 1));
  for (let y = 0; y < view.height; y++) {
    // Towards the camera the grain of the ground grows with its picture.
    const cell = 1 + Math.max(0, (y - view.height * 0.3) / 60);
    for (let x = 0; x < view.width; x++) {
      const at = (Math.floor(x / cell) * 31 + Math.floor(y / Math.max(1, cell * 0.6)) * 131) & 4095;
      const wide = (Math.floor(x / 23) * 17 + Math.floor(y / 11) * 57) & 4095;
      const k = 1 + 0.035 * (coarse[at] ?? 0) + 0.02 * (coarse[wide] ?? 0);
      const i = (y * view.width + x) * 3;
      for (let j = i; j < i + 3; j++) rgb[j] = Math.min(255, (rgb[j] ?? 0) * k);
    }
  }
  return rgb;
}

/** Light spills over the edge of a bright window in every real lens. */
async function bloom(rgb: Buffer, view: View): Promise<Buffer> {
  const raw = { raw: { width: view.width, height: view.height, channels: 3 as const } };
  const soft = await sharp(rgb, raw).blur(6).raw().toBuffer();
  for (let i = 0; i < rgb.length; i++) rgb[i] = Math.min(255, (rgb[i] ?? 0) + 0.55 * (soft[i] ?? 0));
  return rgb;
}

/** From the grid's corners to every pixel, bilinear. */
function spread(view: View, light: Light): Float32Array {
  const map = lightMap(view, light);
  const out = new Float32Array(view.width * view.height * 4);
  for (let y = 0; y < view.height; y++) {
    const [row, fy] = [Math.floor(y / GRID), (y % GRID) / GRID];
    for (let x = 0; x < view.width; x++) {
      const [column, fx] = [Math.floor(x / GRID), (x % GRID) / GRID];
      const at = (row * map.columns + column) * 4;
      const below = at + map.columns * 4;
      const vignette =
        1 - 0.22 * (((x / view.width - 0.5) * 2) ** 2 + ((y / view.height - 0.5) * 2) ** 2) * 0.6;
      for (let j = 0; j < 4; j++) {
        const a = (map.values[at + j] ?? 0) * (1 - fx) + (map.values[at + 4 + j] ?? 0) * fx;
        const b = (map.values[below + j] ?? 0) * (1 - fx) + (map.values[below + 4 + j] ?? 0) * fx;
        out[(y * view.width + x) * 4 + j] = (a * (1 - fy) + b * fy) * (j < 3 ? vignette : 1);
      }
    }
  }
  return out;
}

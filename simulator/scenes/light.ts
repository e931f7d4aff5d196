/** Light by time of day and weather: what multiplies the colours of the scene, where shadows fall, when lamps burn. */

import { mix, type Sun } from './paint.ts';
import { chance } from './random.ts';
import type { Rgb, Vec3, View, Weather } from './types.ts';
import { lensOf } from './view.ts';

export interface Light {
  sun: Sun;
  /** Multiplies every colour, per channel: (1, 1, 1) at noon. */
  ambient: Rgb;
  sky: readonly [top: Rgb, horizon: Rgb];
  /** 0 by day, 1 by night: street lamps, lit windows, head lamps. */
  lamps: number;
  /** Extinction per metre, and the colour that distance fades to. */
  haze: { perM: number; colour: Rgb };
}

export interface Lamp {
  at: Vec3;
  colour: Rgb;
  /** Strength under the lamp, against noon = 1. */
  strength: number;
  /** Metres at which half of it is left. */
  reach: number;
}

const NIGHT: Rgb = [0.17, 0.19, 0.27];
const DUSK: Rgb = [0.66, 0.55, 0.55];
const NOON: Rgb = [1, 1, 0.98];

/** 0 at night, 1 in full day, with an hour of dusk around 6:15 and 18:15. */
function dayShare(hour: number): number {
  const rise = (hour - 5.6) / 1.4;
  const set = (19 - hour) / 1.4;
  return Math.max(0, Math.min(1, rise, set));
}

/** No daylight at all. */
export const isNight = (hour: number): boolean => dayShare(hour) === 0;

export function lightAt(hour: number, weather: Weather): Light {
  const day = dayShare(hour);
  const clear = weather === 'clear' ? 1 : weather === 'haze' ? 0.35 : 0;
  const arc = ((hour - 6) / 12) * Math.PI;
  const up = Math.max(0.3, Math.sin(arc));
  const from: Vec3 = [Math.cos(arc) * 0.8, -0.45, up];
  const length = Math.hypot(...from);
  const grey = weather === 'clear' ? 1 : 0.82;
  const base = day < 0.5 ? mix(NIGHT, DUSK, day * 2) : mix(DUSK, NOON, day * 2 - 1);
  const dayTop: Rgb = weather === 'clear' ? [104, 150, 206] : [158, 166, 174];
  const dayLow: Rgb = weather === 'clear' ? [206, 220, 230] : [190, 194, 198];
  return {
    sun: {
      from: day > 0 ? [from[0] / length, from[1] / length, from[2] / length] : [0, 0, 1],
      ambient: day > 0 ? 0.72 - 0.27 * clear * day : 0.7,
      shadow: clear * Math.max(0, day - 0.3),
    },
    ambient: [base[0] * grey, base[1] * grey, base[2] * grey],
    sky:
      day > 0
        ? [mix([60, 60, 92], dayTop, day), mix([214, 150, 112], dayLow, day)]
        : [
            [70, 78, 110],
            [130, 120, 120],
          ],
    lamps: 1 - Math.min(1, day * 1.6),
    haze: {
      perM: weather === 'haze' ? 0.022 : weather === 'rain' ? 0.01 : 0.002,
      colour: [176 * base[0], 180 * base[1], 184 * base[2]],
    },
  };
}

/** Street lamps along the right pavement and the light that falls out of shops. */
export function lampsOf(view: View): Lamp[] {
  const c = chance('lamps', view.seed);
  const { street } = view;
  const warm: Rgb = c.is(0.6) ? [1, 0.8, 0.52] : [0.88, 0.95, 1];
  const posts = lampPosts(view).map(([x, y]) => ({
    at: [x - 2.2, y, 6.8] as Vec3,
    colour: warm,
    strength: c.between(1.0, 1.3),
    reach: 7.5,
  }));
  const shops = [14, 24, 33].map((y) => ({
    at: [c.is(0.5) ? street.rightFront : street.leftFront, y + c.between(-3, 3), 2.4] as Vec3,
    colour: c.pick<Rgb>([
      [1, 0.9, 0.75],
      [0.8, 0.95, 1],
      [1, 0.6, 0.5],
    ]),
    strength: c.between(0.2, 0.5),
    reach: 3.5,
  }));
  return [...posts, ...shops];
}

/** Foot points of the lamp posts. */
export function lampPosts(view: View): readonly (readonly [number, number])[] {
  const first = chance('posts', view.seed).between(9, 13);
  const x = view.street.laneEdge + 0.5;
  return [first, first + 15, first + 30, first + 45].map((y) => [x, y] as const);
}

/** Side of the squares in which light and haze are computed before they are spread over the pixels. */
export const GRID = 8;

/** Light (3 values) and haze (1 value, 0 to 1) at each corner of the grid, row by row. */
export function lightMap(view: View, light: Light): { columns: number; rows: number; values: Float32Array } {
  const [columns, rows] = [Math.ceil(view.width / GRID) + 1, Math.ceil(view.height / GRID) + 1];
  const values = new Float32Array(columns * rows * 4);
  const lamps = light.lamps > 0 ? lampsOf(view) : [];
  const lens = lensOf(view);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const hit = surfaceAt(view, lens.ray([column * GRID, row * GRID]));
      const at = (row * columns + column) * 4;
      const sum = [light.ambient[0], light.ambient[1], light.ambient[2]];
      for (const lamp of hit ? lamps : []) {
        const d = hit
          ? Math.hypot(hit[0] - lamp.at[0], hit[1] - lamp.at[1], (hit[2] - lamp.at[2]) * 0.55)
          : 0;
        const e = (lamp.strength * light.lamps) / (1 + (d / lamp.reach) ** 2) ** 1.4;
        for (const i of [0, 1, 2] as const) sum[i] = (sum[i] ?? 0) + e * lamp.colour[i];
      }
      values.set(sum, at);
      const far = hit ? Math.hypot(hit[0] - view.camera.at[0], hit[1]) : 120;
      values[at + 3] = hit ? 1 - Math.exp(-light.haze.perM * far) : Math.min(0.6, light.haze.perM * 25);
    }
  }
  return { columns, rows, values };
}

/** The point that is seen at a pixel: ground, house front or the far end; null for the sky. */
function surfaceAt(view: View, ray: Vec3): Vec3 | null {
  const { street, camera } = view;
  const side = ray[0] > 0 ? street.rightFront : street.leftFront;
  const reaches = [
    ray[2] < 0 ? -camera.at[2] / ray[2] : Number.POSITIVE_INFINITY,
    ray[0] === 0 ? Number.POSITIVE_INFINITY : (side - camera.at[0]) / ray[0],
    85 / Math.max(1e-3, ray[1]),
  ];
  const t = Math.min(...reaches);
  const z = camera.at[2] + t * ray[2];
  return z > 22 ? null : [camera.at[0] + t * ray[0], camera.at[1] + t * ray[1], Math.max(0, z)];
}

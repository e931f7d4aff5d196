/** Paints a person: limbs as round strokes on an upright plane that faces the camera. Metres until the last step. */

import { css, disc, fill, type Sun } from './paint.ts';
import { chance } from './random.ts';
import type { Actor, Pixel, Rgb, Vec3 } from './types.ts';
import type { Painted } from './vehicle.ts';
import { hull } from './vehicle.ts';
import type { Lens } from './view.ts';

interface Looks {
  height: number;
  girth: number;
  top: Rgb;
  bottom: Rgb;
  skin: Rgb;
  hair: Rgb;
  long: boolean;
  skirt: boolean;
  bag: Rgb | null;
  vest: boolean;
  umbrella: Rgb | null;
}

const TOPS: readonly Rgb[] = [
  [196, 48, 52],
  [52, 84, 148],
  [228, 228, 224],
  [44, 46, 52],
  [70, 122, 84],
  [212, 172, 64],
  [142, 96, 158],
  [120, 126, 132],
  [92, 60, 44],
  [226, 140, 160],
  [70, 140, 160],
];
const BOTTOMS: readonly Rgb[] = [
  [44, 50, 68],
  [30, 30, 34],
  [88, 84, 76],
  [120, 112, 96],
  [58, 70, 92],
];
const SKINS: readonly Rgb[] = [
  [222, 184, 152],
  [204, 162, 130],
  [186, 146, 116],
];
const HAIRS: readonly Rgb[] = [
  [24, 22, 22],
  [40, 32, 28],
  [92, 90, 88],
];

function looksOf(look: number, wet: boolean): Looks {
  const c = chance('person', look);
  const child = c.is(0.1);
  return {
    height: child ? c.between(1.1, 1.4) : c.between(1.55, 1.86),
    girth: c.between(0.9, 1.25),
    top: c.pick(TOPS),
    bottom: c.pick(BOTTOMS),
    skin: c.pick(SKINS),
    hair: c.pick(HAIRS),
    long: c.is(0.35),
    skirt: c.is(0.15),
    bag: c.is(0.3) ? c.pick(TOPS) : null,
    vest: c.is(0.1),
    umbrella: c.is(wet ? 0.6 : 0.03) ? c.pick(TOPS) : null,
  };
}

/** [across, up] in metres from the foot point. */
type Flat = readonly [number, number];

export function paintPerson(actor: Actor, lens: Lens, sun: Sun, wet: boolean): Painted {
  const foot: Vec3 = [actor.at[0], actor.at[1], 0];
  const looks = looksOf(actor.look, wet);
  const k = lens.scale(foot) * (looks.height / 1.75);
  const [fx, fy] = lens.point(foot);
  const at = ([x, y]: Flat): Pixel => [fx + x * k, fy - y * k];
  const pen = new Pen(at, k, shadeOf(sun));
  // Seen from the side the stride is wide, from front or behind it is hardly seen.
  const across = Math.abs(Math.sin(actor.heading - lens.view.camera.yaw));
  const swing = actor.speedMps > 0 ? Math.sin(((actor.gone ?? 0) / 0.72) * Math.PI) : 0.12;
  draw(pen, looks, swing * (0.3 + 0.7 * across), across, Math.sign(Math.sin(actor.heading) || 1));
  return { svg: shadow(actor, looks, lens, sun) + pen.svg, outline: pen.outline, glows: [] };
}

const shadeOf = (sun: Sun) => 0.62 + 0.38 * sun.ambient + 0.2 * sun.shadow;

/** Draws round strokes and keeps the outline they make. */
class Pen {
  svg = '';
  readonly outline: Pixel[] = [];
  readonly #at: (p: Flat) => Pixel;
  readonly #k: number;
  readonly #light: number;

  constructor(at: (p: Flat) => Pixel, k: number, light: number) {
    this.#at = at;
    this.#k = k;
    this.#light = light;
  }

  stroke(points: readonly Flat[], width: number, colour: Rgb, light = 1): void {
    const pixels = points.map(this.#at);
    const w = Math.max(0.9, width * this.#k);
    const l = this.#light * light;
    this.svg += `<polyline points="${pixels.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}" fill="none" stroke="${css([colour[0] * l, colour[1] * l, colour[2] * l])}" stroke-width="${w.toFixed(2)}" stroke-linecap="round" stroke-linejoin="round"/>`;
    for (const [x, y] of pixels) this.outline.push([x - w / 2, y - w / 2], [x + w / 2, y + w / 2]);
  }

  area(points: readonly Flat[], colour: Rgb, light = 1): void {
    const pixels = points.map(this.#at);
    const l = this.#light * light;
    this.svg += `<polygon points="${pixels.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}" fill="${css([colour[0] * l, colour[1] * l, colour[2] * l])}" stroke-linejoin="round"/>`;
    this.outline.push(...pixels);
  }

  round(centre: Flat, rx: number, ry: number, colour: Rgb, light = 1): void {
    const [x, y] = this.#at(centre);
    const l = this.#light * light;
    this.svg += disc([x, y], rx * this.#k, ry * this.#k, [colour[0] * l, colour[1] * l, colour[2] * l]);
    this.outline.push([x - rx * this.#k, y - ry * this.#k], [x + rx * this.#k, y + ry * this.#k]);
  }
}

function draw(pen: Pen, looks: Looks, swing: number, across: number, side: number): void {
  const g = looks.girth * (1 - 0.28 * across);
  const leg = (s: number, light: number) => {
    const x = s * 0.09 * g * (1 - across * 0.7);
    const reach = s * swing * 0.34;
    const lift = Math.max(0, reach * -side) * 0.25;
    pen.stroke(
      [
        [x, 0.86],
        [x + reach * 0.45 + 0.03 * side, 0.46],
        [x + reach, 0.1 + lift],
      ],
      0.15 * g,
      looks.bottom,
      light,
    );
    pen.stroke(
      [
        [x + reach, 0.06 + lift],
        [x + reach + side * 0.09 * across, 0.045 + lift],
      ],
      0.1,
      [30, 28, 28],
    );
  };
  const arm = (s: number, light: number) => {
    const x = s * 0.22 * g * (1 - across * 0.75);
    const reach = -s * swing * 0.26;
    pen.stroke(
      [
        [x, 1.4],
        [x + reach * 0.4 + s * 0.04, 1.14],
        [x + reach + s * 0.04, 0.92],
      ],
      0.1,
      looks.top,
      light,
    );
    pen.round([x + reach + s * 0.04, 0.87], 0.048, 0.055, looks.skin);
  };
  leg(-1, 0.75);
  arm(-1, 0.72);
  leg(1, 1);
  if (looks.bag) pen.round([-side * 0.18 * across, 1.22], 0.15, 0.22, looks.bag, 0.9);
  torso(pen, looks, g);
  arm(1, 0.9);
  head(pen, looks, side, across);
  if (looks.umbrella) umbrella(pen, looks.umbrella);
}

function torso(pen: Pen, looks: Looks, g: number): void {
  const [s, h] = [0.2 * g, 0.155 * g];
  pen.area(
    [
      [-s, 1.43],
      [s, 1.43],
      [h * 1.05, 1.1],
      [h * 1.15, 0.82],
      [-h * 1.15, 0.82],
      [-h * 1.05, 1.1],
    ],
    looks.top,
  );
  pen.area(
    [
      [s * 0.3, 1.43],
      [s, 1.43],
      [h * 1.05, 1.1],
      [h * 1.15, 0.82],
      [h * 0.4, 0.82],
    ],
    looks.top,
    0.86,
  );
  pen.stroke(
    [
      [-s * 0.85, 1.41],
      [s * 0.85, 1.41],
    ],
    0.1,
    looks.top,
  );
  if (looks.skirt)
    pen.area(
      [
        [-h, 0.95],
        [h, 0.95],
        [h * 1.9, 0.5],
        [-h * 1.9, 0.5],
      ],
      looks.top,
      0.8,
    );
  if (looks.vest) {
    pen.area(
      [
        [-s, 1.38],
        [s, 1.38],
        [h, 0.95],
        [-h, 0.95],
      ],
      [226, 232, 60],
    );
    pen.stroke(
      [
        [-s * 0.8, 1.12],
        [s * 0.8, 1.12],
      ],
      0.06,
      [238, 240, 236],
    );
  }
}

function head(pen: Pen, looks: Looks, side: number, across: number): void {
  pen.stroke(
    [
      [0, 1.44],
      [0, 1.52],
    ],
    0.11,
    looks.skin,
    0.8,
  );
  if (looks.long) pen.round([-side * 0.03 * across, 1.56], 0.125, 0.16, looks.hair);
  pen.round([side * 0.015, 1.62], 0.1, 0.125, looks.skin);
  pen.round([-side * 0.02 * across, 1.68], 0.108, 0.08, looks.hair);
  // From behind, or from the camera's height, hair covers most of the head.
  if (across < 0.6) pen.round([0, 1.66], 0.104, 0.1, looks.hair);
}

function umbrella(pen: Pen, colour: Rgb): void {
  pen.stroke(
    [
      [0.14, 1.1],
      [0.1, 1.95],
    ],
    0.025,
    [60, 60, 64],
  );
  pen.area(
    [
      [-0.5, 1.78],
      [-0.3, 1.98],
      [0.08, 2.06],
      [0.46, 1.98],
      [0.66, 1.78],
      [0.36, 1.83],
      [0.08, 1.79],
      [-0.22, 1.83],
    ],
    colour,
  );
}

function shadow(actor: Actor, looks: Looks, lens: Lens, sun: Sun): string {
  const [x, y] = actor.at;
  const ring = (r: number, dx = 0, dy = 0) =>
    lens.polygon(
      Array.from(
        { length: 10 },
        (_, i): Vec3 => [x + dx + r * Math.cos(i * 0.628), y + dy + r * Math.sin(i * 0.628), 0],
      ),
    );
  const contact = fill(ring(0.34), [8, 8, 12], 0.22) + fill(ring(0.22), [8, 8, 12], 0.3);
  if (sun.shadow <= 0) return contact;
  const reach = looks.height / Math.max(0.35, sun.from[2]);
  const cast = hull([...ring(0.16), ...ring(0.18, -sun.from[0] * reach, -sun.from[1] * reach)]);
  return fill(cast, [10, 12, 22], 0.38 * sun.shadow) + contact;
}

/**
 * Paints what never moves: sky, house fronts, carriageway, pavements, the fire lane's marking. Two layers: colours under
 * white light, and what shines by itself at night (windows, signs).
 */

import type { Light } from './light.ts';
import { css, fill, line, mix, shade, solid } from './paint.ts';
import { type Chance, chance } from './random.ts';
import type { Pixel, Rgb, Vec3, View, Weather } from './types.ts';
import { type Lens, lensOf } from './view.ts';

export interface Layers {
  colours: string;
  shining: string;
}

const END = 85;
const WALLS: readonly Rgb[] = [
  [196, 184, 166],
  [172, 150, 130],
  [206, 204, 198],
  [152, 158, 164],
  [184, 132, 108],
  [222, 212, 190],
  [142, 134, 128],
  [164, 172, 160],
];
const SIGNS: readonly Rgb[] = [
  [196, 40, 40],
  [36, 92, 168],
  [240, 196, 60],
  [40, 136, 92],
  [228, 228, 226],
  [222, 110, 40],
  [112, 60, 140],
];

export function paintStreet(view: View, light: Light, weather: Weather): Layers {
  const lens = lensOf(view);
  const c = chance('paint', view.seed);
  const shining: string[] = [];
  const parts = [
    sky(view, light),
    ...farEnd(lens, c, shining),
    ...front(view, lens, c, -1, shining, light),
    ...front(view, lens, c, 1, shining, light),
    ...ground(view, lens, c),
    ...marking(view, lens, c),
    ...(weather === 'rain' ? puddles(view, lens, c, light) : []),
    ...(light.sun.shadow > 0 ? frontShadow(view, lens, light) : []),
  ];
  return { colours: parts.join(''), shining: shining.join('') };
}

const quad = (lens: Lens, ps: readonly Vec3[], colour: Rgb) => solid(lens.polygon(ps), colour);
const flat = (x0: number, x1: number, y0: number, y1: number, z = 0): Vec3[] => [
  [x0, y0, z],
  [x1, y0, z],
  [x1, y1, z],
  [x0, y1, z],
];

function sky(view: View, light: Light): string {
  const [top, low] = light.sky;
  return `<defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${css(top)}"/><stop offset="1" stop-color="${css(low)}"/></linearGradient></defs><rect width="${view.width}" height="${view.height}" fill="${css(low)}"/><rect width="${view.width}" height="${view.height * 0.4}" fill="url(#s)"/>`;
}

/** Houses across the end of the street. */
function farEnd(lens: Lens, c: Chance, shining: string[]): string[] {
  const out: string[] = [];
  let x = -40;
  while (x < 50) {
    const width = c.between(9, 18);
    const high = c.between(12, 26);
    const wall = mix(c.pick(WALLS), [170, 176, 184], 0.35);
    out.push(
      quad(
        lens,
        [
          [x, END, 0],
          [x + width, END, 0],
          [x + width, END, high],
          [x, END, high],
        ],
        wall,
      ),
    );
    for (let z = 3; z < high - 2; z += 3.2) {
      for (let w = x + 1; w < x + width - 1.5; w += 2.6) {
        const pane = lens.polygon([
          [w, END, z],
          [w + 1.4, END, z],
          [w + 1.4, END, z + 1.6],
          [w, END, z + 1.6],
        ]);
        out.push(fill(pane, [92, 100, 112]));
        if (c.is(0.3)) shining.push(fill(pane, [150, 126, 84]));
      }
    }
    x += width;
  }
  return out;
}

/** One side's row of houses, from far to near. */
function front(view: View, lens: Lens, c: Chance, side: -1 | 1, shining: string[], light: Light): string[] {
  const x = side < 0 ? view.street.leftFront : view.street.rightFront;
  const houses: { from: number; to: number; high: number; wall: Rgb }[] = [];
  for (let y = -2; y < END; ) {
    const to = y + c.between(9, 18);
    houses.push({
      from: y,
      to: Math.min(END, to),
      high: c.pick([7, 10, 13, 16, 19, 22]) + c.between(0, 1),
      wall: c.pick(WALLS),
    });
    y = to;
  }
  const lit = light.sun.shadow > 0 && Math.sign(light.sun.from[0]) === -side ? 1.06 : 0.88;
  return houses.reverse().map((h) => {
    const k = lens.faces([x, h.from, 1], [0, -1, 0]) ? 1 : 0;
    const end = k
      ? quad(
          lens,
          [
            [x, h.from, 0],
            [x + side * 12, h.from, 0],
            [x + side * 12, h.from, h.high],
            [x, h.from, h.high],
          ],
          shade(h.wall, 0.78),
        )
      : '';
    return end + wall(lens, c, x, h, lit, shining) + shopFronts(lens, c, x, side, h, shining);
  });
}

function wall(
  lens: Lens,
  c: Chance,
  x: number,
  h: { from: number; to: number; high: number; wall: Rgb },
  lit: number,
  shining: string[],
): string {
  const plane = (y0: number, y1: number, z0: number, z1: number): Pixel[] =>
    lens.polygon([
      [x, y0, z0],
      [x, y1, z0],
      [x, y1, z1],
      [x, y0, z1],
    ]);
  let out = solid(plane(h.from, h.to, 0, h.high), shade(h.wall, lit));
  out += fill(plane(h.from, h.to, h.high - 0.5, h.high), shade(h.wall, 0.7));
  const [step, wide, tall] = [c.between(2.4, 3.4), c.between(1.1, 1.7), c.between(1.3, 1.8)];
  const glass: Rgb = c.pick<Rgb>([
    [84, 98, 112],
    [70, 84, 96],
    [104, 118, 128],
  ]);
  for (let z = 4.1; z + tall < h.high - 0.6; z += 3.1) {
    out += line(plane(h.from, h.to, z - 0.7, z - 0.66).slice(0, 2), shade(h.wall, 0.72), 0.7, 0.7);
    for (let y = h.from + 0.9; y + wide < h.to - 0.4; y += step) {
      const pane = plane(y, y + wide, z, z + tall);
      out +=
        fill(plane(y - 0.12, y + wide + 0.12, z - 0.12, z + tall + 0.12), shade(h.wall, 1.12)) +
        fill(pane, shade(glass, c.between(0.75, 1.15)));
      if (c.is(0.22))
        shining.push(
          fill(
            pane,
            c.pick<Rgb>([
              [236, 190, 112],
              [220, 206, 170],
              [150, 176, 200],
            ]),
            c.between(0.5, 0.95),
          ),
        );
      if (c.is(0.3)) out += fill(plane(y + 0.2, y + 0.95, z - 0.75, z - 0.2), [206, 206, 202]); // air conditioner
    }
  }
  return out;
}

/** Ground floor: shop windows, doors, signs with strokes that stand for writing, posters. */
function shopFronts(
  lens: Lens,
  c: Chance,
  x: number,
  side: -1 | 1,
  h: { from: number; to: number; wall: Rgb },
  shining: string[],
): string {
  const near = x - side * 0.12;
  const plane = (y0: number, y1: number, z0: number, z1: number): Pixel[] =>
    lens.polygon([
      [near, y0, z0],
      [near, y1, z0],
      [near, y1, z1],
      [near, y0, z1],
    ]);
  let out = '';
  for (let y = h.from + 0.4; y + 3 < h.to; ) {
    const width = c.between(2.8, 4.6);
    const to = Math.min(h.to - 0.2, y + width);
    const open = c.is(0.7);
    const pane = plane(y + 0.2, to - 0.2, 0.15, 2.5);
    out += fill(pane, open ? [72, 84, 92] : [142, 146, 148]);
    if (open) {
      out +=
        fill(plane(y + 0.3, (y + to) / 2 - 0.1, 0.3, 2.4), [96, 110, 116]) +
        fill(plane((y + to) / 2 + 0.2, to - 0.3, 0.05, 2.3), [60, 70, 80]);
      if (c.is(0.75)) shining.push(shopLight(c, plane, y + 0.2, to - 0.2));
    } else {
      for (let z = 0.4; z < 2.5; z += 0.35)
        out += line(plane(y + 0.2, to - 0.2, z, z).slice(0, 2), [112, 116, 118], 0.6, 0.8);
    }
    out += sign(c, plane, y, to, shining, open);
    if (c.is(0.25)) out += poster(c, plane, y + 0.4);
    y = to + c.between(0.2, 0.9);
  }
  return out;
}

/** A lit shop: bright below the ceiling, darker towards the floor, goods and shelves before the light. */
function shopLight(c: Chance, plane: Plane, from: number, to: number): string {
  const glow = shade(
    c.pick<Rgb>([
      [246, 222, 170],
      [206, 226, 236],
      [250, 206, 140],
    ]),
    c.between(0.4, 0.72),
  );
  const bands = [0.15, 0.75, 1.35, 1.95].map((z, i) =>
    fill(plane(from, to, z, z + 0.62), shade(glow, 0.5 + 0.17 * i)),
  );
  const goods = Array.from({ length: 7 }, () => {
    const [y, z] = [c.between(from, to - 0.4), c.pick([0.2, 0.75, 1.3])];
    return fill(
      plane(y, y + c.between(0.2, 0.7), z, z + c.between(0.2, 0.5)),
      shade(c.pick(SIGNS), 0.3),
      0.8,
    );
  });
  return [...bands, ...goods].join('');
}

type Plane = (y0: number, y1: number, z0: number, z1: number) => Pixel[];

function sign(c: Chance, plane: Plane, from: number, to: number, shining: string[], lit: boolean): string {
  const colour = c.pick(SIGNS);
  const ink: Rgb = colour[0] + colour[1] + colour[2] > 480 ? [170, 40, 36] : [244, 240, 226];
  const board = plane(from, to, 2.65, 3.45);
  const strokes: string[] = [];
  const count = c.int(3, 5);
  const each = (to - from - 0.5) / count;
  for (let i = 0; i < count; i++) {
    const y = from + 0.25 + i * each;
    for (let s = 0; s < 5; s++) {
      const [a, b] = [c.between(0, each * 0.75), c.between(0.1, 0.6)];
      const p = c.is(0.5)
        ? plane(y + a * 0.2, y + each * 0.75, 2.75 + b, 2.8 + b)
        : plane(y + a, y + a + 0.07, 2.75, 3.35);
      strokes.push(fill(p, ink));
    }
  }
  if (lit && c.is(0.8)) shining.push(fill(board, shade(colour, 0.75)), ...strokes);
  return fill(board, colour) + strokes.join('');
}

/** A picture of a person on a wall is no person: what the model must learn not to see. */
function poster(c: Chance, plane: Plane, y: number): string {
  const [paper, shirt] = [
    c.pick<Rgb>([
      [232, 224, 206],
      [190, 214, 230],
      [240, 206, 196],
    ]),
    c.pick(SIGNS),
  ];
  return [
    fill(plane(y, y + 0.85, 0.9, 2.2), paper),
    fill(plane(y + 0.22, y + 0.63, 0.95, 1.55), shirt),
    fill(plane(y + 0.32, y + 0.53, 1.58, 1.86), [214, 174, 144]),
    fill(plane(y + 0.08, y + 0.77, 2.0, 2.12), shirt),
  ].join('');
}

function ground(view: View, lens: Lens, c: Chance): string[] {
  const { street } = view;
  const g = c.between(88, 116);
  const asphalt: Rgb = [g, g + 1, g + 4];
  const apron: Rgb = shade(asphalt, c.between(1.05, 1.3));
  const pave: Rgb = c.pick<Rgb>([
    [158, 152, 144],
    [170, 164, 158],
    [150, 140, 132],
    [164, 150, 140],
  ]);
  const out = [
    quad(lens, flat(street.leftFront - 1, street.rightFront + 1, 0.5, END), pave),
    quad(lens, flat(street.leftKerb, street.rightKerb, 0.5, END), asphalt),
    quad(lens, flat(street.rightKerb, street.laneEdge, 0.5, END), apron),
  ];
  out.push(
    ...paving(lens, pave, street.leftFront, street.leftKerb),
    ...paving(lens, pave, street.laneEdge, street.rightFront),
  );
  for (const x of [street.leftKerb, street.laneEdge]) {
    out.push(quad(lens, flat(x - 0.14, x + 0.14, 0.5, END), [186, 184, 180]));
    out.push(quad(lens, flat(x + (x < 0 ? 0.14 : -0.2), x + (x < 0 ? 0.2 : -0.14), 0.5, END), [70, 70, 72]));
  }
  out.push(quad(lens, flat(street.rightKerb - 0.07, street.rightKerb + 0.07, 0.5, END), [214, 214, 210]));
  for (let y = 2; y < END; y += 6) out.push(quad(lens, flat(-0.07, 0.07, y, y + 3.2), [222, 220, 208]));
  if (c.is(0.5)) out.push(...zebra(view, lens, c.between(26, 34)));
  return [...out, ...wear(view, lens, c, asphalt)];
}

function paving(lens: Lens, pave: Rgb, from: number, to: number): string[] {
  const out: string[] = [];
  for (let y = 4; y < 40; y += y < 20 ? 1 : 2)
    out.push(
      line(
        lens.polygon([
          [from, y, 0],
          [to, y, 0],
        ]),
        shade(pave, 0.84),
        0.6,
        0.6,
      ),
    );
  for (let x = from + 1; x < to; x += 1)
    out.push(
      line(
        lens.polygon([
          [x, 4, 0],
          [x, 60, 0],
        ]),
        shade(pave, 0.84),
        0.6,
        0.6,
      ),
    );
  return out;
}

function zebra(view: View, lens: Lens, y: number): string[] {
  const out: string[] = [];
  for (let x = view.street.leftKerb + 0.4; x < view.street.rightKerb - 0.4; x += 0.9)
    out.push(quad(lens, flat(x, x + 0.45, y, y + 3), [216, 214, 206]));
  return out;
}

/** Patches, cracks, stains and manhole covers. */
function wear(view: View, lens: Lens, c: Chance, asphalt: Rgb): string[] {
  const { leftKerb, laneEdge } = view.street;
  const out: string[] = [];
  for (let i = 0; i < 9; i++) {
    const [x, y] = [c.between(leftKerb + 0.5, laneEdge - 2), c.between(5, 45)];
    out.push(
      fill(
        lens.polygon(flat(x, x + c.between(0.8, 2.4), y, y + c.between(1, 5))),
        shade(asphalt, c.is(0.6) ? 0.86 : 1.08),
        0.6,
      ),
    );
  }
  for (let i = 0; i < 7; i++) {
    const crack: Vec3[] = [[c.between(leftKerb, laneEdge), c.between(6, 30), 0]];
    for (let s = 0; s < 6; s++) {
      const last = crack[s] as Vec3;
      crack.push([last[0] + c.between(-0.5, 0.6), last[1] + c.between(0.1, 0.9), 0]);
    }
    out.push(line(lens.polygon(crack).slice(0, 7), shade(asphalt, 0.66), 0.8, 0.6));
  }
  for (let i = 0; i < 4; i++) {
    const [x, y, r] = [c.between(leftKerb + 1, laneEdge - 1), c.between(8, 30), c.between(0.34, 0.42)];
    out.push(
      fill(round(lens, x, y, r * 1.15), shade(asphalt, 0.72)),
      fill(round(lens, x, y, r), shade(asphalt, 0.58)),
    );
    out.push(
      fill(round(lens, x + c.between(-3, 3), y + c.between(-3, 3), c.between(0.3, 0.9)), [40, 40, 44], 0.22),
    );
  }
  return out;
}

function round(lens: Lens, x: number, y: number, r: number): Pixel[] {
  return lens.polygon(
    Array.from(
      { length: 16 },
      (_, i): Vec3 => [x + r * Math.cos((i * Math.PI) / 8), y + r * Math.sin((i * Math.PI) / 8), 0],
    ),
  );
}

/** The fire lane's yellow box: frame, hatching, worn in places. */
function marking(view: View, lens: Lens, c: Chance): string[] {
  const { rightKerb, laneEdge, lane, marking: kind } = view.street;
  if (kind === 'none') return [];
  const yellow: Rgb = mix([236, 190, 44], [150, 140, 110], c.between(0, 0.35));
  const [x0, x1, y0, y1] = [rightKerb + 0.25, laneEdge - 0.35, lane[0], lane[1]];
  const w = 0.16;
  const out = [
    flat(x0, x1, y0, y0 + w),
    flat(x0, x1, y1 - w, y1),
    flat(x0, x0 + w, y0, y1),
    flat(x1 - w, x1, y0, y1),
  ].map((f) => fill(lens.polygon(f), yellow, 0.92));
  if (kind === 'hatched') {
    const wide = x1 - x0;
    for (let y = y0 - wide + 0.4; y < y1; y += 1.25)
      out.push(...slanted(lens, [x0, x1, y0, y1], y, 0.13, yellow));
  }
  for (let i = 0; i < 14; i++) {
    const [x, y] = [c.between(x0, x1), c.between(y0, y1)];
    out.push(
      fill(lens.polygon(flat(x, x + c.between(0.1, 0.5), y, y + c.between(0.1, 0.7))), [116, 116, 116], 0.35),
    );
  }
  return out;
}

/** Two stripes at 45° that cross, cut off at the frame. */
function slanted(
  lens: Lens,
  [x0, x1, y0, y1]: readonly [number, number, number, number],
  y: number,
  w: number,
  colour: Rgb,
): string[] {
  const a = Math.max(0, y0 - y);
  const b = Math.min(x1 - x0, y1 - y);
  if (b - a < 0.05) return [];
  const stripe = (x: (way: number) => number): string =>
    fill(
      lens.polygon([
        [x(a), y + a, 0],
        [x(b), y + b, 0],
        [x(b), Math.min(y1, y + b + w), 0],
        [x(a), Math.min(y1, y + a + w), 0],
      ]),
      colour,
      0.88,
    );
  return [stripe((way) => x0 + way), stripe((way) => x1 - way)];
}

/** The sky in standing water. */
function puddles(view: View, lens: Lens, c: Chance, light: Light): string[] {
  return Array.from({ length: 8 }, () => {
    const [x, y, r] = [
      c.between(view.street.leftFront + 1, view.street.laneEdge),
      c.between(7, 30),
      c.between(0.4, 1.5),
    ];
    return (
      fill(round(lens, x, y, r), mix(light.sky[1], [60, 64, 70], 0.5), 0.55) +
      fill(round(lens, x + 0.3, y + 0.5, r * 0.6), light.sky[1], 0.3)
    );
  });
}

/** The houses' own shadow on the street. */
function frontShadow(view: View, lens: Lens, light: Light): string[] {
  const { leftFront, rightFront } = view.street;
  const [sx, , sz] = light.sun.from;
  const reach = Math.min(30, (11 * Math.abs(sx)) / Math.max(0.2, sz));
  const [a, b] = sx > 0 ? [rightFront - reach, rightFront] : [leftFront, leftFront + reach];
  const band = flat(Math.max(leftFront, a), Math.min(rightFront, b), 0.5, END);
  return [fill(lens.polygon(band), [14, 18, 34], 0.34 * light.sun.shadow)];
}

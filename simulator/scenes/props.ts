/** Things on the pavement that are neither vehicle nor person: trees, bins, lamp posts, bollards, boards, cartons. */

import { type Light, lampPosts } from './light.ts';
import { css, fill, line, shade, solid } from './paint.ts';
import { type Chance, chance } from './random.ts';
import { extentOf } from './truth.ts';
import type { Extent, Ground, Pixel, Rgb, Vec3, View } from './types.ts';
import type { Glow } from './vehicle.ts';
import type { Lens } from './view.ts';

export interface PaintedProp {
  svg: string;
  /** What hides others: of a tree its crown. */
  outline: Pixel[];
  /** All that is painted of it. */
  extent: Extent;
  glows: Glow[];
}

/** Something upright at a place; painted in order of depth among the actors. */
export interface Prop {
  at: Ground;
  paint(lens: Lens, light: Light): PaintedProp;
}

/** The same for the same view, always. */
export function propsOf(view: View): Prop[] {
  const c = chance('props', view.seed);
  const { street } = view;
  const left = () => street.leftFront + c.between(0.5, 1.4);
  const right = () => street.rightFront - c.between(0.4, 1.2);
  const kerbside = street.leftKerb - 0.6;
  const trees = c.is(0.75) ? [15, 21, 28, 36, 46].map((y) => tree([kerbside, y + c.between(-1, 1)], c)) : [];
  const things = Array.from({ length: c.int(3, 8) }, () => {
    const at: Ground = [c.is(0.6) ? right() : left(), c.between(9, 34)];
    return c.pick([bin, bin, board, cartons, bollard, hydrant])(at, c);
  });
  return [...trees, ...things, ...lampPosts(view).map((at) => post(at))];
}

/** A box that stands on the ground, its three visible faces. */
function crate(
  lens: Lens,
  [x, y]: Ground,
  w: number,
  d: number,
  z0: number,
  z1: number,
  colour: Rgb,
): { svg: string; outline: Pixel[] } {
  const face = (ps: Vec3[], k: number) => solid(lens.polygon(ps), shade(colour, k));
  const [a, b, n, f] = [x - w / 2, x + w / 2, y - d / 2, y + d / 2];
  const side = lens.view.camera.at[0] < x ? a : b;
  const corners: Vec3[] = [a, b].flatMap((cx) =>
    [n, f].flatMap((cy) => [z0, z1].map((cz): Vec3 => [cx, cy, cz])),
  );
  return {
    svg:
      face(
        [
          [side, n, z0],
          [side, f, z0],
          [side, f, z1],
          [side, n, z1],
        ],
        0.74,
      ) +
      face(
        [
          [a, n, z0],
          [b, n, z0],
          [b, n, z1],
          [a, n, z1],
        ],
        0.9,
      ) +
      face(
        [
          [a, n, z1],
          [b, n, z1],
          [b, f, z1],
          [a, f, z1],
        ],
        1.1,
      ),
    outline: corners.map((p) => lens.point(p)),
  };
}

/** `more`: points that are painted but hide nothing for certain. */
function outlined(outline: Pixel[], more: readonly Pixel[] = []): { outline: Pixel[]; extent: Extent } {
  return { outline, extent: extentOf([...outline, ...more]) };
}

function shadowDisc(lens: Lens, [x, y]: Ground, r: number): string {
  const ring = Array.from(
    { length: 10 },
    (_, i): Vec3 => [x + r * Math.cos(i * 0.628), y + r * Math.sin(i * 0.628), 0],
  );
  return fill(lens.polygon(ring), [10, 10, 14], 0.3);
}

function bin(at: Ground, c: Chance): Prop {
  const colour = c.pick<Rgb>([
    [44, 104, 70],
    [52, 82, 140],
    [70, 72, 76],
    [150, 52, 44],
    [128, 132, 134],
  ]);
  const [size, high] = [c.between(0.5, 0.75), c.between(0.9, 1.2)];
  return {
    at,
    paint(lens) {
      const body = crate(lens, at, size, size, 0.06, high, colour);
      const lid = crate(lens, at, size + 0.08, size + 0.08, high, high + 0.09, shade(colour, 0.8));
      return {
        svg: shadowDisc(lens, at, size * 0.8) + body.svg + lid.svg,
        ...outlined([...body.outline, ...lid.outline]),
        glows: [],
      };
    },
  };
}

function board(at: Ground, c: Chance): Prop {
  const colour = c.pick<Rgb>([
    [232, 228, 216],
    [62, 62, 66],
    [200, 60, 50],
  ]);
  const ink = c.pick<Rgb>([
    [180, 40, 40],
    [50, 90, 150],
    [230, 190, 70],
  ]);
  return {
    at,
    paint(lens) {
      const body = crate(lens, at, 0.7, 0.12, 0.05, 1.15, colour);
      const stripe = (z: number, w: number) =>
        fill(
          lens.polygon([
            [at[0] - w, at[1] - 0.07, z],
            [at[0] + w, at[1] - 0.07, z],
            [at[0] + w, at[1] - 0.07, z + 0.1],
            [at[0] - w, at[1] - 0.07, z + 0.1],
          ]),
          ink,
        );
      return {
        svg:
          shadowDisc(lens, at, 0.45) + body.svg + stripe(0.9, 0.26) + stripe(0.66, 0.2) + stripe(0.46, 0.24),
        ...outlined(body.outline),
        glows: [],
      };
    },
  };
}

function cartons(at: Ground, c: Chance): Prop {
  const boxes = Array.from({ length: c.int(2, 4) }, (_, i) => ({
    at: [at[0] + c.between(-0.4, 0.4), at[1] + c.between(-0.4, 0.3) - i * 0.1] as Ground,
    size: c.between(0.35, 0.6),
    high: c.between(0.3, 0.75),
    colour: shade([178, 142, 98], c.between(0.8, 1.15)),
  }));
  return {
    at,
    paint(lens) {
      const drawn = boxes.map((b) => crate(lens, b.at, b.size, b.size, 0, b.high, b.colour));
      return {
        svg: shadowDisc(lens, at, 0.7) + drawn.map((d) => d.svg).join(''),
        ...outlined(drawn.flatMap((d) => d.outline)),
        glows: [],
      };
    },
  };
}

function upright(
  at: Ground,
  high: number,
  width: number,
  colour: Rgb,
  rings: readonly number[],
  ring: Rgb,
): Prop {
  return {
    at,
    paint(lens) {
      const k = lens.scale([at[0], at[1], 0]);
      const w = Math.max(1, width * k);
      const p = (z: number) => lens.point([at[0], at[1], z]);
      const bands = rings.map((z) => line([p(z), p(z + 0.08)], ring, w)).join('');
      return {
        svg:
          shadowDisc(lens, at, width * 1.2) +
          line([p(0.04), p(high)], colour, w) +
          line(
            [p(0.04), p(high)].map(([x, y]): Pixel => [x + w * 0.25, y]),
            shade(colour, 0.75),
            w * 0.45,
          ) +
          bands,
        ...outlined(
          [p(0), p(high)].flatMap(([x, y]): Pixel[] => [
            [x - w / 2, y],
            [x + w / 2, y],
          ]),
        ),
        glows: [],
      };
    },
  };
}

const bollard = (at: Ground) => upright(at, 0.8, 0.13, [196, 170, 50], [0.35, 0.6], [40, 40, 42]);
const hydrant = (at: Ground) => upright(at, 0.7, 0.24, [184, 40, 36], [0.5], [220, 210, 200]);

function post(at: Ground): Prop {
  return {
    at,
    paint(lens, light) {
      const k = lens.scale([at[0], at[1], 3]);
      const p = (dx: number, z: number) => lens.point([at[0] + dx, at[1], z]);
      const w = Math.max(1.2, 0.15 * k);
      const head = p(-2.2, 6.85);
      const svg =
        line([p(0, 0), p(0, 6.6), p(-0.5, 7), p(-2.1, 6.95)], [112, 116, 120], w) +
        line([p(-1.7, 6.95), p(-2.5, 6.85)], light.lamps > 0.3 ? [255, 236, 190] : [170, 172, 174], w * 1.6);
      const glows =
        light.lamps > 0.1
          ? [
              {
                at: head,
                radius: 1.5 * k,
                colour: [255, 214, 140].map((v) => v * 0.75 * light.lamps) as unknown as Rgb,
              },
            ]
          : [];
      return {
        svg,
        ...outlined(
          [p(0, 0), p(0, 6.6)].flatMap(([x, y]): Pixel[] => [
            [x - w / 2, y],
            [x + w / 2, y],
          ]),
          [p(-2.6, 7.2)],
        ),
        glows,
      };
    },
  };
}

/** Trunk and a crown of many small tufts: three tones, one path each, light ones towards the sky. */
function tree(at: Ground, c: Chance): Prop {
  const high = c.between(4.6, 6.8);
  const trunk = c.between(2.3, 2.8);
  const wide = c.between(1, 1.5);
  const green = c.pick<Rgb>([
    [74, 104, 56],
    [92, 114, 60],
    [64, 92, 62],
    [112, 110, 58],
  ]);
  const middle = (trunk + high) / 2;
  const tufts = Array.from({ length: 110 }, () => {
    const [angle, r] = [c.between(0, 6.28), Math.sqrt(c.next())];
    const [x, z] = [
      Math.cos(angle) * r * wide * c.between(0.85, 1.15),
      middle + Math.sin(angle) * r * (high - middle) * c.between(0.85, 1.2),
    ];
    return {
      x,
      z,
      r: c.between(0.16, 0.36),
      tone: (z - middle) / (high - middle) + x / wide / 3 + c.between(-0.7, 0.7),
    };
  });
  const edge = [0, 45, 90, 135, 180, 225, 270, 315].map((deg) => {
    const t = (deg * Math.PI) / 180;
    return [Math.cos(t) * wide, middle + Math.sin(t) * (high - middle)] as const;
  });
  const tones = [
    { k: 0.62, of: tufts },
    { k: 0.86, of: tufts.filter((t) => t.tone > -0.35) },
    { k: 1.12, of: tufts.filter((t) => t.tone > 0.45) },
  ];
  return {
    at,
    paint(lens) {
      const k = lens.scale([at[0], at[1], 0]);
      const p = (x: number, z: number) => lens.point([at[0] + x, at[1], z]);
      const bark: Rgb = [86, 70, 56];
      const wood =
        line([p(0, 0), p(0.03, trunk + 0.8)], bark, Math.max(1.4, 0.2 * k)) +
        line([p(0, trunk), p(0.4, trunk + 0.9)], bark, 0.09 * k);
      const crown = tones.map((tone, i) => tuftsPath(tone.of, i, p, k, shade(green, tone.k))).join('');
      return {
        svg: shadowDisc(lens, at, 0.5) + wood + crown,
        ...outlined(
          edge.map(([x, z]) => p(x, z)),
          [p(-wide * 1.3, 0), p(wide * 1.3, high + 0.6)],
        ),
        glows: [],
      };
    },
  };
}

function tuftsPath(
  tufts: readonly { x: number; z: number; r: number }[],
  tone: number,
  p: (x: number, z: number) => Pixel,
  k: number,
  colour: Rgb,
): string {
  const d = tufts.map((t) => {
    const [x, y] = p(t.x + tone * 0.04, t.z + tone * 0.06);
    const r = t.r * k * (1 - tone * 0.22);
    return `M${(x - r).toFixed(1)} ${y.toFixed(1)}l${r.toFixed(1)} ${(-r * 0.8).toFixed(1)} ${r.toFixed(1)} ${(r * 0.7).toFixed(1)} ${(-r * 0.8).toFixed(1)} ${(r * 0.8).toFixed(1)}z`;
  });
  return `<path d="${d.join('')}" fill="${css(colour)}"/>`;
}

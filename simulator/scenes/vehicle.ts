/** Paints a vehicle: profile drawn out to a body, faces turned to the camera only, from far to near. */

import { disc, fill, lambert, line, mix, type Sun, shade, solid } from './paint.ts';
import { chance } from './random.ts';
import type { Actor, Pixel, Rgb, Vec3 } from './types.ts';
import { type Piece, type Shape, shapeOf } from './vehicle-shapes.ts';
import type { Lens } from './view.ts';

/** A glow that the pixels add to the picture: lamp or lit sign. */
export interface Glow {
  at: Pixel;
  /** Pixels. */
  radius: number;
  colour: Rgb;
}

export interface Painted {
  svg: string;
  /** All that its outline consists of, for the box. */
  outline: Pixel[];
  glows: Glow[];
}

const GLASS: Rgb = [44, 56, 66];
const TYRE: Rgb = [26, 26, 28];

type Local = (along: number, side: number, up: number) => Vec3;

export function paintVehicle(actor: Actor, lens: Lens, sun: Sun, dark: boolean): Painted {
  const shape = shapeOf(actor.class, chance('shape', actor.look));
  const local = localFrame(actor);
  const outline: Pixel[] = [];
  const order = [...shape.pieces].sort((a, b) => far(b, local, lens) - far(a, local, lens));
  // The chassis lies under all else.
  const chassisFirst =
    shape.pieces.length > 1 ? [shape.pieces[0], ...order.filter((p) => p !== shape.pieces[0])] : order;
  const body = chassisFirst.map((p) => (p ? paintPiece(p, local, lens, sun, outline) : '')).join('');
  const lamps = paintLamps(actor, shape, local, lens, dark);
  return {
    svg: `${paintShadow(actor, shape, local, lens, sun)}${paintWheels(shape, local, lens, outline, 'hidden')}${body}${paintWheels(shape, local, lens, outline, 'shown')}${lamps.svg}`,
    outline,
    glows: lamps.glows,
  };
}

function localFrame(actor: Actor): Local {
  const [s, c] = [Math.sin(actor.heading), Math.cos(actor.heading)];
  return (along, side, up) => [actor.at[0] + along * s + side * c, actor.at[1] + along * c - side * s, up];
}

function far(piece: Piece, local: Local, lens: Lens): number {
  const [first, last] = [piece.outline[0], piece.outline[piece.outline.length - 1]];
  const middle = ((first?.[0] ?? 0) + (last?.[0] ?? 0)) / 2;
  // What lies higher is painted later: load upon tub, tub upon chassis.
  return lens.depth(local(middle, 0, 0)) - 4 * (first?.[1] ?? 0);
}

const halfAt = (p: Piece, up: number, top: number) =>
  up <= p.belt || top <= p.belt
    ? p.halfWidth
    : p.halfWidth + ((p.roofHalf - p.halfWidth) * (up - p.belt)) / (top - p.belt);

function paintPiece(p: Piece, local: Local, lens: Lens, sun: Sun, outline: Pixel[]): string {
  const top = Math.max(...p.outline.map((q) => q[1]));
  const on = (side: number, [along, up]: readonly [number, number], out = 1): Vec3 =>
    local(along, side * halfAt(p, up, top) * out, up);
  const strips: { depth: number; svg: string }[] = [];
  p.outline.forEach((a, i) => {
    const b = p.outline[i + 1];
    if (!b) return;
    const quad: Vec3[] = [on(-1, a), on(-1, b), on(1, b), on(1, a)];
    const normal = turn(local, -(b[1] - a[1]), 0, b[0] - a[0]);
    const middle = local((a[0] + b[0]) / 2, 0, (a[1] + b[1]) / 2);
    const pixels = lens.polygon(quad);
    outline.push(...pixels);
    if (!lens.faces(middle, normal)) return;
    const glass = p.glass.includes(i);
    const paint = shade(glass ? GLASS : p.colour, lambert(normal, sun));
    const inner = glass
      ? fill(lens.polygon(inset(quad)), shade(mix(GLASS, [150, 170, 185], 0.3), lambert(normal, sun)))
      : '';
    const rim = glass ? solid(pixels, shade(p.colour, lambert(normal, sun) * 0.92)) : '';
    strips.push({
      depth: lens.depth(middle),
      svg: glass ? `${rim}${fill(lens.polygon(inset(quad, 0.05)), paint)}${inner}` : solid(pixels, paint),
    });
  });
  strips.sort((a, b) => b.depth - a.depth);
  const sides = [-1, 1].map((side) => paintSide(p, side, on, local, lens, sun)).join('');
  return strips.map((s) => s.svg).join('') + sides;
}

/** A normal in the world from one in the body's own frame. */
function turn(local: Local, along: number, side: number, up: number): Vec3 {
  const [o, v] = [local(0, 0, 0), local(along, side, up)];
  const d: Vec3 = [v[0] - o[0], v[1] - o[1], v[2] - o[2]];
  const length = Math.hypot(...d) || 1;
  return [d[0] / length, d[1] / length, d[2] / length];
}

/** Upper left part of a pane: the sky in it. */
function inset(quad: readonly Vec3[], by = 0.22): Vec3[] {
  const m: Vec3 = [0, 1, 2].map((i) => quad.reduce((s, q) => s + (q[i] ?? 0), 0) / quad.length) as [
    number,
    number,
    number,
  ];
  return quad.map((q) => [q[0] + (m[0] - q[0]) * by, q[1] + (m[1] - q[1]) * by, q[2] + (m[2] - q[2]) * by]);
}

function paintSide(
  p: Piece,
  side: number,
  on: (side: number, at: readonly [number, number], out?: number) => Vec3,
  local: Local,
  lens: Lens,
  sun: Sun,
): string {
  const normal = turn(local, 0, side, 0);
  const middle = on(side, p.outline[0] ?? [0, 0]);
  if (!lens.faces(middle, normal)) return '';
  const k = lambert(normal, sun);
  const px = lens.scale(middle);
  const draw = (outline: readonly (readonly [number, number])[]) =>
    lens.polygon(outline.map((q) => on(side, q)));
  const lows = p.outline.map(([along, up]) => [along, Math.min(up, 0.62)] as const);
  return [
    solid(draw(p.outline), shade(p.colour, k)),
    p.outline.length > 6 ? fill(draw(lows), shade(p.colour, k * 0.72)) : '',
    p.stripe ? fill(draw(p.stripe.outline), shade(p.stripe.colour, k)) : '',
    ...p.windows.map((w) => fill(draw(w), shade(GLASS, 0.55 + 0.55 * k))),
    ...p.windows.map((w) => fill(draw(w.slice(0, 3)), shade([120, 140, 155], k), 0.28)),
    ...p.seams.map((s) => line(draw(s).slice(0, 2), shade(p.colour, k * 0.6), Math.max(0.5, px * 0.02), 0.8)),
  ].join('');
}

function circle(at: (a: number, b: number) => Vec3, radius: number): Vec3[] {
  return Array.from({ length: 14 }, (_, i) => {
    const t = (i / 14) * 2 * Math.PI;
    return at(radius * Math.cos(t), radius * Math.sin(t));
  });
}

/** Wheels of the far side before the body, those of the near side after it. */
function paintWheels(
  shape: Shape,
  local: Local,
  lens: Lens,
  outline: Pixel[],
  which: 'hidden' | 'shown',
): string {
  let out = '';
  for (const side of [-1, 1]) {
    const shown = lens.faces(local(0, side * shape.halfWidth, 0.3), turn(local, 0, side, 0));
    if (shown !== (which === 'shown')) continue;
    for (const { along, radius } of shape.wheels) {
      const at = (w: number, inwards: number) =>
        lens.polygon(circle((a, u) => local(along + a, side * (w - inwards), radius + u), radius));
      const tyre = at(shape.halfWidth + 0.01, 0);
      outline.push(...tyre);
      out += fill(at(shape.halfWidth, 0.22), TYRE);
      if (!shown) continue;
      const ring = (r: number) =>
        lens.polygon(circle((a, u) => local(along + a, side * (shape.halfWidth + 0.02), radius + u), r));
      out +=
        fill(ring(radius * 1.16), [18, 18, 20], 0.85) +
        fill(tyre, TYRE) +
        fill(ring(radius * 0.62), [150, 152, 156]);
      out += fill(ring(radius * 0.3), [70, 72, 76]);
    }
  }
  return out;
}

/** Darkness below the body, soft at the edge, and the shadow that the sun casts. */
function paintShadow(_: Actor, shape: Shape, local: Local, lens: Lens, sun: Sun): string {
  const [l, w] = [shape.length / 2, shape.halfWidth];
  const rect = (grow: number): Vec3[] => [
    local(-l - grow, -w - grow, 0),
    local(l + grow, -w - grow, 0),
    local(l + grow, w + grow, 0),
    local(-l - grow, w + grow, 0),
  ];
  const soft = [0.32, 0.16, 0, -0.15].map((g) => fill(lens.polygon(rect(g)), [8, 8, 12], 0.26)).join('');
  if (sun.shadow <= 0) return soft;
  const reach = shape.height / Math.max(0.35, sun.from[2]);
  const roof = rect(-0.1).map((p): Vec3 => [p[0] - sun.from[0] * reach, p[1] - sun.from[1] * reach, 0]);
  return (
    fill(hull([...lens.polygon(rect(0)), ...lens.polygon(roof)]), [10, 12, 22], 0.42 * sun.shadow) + soft
  );
}

/** Convex hull (Andrew's monotone chain). */
export function hull(ps: readonly Pixel[]): Pixel[] {
  const sorted = [...ps].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (list: readonly Pixel[]) => {
    const out: Pixel[] = [];
    for (const p of list) {
      while (out.length >= 2) {
        const [a, b] = [out[out.length - 2] as Pixel, out[out.length - 1] as Pixel];
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
        out.pop();
      }
      out.push(p);
    }
    return out.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

function paintLamps(
  actor: Actor,
  shape: Shape,
  local: Local,
  lens: Lens,
  dark: boolean,
): { svg: string; glows: Glow[] } {
  const on = dark && actor.speedMps > 0;
  const ends = [
    { along: shape.length / 2, colour: [238, 236, 220] as Rgb, lit: [255, 240, 205] as Rgb, glow: 1 },
    { along: -shape.length / 2, colour: [150, 26, 26] as Rgb, lit: [255, 60, 46] as Rgb, glow: 0.5 },
  ];
  let svg = '';
  const glows: Glow[] = [];
  for (const { along, colour, lit, glow } of ends) {
    const normal = turn(local, along, 0, 0);
    const at = local(along, 0, shape.lampUp);
    if (!lens.faces(at, normal) || lens.depth(at) < 1) continue;
    const k = lens.scale(at);
    for (const side of [-0.74, 0.74]) {
      const p = lens.point(local(along * 0.985, side * shape.halfWidth, shape.lampUp));
      svg += disc(p, Math.max(0.8, 0.13 * k), Math.max(0.6, 0.085 * k), on ? lit : colour);
      if (on)
        glows.push({
          at: p,
          radius: glow * 0.95 * k + 3,
          colour: [lit[0] * 0.8 * glow, lit[1] * 0.7 * glow, lit[2] * 0.6 * glow],
        });
    }
    svg += plate(along, shape, local, lens);
  }
  return { svg, glows };
}

/** Number plate: blue or, on new-energy cars, green; unreadable at this size. */
function plate(along: number, shape: Shape, local: Local, lens: Lens): string {
  const low = shape.lampUp - 0.28;
  const corners: Vec3[] = [
    local(along, -0.22, low),
    local(along, 0.22, low),
    local(along, 0.22, low + 0.14),
    local(along, -0.22, low + 0.14),
  ];
  return fill(
    lens.polygon(corners),
    shape.height > 1.6 && shape.height < 1.9 ? [120, 176, 132] : [40, 74, 150],
  );
}

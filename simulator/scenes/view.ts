/** The camera on its mast: makes views, and carries points of the world to pixels. Pure geometry. */

import { chance } from './random.ts';
import type { Pixel, Street, Vec3, View } from './types.ts';

const WIDTH = 640;
const HEIGHT = 360;
/** Nothing nearer than this many metres is drawn: projection runs away towards the lens. */
const NEAR = 0.6;

/** Seeds chosen by eye: three streets that differ. Training uses other seeds (see dataset.ts). */
const DEMO_SEEDS: Record<string, number> = { 'cam-01': 900_001, 'cam-02': 900_002, 'cam-03': 900_003 };

/** A camera and its street. The same name or number always gives the same one. */
export function viewOf(name: string | number): View {
  const seed =
    typeof name === 'number' ? name : (DEMO_SEEDS[name] ?? chance('view', name).int(1_000_000, 9_999_999));
  const c = chance('view', seed);
  // A demonstration shows its fire lane plainly; elsewhere many lanes are worn or were never painted.
  const street = Object.values(DEMO_SEEDS).includes(seed)
    ? { ...makeStreet(seed), marking: 'hatched' as const }
    : makeStreet(seed);
  return {
    name: String(name),
    seed,
    width: WIDTH,
    height: HEIGHT,
    street,
    camera: {
      at: [c.between(street.leftKerb - 1, 1.5), 0, c.between(4.6, 7)],
      yaw: c.between(0.1, 0.26),
      pitch: c.between(0.27, 0.36),
      focal: c.between(520, 640),
    },
  };
}

function makeStreet(seed: number): Street {
  const c = chance('street', seed);
  const half = c.between(3.4, 4.6);
  const laneEdge = half + c.between(3.6, 4.4);
  const from = c.between(10, 12.5);
  return {
    leftKerb: -half,
    leftFront: -half - c.between(3, 5),
    rightKerb: half,
    laneEdge,
    rightFront: laneEdge + c.between(2.2, 4),
    lane: [from, from + c.between(11, 15)],
    marking: c.pick(['hatched', 'hatched', 'box', 'none']),
  };
}

/** Basis of the camera: right, up, forward. */
function axes(view: View): { right: Vec3; up: Vec3; forward: Vec3 } {
  const { yaw, pitch } = view.camera;
  const [s, c, sp, cp] = [Math.sin(yaw), Math.cos(yaw), Math.sin(pitch), Math.cos(pitch)];
  return { right: [c, -s, 0], up: [s * sp, c * sp, cp], forward: [s * cp, c * cp, -sp] };
}

const dot = (a: Vec3, b: Vec3) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

/** Looks from one view; holds the axes so that thousands of points cost little. */
export interface Lens {
  view: View;
  /** Metres along the axis of the lens. */
  depth(p: Vec3): number;
  /** Pixels per metre at that point. */
  scale(p: Vec3): number;
  /** Only for points in front of the camera. */
  point(p: Vec3): Pixel;
  /** Cuts the polygon at the near plane; fewer than 3 points mean that nothing of it is in front. */
  polygon(points: readonly Vec3[]): Pixel[];
  /** Direction of the ray through a pixel, one metre deep. */
  ray(pixel: Pixel): Vec3;
  /** Is the side of a face with this outward normal turned to the camera? */
  faces(at: Vec3, normal: Vec3): boolean;
}

/** `shift` moves the whole picture: a mast in the wind. */
export function lensOf(view: View, shift: Pixel = [0, 0]): Lens {
  const { right, up, forward } = axes(view);
  const { at, focal } = view.camera;
  const [cx, cy] = [view.width / 2 + shift[0], view.height / 2 + shift[1]];
  const depth = (p: Vec3) => dot(minus(p, at), forward);
  const point = (p: Vec3): Pixel => {
    const d = minus(p, at);
    const k = focal / Math.max(NEAR, dot(d, forward));
    return [cx + k * dot(d, right), cy - k * dot(d, up)];
  };
  return {
    view,
    depth,
    point,
    scale: (p) => focal / Math.max(NEAR, depth(p)),
    polygon: (points) => clipNear(points, depth).map(point),
    ray: ([px, py]) => {
      const [a, b] = [(px - cx) / focal, (cy - py) / focal];
      const along = (i: 0 | 1 | 2) => forward[i] + a * right[i] + b * up[i];
      return [along(0), along(1), along(2)];
    },
    faces: (p, normal) => dot(minus(at, p), normal) > 0,
  };
}

function clipNear(points: readonly Vec3[], depth: (p: Vec3) => number): Vec3[] {
  const kept: Vec3[] = [];
  points.forEach((p, i) => {
    const q = points[(i + 1) % points.length] ?? p;
    const [dp, dq] = [depth(p) - NEAR, depth(q) - NEAR];
    if (dp >= 0) kept.push(p);
    if (dp >= 0 !== dq >= 0) {
      const t = dp / (dp - dq);
      kept.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])]);
    }
  });
  return kept;
}

/** The fire lane on this camera's picture: four corners in fractions of width and height, as the registry wants them. */
export function fireLaneZone(view: View): [number, number][] {
  const { rightKerb, laneEdge, lane } = view.street;
  const corners: Vec3[] = [
    [rightKerb, lane[0], 0],
    [laneEdge, lane[0], 0],
    [laneEdge, lane[1], 0],
    [rightKerb, lane[1], 0],
  ];
  const fraction = (n: number) => Math.round(Math.min(1, Math.max(0, n)) * 1e4) / 1e4;
  return lensOf(view)
    .polygon(corners)
    .map(([x, y]) => [fraction(x / view.width), fraction(y / view.height)]);
}

/** What a person could name on the picture, from geometry: outlines, what hides them, what the edge cuts off. */

import type { Actor, Extent, Pixel, SceneState, Truth } from './types.ts';
import { hull } from './vehicle.ts';

/** Something painted; `actor` is null for props, which hide others but are no truth. */
export interface Body {
  actor: Actor | null;
  outline: Pixel[];
}

/** Less than this share to be seen, or smaller than this: a person could not name it either. */
const MIN_VISIBLE = 0.35;
const MIN_WIDTH = 6;
const MIN_HEIGHT = 15;
const SAMPLES = 12;

/** `bodies` from far to near, as they were painted. */
export function truthOf(scene: SceneState, bodies: readonly Body[]): Truth[] {
  const hulls = bodies.map((b) => hull(b.outline));
  return bodies.flatMap((body, i): Truth[] => {
    if (!body.actor) return [];
    const shape = hulls[i] ?? [];
    const box = clipped(shape, scene.view.width, scene.view.height);
    if (!box || box[2] < MIN_WIDTH || box[3] < MIN_HEIGHT) return [];
    const visible = visibleShare(shape, hulls.slice(i + 1), scene.view.width, scene.view.height);
    return visible < MIN_VISIBLE ? [] : [{ class: body.actor.class, box, actor: body.actor.id, visible }];
  });
}

export function extentOf(shape: readonly Pixel[]): Extent {
  const [xs, ys] = [shape.map((p) => p[0]), shape.map((p) => p[1])];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function clipped(
  shape: readonly Pixel[],
  width: number,
  height: number,
): [number, number, number, number] | null {
  if (shape.length < 3) return null;
  const [x0, y0, x1, y1] = extentOf(shape);
  const [l, t, r, b] = [Math.max(0, x0), Math.max(0, y0), Math.min(width, x1), Math.min(height, y1)];
  const tenth = (n: number) => Math.round(n * 10) / 10;
  return r <= l || b <= t ? null : [tenth(l), tenth(t), tenth(r - l), tenth(b - t)];
}

function visibleShare(
  shape: readonly Pixel[],
  nearer: readonly Pixel[][],
  width: number,
  height: number,
): number {
  const [x0, y0, x1, y1] = extentOf(shape);
  let inside = 0;
  let seen = 0;
  for (let i = 0; i < SAMPLES; i++) {
    for (let j = 0; j < SAMPLES; j++) {
      const p: Pixel = [x0 + ((i + 0.5) / SAMPLES) * (x1 - x0), y0 + ((j + 0.5) / SAMPLES) * (y1 - y0)];
      if (!within(shape, p)) continue;
      inside++;
      const inPicture = p[0] >= 0 && p[0] < width && p[1] >= 0 && p[1] < height;
      if (inPicture && !nearer.some((other) => within(other, p))) seen++;
    }
  }
  return inside === 0 ? 0 : Math.round((seen / inside) * 100) / 100;
}

/** Is the point in the convex polygon? */
function within(shape: readonly Pixel[], [x, y]: Pixel): boolean {
  if (shape.length < 3) return false;
  let sign = 0;
  for (let i = 0; i < shape.length; i++) {
    const [a, b] = [shape[i] as Pixel, shape[(i + 1) % shape.length] as Pixel];
    const cross = (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
    if (cross === 0) continue;
    if (sign !== 0 && Math.sign(cross) !== sign) return false;
    sign = Math.sign(cross);
  }
  return true;
}

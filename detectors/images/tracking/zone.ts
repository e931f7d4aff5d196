/** Is a thing in a zone? Decided by its foot point: where it stands, not where its roof is. */

import type { Box, Zone } from '../../../contracts/index.ts';

type Point = readonly [x: number, y: number];

/** Middle of the lower edge. */
export function footPoint(box: Box): Point {
  return [box[0] + box[2] / 2, box[1] + box[3]];
}

/**
 * Where a vehicle stands, seen from above and ahead: the lower edge is the near side of it, so that the middle of its
 * footprint lies a little higher. A person is thin, its feet are at the edge.
 */
export function standingPoint(box: Box, className: string): Point {
  const [x, y] = footPoint(box);
  return className === 'person' ? [x, y] : [x, y - box[3] * 0.15];
}

/** From fractions of the picture to its pixels. */
export function polygonInPixels(zone: Zone, width: number, height: number): [number, number][] {
  return zone.polygon.map(([x, y]) => [Math.round(x * width * 10) / 10, Math.round(y * height * 10) / 10]);
}

/** Ray casting; a point on the edge may count to either side. */
export function inPolygon([x, y]: Point, polygon: readonly Point[]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[i] as Point;
    const [bx, by] = polygon[j] as Point;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

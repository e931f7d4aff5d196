/** Overlap of boxes, and thinning out. Boxes are [left, top, width, height]. */

import type { Box } from '../../../contracts/index.ts';

/** Intersection over union, 0 to 1. */
export function iou(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  const all = a[2] * a[3] + b[2] * b[3] - both;
  return all > 0 ? both / all : 0;
}

/**
 * Non-maximum suppression: of boxes of one group that overlap by more than `limit` the best stays. The result is sorted
 * by score, best first; of equal scores the earlier one goes first, so that the order never depends on luck.
 */
export function nms<T extends { score: number; box: Box }>(
  items: readonly T[],
  limit: number,
  groupOf: (item: T) => unknown,
): T[] {
  const kept: T[] = [];
  for (const item of items.toSorted((a, b) => b.score - a.score)) {
    const group = groupOf(item);
    if (kept.every((other) => groupOf(other) !== group || iou(other.box, item.box) <= limit)) kept.push(item);
  }
  return kept;
}

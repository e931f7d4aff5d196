/**
 * Whether a camera zone is a simple polygon: without crossings or touchings of its own edges, so that "inside" has one
 * meaning. Points are joined in order, the last with the first. Exact for the decimals that people write, up to rounding of
 * double arithmetic.
 */
export type Point = readonly [number, number];

/** More than anybody draws; the check compares every pair of edges. */
export const MOST_POINTS = 500;

/** What is wrong, as what is allowed; null when the polygon is simple. */
export function polygonFault(points: readonly Point[]): string | null {
  if (points.length > MOST_POINTS) return `at most ${MOST_POINTS} points`;
  const distinct = new Set(points.map((p) => p.join(','))).size;
  if (distinct < 3) return 'at least 3 different points';
  const [first, last] = [points[0], points.at(-1)];
  if (first !== undefined && last !== undefined && same(first, last)) {
    return 'without the first point again at the end: the last is joined with the first by itself';
  }
  if (distinct < points.length) return 'each point once';
  if (points.every((p) => turn(points[0], points[1], p) === 0)) return 'points that are not all on one line';
  const crossing = crossingEdges(points);
  return crossing === null
    ? null
    : `edges that do not cross or touch; those from points ${crossing[0]} and ${crossing[1]} (counted from 0) do`;
}

function crossingEdges(points: readonly Point[]): [number, number] | null {
  const edge = (i: number) => [points[i], points[(i + 1) % points.length]] as const;
  for (let i = 0; i < points.length; i++) {
    for (let k = i + 1; k < points.length; k++) {
      const [a, b] = edge(i);
      const [c, d] = edge(k);
      const isNext = k === i + 1;
      const isBefore = (k + 1) % points.length === i;
      // Neighbours share a point; more than that they share when the second goes back over the first.
      if (isNext ? goesBack(a, b, d) : isBefore ? goesBack(c, d, b) : meet(a, b, c, d)) return [i, k];
    }
  }
  return null;
}

/** Whether b→d lies over a→b. */
function goesBack(a: Point | undefined, b: Point | undefined, d: Point | undefined): boolean {
  if (a === undefined || b === undefined || d === undefined || turn(a, b, d) !== 0) return false;
  return (a[0] - b[0]) * (d[0] - b[0]) + (a[1] - b[1]) * (d[1] - b[1]) > 0;
}

function meet(a?: Point, b?: Point, c?: Point, d?: Point): boolean {
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (abc !== abd && cda !== cdb) return true;
  return (
    (abc === 0 && within(a, b, c)) ||
    (abd === 0 && within(a, b, d)) ||
    (cda === 0 && within(c, d, a)) ||
    (cdb === 0 && within(c, d, b))
  );
}

/** 1 to the left, -1 to the right, 0 straight on. */
function turn(a?: Point, b?: Point, c?: Point): number {
  if (a === undefined || b === undefined || c === undefined) return 0;
  const area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  return Math.abs(area) < 1e-12 ? 0 : Math.sign(area);
}

function within(a?: Point, b?: Point, p?: Point): boolean {
  if (a === undefined || b === undefined || p === undefined) return false;
  const inSpan = (axis: 0 | 1) =>
    p[axis] >= Math.min(a[axis], b[axis]) && p[axis] <= Math.max(a[axis], b[axis]);
  return inSpan(0) && inSpan(1);
}

function same(a: Point, b: Point): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

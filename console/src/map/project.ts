/** From WGS 84 to the plane of the drawing. Over one district an equirectangular projection is true to a thousandth. Pure. */
import type { Areas } from '../api/types.ts';
import { rings } from '../state/places.ts';

export interface Plane {
  width: number;
  height: number;
  /** [lon, lat] → [x, y] */
  at: (point: readonly [number, number]) => [number, number];
  /** Units of the plane in one kilometre. */
  perKm: number;
}

const WIDTH = 1000;
const MARGIN = 30;
/** Along a meridian. */
const KM_PER_DEGREE = 111.2;

/** A plane that holds all areas and points; null when there is nothing to hold. */
export function planeOf(areas: Areas, points: readonly (readonly [number, number])[] = []): Plane | null {
  const all = [
    ...areas.features.flatMap((feature) => rings(feature.geometry).flat(2)),
    ...points.map((point) => [...point]),
  ];
  if (all.length === 0) return null;
  const lons = all.map((point) => point[0] ?? 0);
  const lats = all.map((point) => point[1] ?? 0);
  const west = Math.min(...lons);
  const north = Math.max(...lats);
  const shrink = Math.cos((((north + Math.min(...lats)) / 2) * Math.PI) / 180);
  const wide = (Math.max(...lons) - west) * shrink;
  const high = north - Math.min(...lats);
  const scale = (WIDTH - 2 * MARGIN) / Math.max(wide, high * 0.2, 1e-6);
  return {
    width: WIDTH,
    height: Math.max(high * scale, 100) + 2 * MARGIN,
    perKm: scale / KM_PER_DEGREE,
    at: ([lon, lat]) => [MARGIN + (lon - west) * shrink * scale, MARGIN + (north - lat) * scale],
  };
}

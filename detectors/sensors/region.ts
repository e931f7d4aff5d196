import { booleanPointInPolygon } from '@turf/boolean-point-in-polygon';
import type { Catalog } from '../../backbone/catalog.ts';
import type { LonLat } from '../../contracts/index.ts';

/** Region code of the smallest jurisdiction (the longest code) that a place lies in; '' when it lies in none. */
export function regionOf(catalog: Catalog, place: LonLat): string {
  let region = '';
  for (const area of catalog.areas.features) {
    const code = area.properties.region;
    if (code.length > region.length && booleanPointInPolygon(place, area)) region = code;
  }
  return region;
}

/** Names of places, devices and units: what turns ids into words. */
import type { MultiPolygon, Polygon, Position } from 'geojson';
import type { Alert, BiText, DraftCase, RegisteredDevice } from '../../../contracts/index.ts';
import type { Areas, CatalogView } from '../api/types.ts';

/** The narrowest area (a street before the district) that holds the point. */
export function areaOf(
  areas: Areas,
  [lon, lat]: readonly [number, number],
): Areas['features'][number] | undefined {
  return areas.features
    .filter((feature) => rings(feature.geometry).some((polygon) => insidePolygon(polygon, lon, lat)))
    .sort((a, b) => b.properties.region.length - a.properties.region.length)[0];
}

/** The polygons of an area, each as its rings: outer first, then holes. */
export const rings = (geometry: Polygon | MultiPolygon): Position[][][] =>
  geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;

/** Even-odd over all rings, so that holes count as outside. */
function insidePolygon(polygon: Position[][], x: number, y: number): boolean {
  let inside = false;
  for (const ring of polygon) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [xi = 0, yi = 0] = ring[i] ?? [];
      const [xj = 0, yj = 0] = ring[j] ?? [];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

export interface Names {
  device: (id: string) => BiText;
  unit: (id: string) => BiText;
  matter: (id: string) => BiText;
  area: (point: readonly [number, number]) => BiText | null;
}

const same = (text: string): BiText => ({ zh: text, en: text });

/** Ids stand for themselves where a name is not known (yet). */
export function namesOf(catalog: CatalogView | null, devices: ReadonlyMap<string, RegisteredDevice>): Names {
  const units = new Map(catalog?.units.map((unit) => [unit.id, unit.name]));
  const matters = new Map(catalog?.matters.map((matter) => [matter.id, matter.name]));
  /** By "lon,lat": devices do not move, and the list asks for the same few places again and again. */
  const areaCache = new Map<string, BiText | null>();
  return {
    device: (id) => devices.get(id)?.name ?? same(id),
    unit: (id) => units.get(id) ?? same(id),
    matter: (id) => matters.get(id) ?? same(id),
    area(point) {
      if (catalog === null) return null;
      const key = point.join(',');
      const known = areaCache.get(key);
      if (known !== undefined) return known;
      const name = areaOf(catalog.areas, point)?.properties.name ?? null;
      areaCache.set(key, name);
      return name;
    },
  };
}

/** The unit on whose desk an alert lies, once a draft case came of it. */
export const unitOf = (alert: Alert, drafts: ReadonlyMap<string, DraftCase>): string | null =>
  alert.draftCase === null ? null : (drafts.get(alert.draftCase)?.route.unit ?? null);

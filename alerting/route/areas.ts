import { booleanPointInPolygon } from '@turf/boolean-point-in-polygon';
import type { Feature, MultiPolygon, Polygon, Position } from 'geojson';
import type { AreaProperties, Catalog } from '../../backbone/catalog.ts';
import type { LonLat } from '../../contracts/index.ts';

export type Area = Feature<Polygon | MultiPolygon, AreaProperties>;

interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** Cells along each side of the grid: with 1,000 areas a cell meets a handful of them. */
const CELLS = 64;

/**
 * Answers which areas a place lies in. A grid over all areas leaves a few to be looked at, their boxes fewer still; only
 * those are cut exactly. A place on a boundary lies in both neighbours. Read only; about 5,000 list entries for 1,000 areas.
 */
export class AreaIndex {
  readonly #box: Box;
  /** By row × CELLS + column. */
  readonly #cells: { area: Area; box: Box }[][] = [];

  constructor(areas: Catalog['areas']) {
    const entries = areas.features.map((area) => ({ area, box: boxOf(area) }));
    this.#box = union(entries.map((entry) => entry.box));
    for (const entry of entries) {
      for (let y = this.#row(entry.box.south); y <= this.#row(entry.box.north); y++) {
        for (let x = this.#column(entry.box.west); x <= this.#column(entry.box.east); x++) {
          const cell = this.#cells[y * CELLS + x];
          if (cell === undefined) this.#cells[y * CELLS + x] = [entry];
          else cell.push(entry);
        }
      }
    }
  }

  /** Areas that contain the place, in the order of the catalog. */
  at(place: LonLat): Area[] {
    if (!within(this.#box, place)) return [];
    const cell = this.#cells[this.#row(place[1]) * CELLS + this.#column(place[0])] ?? [];
    const found: Area[] = [];
    for (const { area, box } of cell) {
      if (within(box, place) && booleanPointInPolygon(place, area)) found.push(area);
    }
    return found;
  }

  #column(lon: number): number {
    return slot(lon, this.#box.west, this.#box.east);
  }

  #row(lat: number): number {
    return slot(lat, this.#box.south, this.#box.north);
  }
}

function slot(value: number, low: number, high: number): number {
  if (high <= low) return 0;
  return Math.min(CELLS - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * CELLS)));
}

function within(box: Box, [lon, lat]: LonLat): boolean {
  return lon >= box.west && lon <= box.east && lat >= box.south && lat <= box.north;
}

function boxOf(area: Area): Box {
  const { geometry } = area;
  const rings = geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat();
  return union(
    rings.flat().map(([lon = 0, lat = 0]: Position) => ({ west: lon, east: lon, south: lat, north: lat })),
  );
}

function union(boxes: readonly Box[]): Box {
  const box: Box = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity };
  for (const b of boxes) {
    box.west = Math.min(box.west, b.west);
    box.south = Math.min(box.south, b.south);
    box.east = Math.max(box.east, b.east);
    box.north = Math.max(box.north, b.north);
  }
  return box;
}

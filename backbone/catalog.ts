import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import type { Assignment, LegalBasis, Limit, Matter, Unit } from '../contracts/index.ts';

/** The catalog in memory: data from `catalog/`, checked as a whole. Read only. */
export interface Catalog {
  /** By id. */
  matters: ReadonlyMap<string, Matter>;
  bases: ReadonlyMap<string, LegalBasis>;
  units: ReadonlyMap<string, Unit>;
  limits: readonly Limit[];
  assignments: readonly Assignment[];
  /** Jurisdiction areas; each feature's `properties` hold id, name {zh, en} and region. */
  areas: FeatureCollection<Polygon | MultiPolygon, AreaProperties>;
  /** SHA-256 of all its files: what a draft's routing can be traced back to. */
  version: string;
}

export interface AreaProperties {
  id: string;
  name: { zh: string; en: string };
  /** GB/T 2260 region code, 6 digits, or 9 with the street (GB/T 10114). */
  region: string;
}

/**
 * Who answers for what in the demonstration district, as its (fictional) published lists say since 2026-01-01. Written
 * down here on its own: the product's routing is scored against it, so it must not be the product's.
 */
import type { LonLat } from '../../contracts/index.ts';

type Street = 'qingshi' | 'linhe';

interface Responsibility {
  /** The department that answers where no street does. */
  department: string;
  /** The streets that the power was given to. */
  empowered: Partial<Record<Street, string>>;
}

/** By matter. */
const RESPONSIBLE: Record<string, Responsibility> = {
  'm-dust-site': { department: 'u-urban', empowered: { linhe: 'u-linhe' } },
  'm-noise-night': { department: 'u-urban', empowered: { qingshi: 'u-qingshi' } },
  'm-fire-lane': { department: 'u-fire', empowered: { qingshi: 'u-qingshi' } },
  'm-monitoring-data': { department: 'u-eco', empowered: {} },
  'm-monitoring-abnormal': { department: 'u-eco', empowered: {} },
  'm-device-offline': { department: 'u-eco', empowered: {} },
};

/** The border between the two streets runs along this meridian. */
const BORDER_LON = 123.43;

export function streetOf([lon]: LonLat): Street {
  return lon < BORDER_LON ? 'qingshi' : 'linhe';
}

export function responsibleUnit(matter: string, location: LonLat): string {
  const known = RESPONSIBLE[matter];
  if (known === undefined) throw new Error(`nobody is named for matter ${matter}`);
  return known.empowered[streetOf(location)] ?? known.department;
}

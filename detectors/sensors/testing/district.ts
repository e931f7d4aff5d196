import type { Catalog } from '../../../backbone/catalog.ts';
import { Limit } from '../../../contracts/index.ts';

/**
 * The law of the demonstration district, as far as detectors look at it: one area, its matters, two limits. Fixed values
 * of its own, so that an edited catalog/ changes no test here; that the shipped limits work is limits/catalog.test.ts's.
 */
export const DUST_5MIN = {
  id: 'l-dust',
  version: 1,
  matter: 'm-dust-site',
  property: 'TSP',
  statistic: { type: 'mean', windowS: 300, minValidShare: 0.75 },
  max: 0.8,
  unit: 'mg/m3',
  region: '21',
  where: { siteType: 'construction' },
  clause: 'DB21/2642-2016 4.1',
  valid: { from: '2016-11-01', to: null },
  source: 'test',
  certainty: 'secondary',
} as const;

export const NIGHT_NOISE = {
  id: 'l-noise-night',
  version: 1,
  matter: 'm-noise-night',
  property: 'LAeq',
  statistic: { type: 'leq', windowS: 1200, minValidShare: 0.75 },
  max: 55,
  unit: 'dB',
  hours: ['22:00', '06:00'],
  region: '',
  where: { siteType: 'construction' },
  clause: 'GB 12523 4.1',
  valid: { from: '2012-07-01', to: null },
  source: 'test',
  certainty: 'unconfirmed',
} as const;

const MATTERS = [
  'm-dust-site',
  'm-noise-night',
  'm-monitoring-data',
  'm-monitoring-abnormal',
  'm-device-offline',
];

/** The demonstration district, as far as detectors look at it: one area, matters, and the limits given. */
export function testCatalog(limits: readonly unknown[] = [DUST_5MIN, NIGHT_NOISE]): Catalog {
  const name = { zh: '示范区', en: 'Demonstration District' };
  const ring = [
    [123.4, 41.78],
    [123.46, 41.78],
    [123.46, 41.82],
    [123.4, 41.82],
    [123.4, 41.78],
  ];
  return {
    matters: new Map(
      MATTERS.map((id) => [id, { id, code: id, name, cause: name, bases: ['b-1'], reviewHours: 24 }]),
    ),
    bases: new Map(),
    units: new Map(),
    limits: limits.map((limit) => Limit.parse(limit)),
    assignments: [],
    areas: {
      type: 'FeatureCollection',
      features: [
        {
          type: 'Feature',
          properties: { id: 'area-district', name, region: '210199' },
          geometry: { type: 'Polygon', coordinates: [ring] },
        },
      ],
    },
    version: 'test',
  };
}

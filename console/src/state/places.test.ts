import { expect, test } from 'vitest';
import type { Areas } from '../api/types.ts';
import { planeOf } from '../map/project.ts';
import { areaOf } from './places.ts';

const square = (west: number, south: number, side: number): [number, number][] => [
  [west, south],
  [west + side, south],
  [west + side, south + side],
  [west, south + side],
  [west, south],
];
const areas: Areas = {
  type: 'FeatureCollection',
  features: [
    {
      type: 'Feature',
      properties: { id: 'district', name: { zh: '区', en: 'District' }, region: '210199' },
      geometry: { type: 'Polygon', coordinates: [square(0, 0, 10)] },
    },
    {
      type: 'Feature',
      properties: { id: 'street', name: { zh: '街', en: 'Street' }, region: '210199001' },
      geometry: { type: 'MultiPolygon', coordinates: [[square(0, 0, 5), square(1, 1, 1)]] },
    },
  ],
};

test('a place is in the narrowest area around it; a hole is outside', () => {
  expect(areaOf(areas, [3, 3])?.properties.id).toBe('street');
  expect(areaOf(areas, [1.5, 1.5])?.properties.id).toBe('district');
  expect(areaOf(areas, [8, 8])?.properties.id).toBe('district');
  expect(areaOf(areas, [11, 3])).toBeUndefined();
});

test('the plane holds every area and point, north up', () => {
  const plane = planeOf(areas, [[12, 5]]);
  expect(plane).not.toBeNull();
  if (plane === null) return;
  for (const point of [
    [0, 0],
    [10, 10],
    [12, 5],
  ] as [number, number][]) {
    const [x, y] = plane.at(point);
    expect(x >= 0 && x <= plane.width && y >= 0 && y <= plane.height).toBe(true);
  }
  expect(plane.at([5, 9])[1]).toBeLessThan(plane.at([5, 1])[1]);
});

import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../backbone/project-root.ts';
import { catalog, EVENING } from '../testing/fixtures.ts';
import { AreaIndex } from './areas.ts';
import { Router, routeTest } from './index.ts';
import { routeCases } from './route-test.ts';

describe('whose matter it is', () => {
  it('the catalog routes its table of cases as written', async () => {
    const report = routeTest(join(projectRoot, 'catalog', 'route-cases.yaml'), await catalog());
    expect(report.failed).toEqual([]);
    expect(report.passed).toBe(report.cases);
    expect(report.cases).toBeGreaterThan(10);
  });

  it('a case that goes elsewhere is named, with what came instead and why', async () => {
    const expected = { unit: 'u-urban', reason: 'default' as const };
    const one = { case: 'x', matter: 'm-dust-site', place: [123.445, 41.8] as [number, number], expected };
    const report = routeCases(
      { utcOffsetMinutes: 480, cases: [{ ...one, at: '2026-11-22T22:00:00+08:00' }] },
      await catalog(),
    );
    expect(report).toMatchObject({
      passed: 0,
      failed: [{ case: 'x', expected, got: { unit: 'u-linhe', reason: 'empowerment' } }],
    });
    expect(report.failed[0]?.reason).toContain('Linhe');
  });

  it('a file of cases with mistakes is refused with all of them', () => {
    const file = join(projectRoot, 'catalog', 'units.yaml');
    return catalog().then((loaded) =>
      expect(() => routeTest(file, loaded)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' })),
    );
  });

  it('the sentence says matter, place, list and since when, in both languages', async () => {
    const router = new Router(await catalog(), 480);
    const { text } = router.route({ matter: 'm-dust-site', place: [123.445, 41.8], at: EVENING });
    for (const part of ['施工扬尘超标', '临河街道', '临河街道赋权事项清单（2026年版）', '2026-01-01']) {
      expect(text.zh).toContain(part);
    }
    expect(text.en).toContain('Linhe Subdistrict Enforcement Team is responsible');
  });

  it('two empowered units are a question for a person, with both as candidates', async () => {
    const real = await catalog();
    const second = real.assignments.find((a) => a.id === 'as-dust-linhe')!;
    const doubled = {
      ...real,
      assignments: [...real.assignments, { ...second, id: 'as-2', unit: 'u-qingshi' }],
    };
    const route = new Router(doubled, 480).route({
      matter: 'm-dust-site',
      place: [123.445, 41.8],
      at: EVENING,
    });
    expect(route).toMatchObject({
      unit: null,
      reason: 'several-match',
      candidates: ['u-linhe', 'u-qingshi'],
    });
  });

  it('the grid finds what a look at every area finds', () => {
    const square = (id: string, x: number, y: number, size: number) => ({
      type: 'Feature' as const,
      properties: { id, name: { zh: id, en: id }, region: '210199' },
      geometry: {
        type: 'Polygon' as const,
        coordinates: [
          [
            [x, y],
            [x + size, y],
            [x + size, y + size],
            [x, y + size],
            [x, y],
          ],
        ],
      },
    });
    const coordinate = fc.integer({ min: 0, max: 60 }).map((n) => n / 4);
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            coordinate,
            coordinate,
            fc.integer({ min: 1, max: 20 }).map((n) => n / 2),
          ),
          {
            minLength: 1,
            maxLength: 30,
          },
        ),
        coordinate,
        coordinate,
        (squares, x, y) => {
          const features = squares.map(([sx, sy, size], i) => square(`s${i}`, sx, sy, size));
          const index = new AreaIndex({ type: 'FeatureCollection', features });
          const expected = squares.flatMap(([sx, sy, size], i) =>
            x >= sx && x <= sx + size && y >= sy && y <= sy + size ? [`s${i}`] : [],
          );
          expect(index.at([x, y]).map((a) => a.properties.id)).toEqual(expected);
        },
      ),
      { seed: 3 },
    );
  });
});

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { QianliyanError } from '../contracts/index.ts';
import { temporaryFolder } from '../tests/contract/support.ts';
import { loadCatalog } from './catalog-load.ts';

const name = { zh: '名', en: 'name' };
const valid = { from: '2020-01-01' };
const mark = { source: 'a test', certainty: 'unconfirmed' };
const limit = {
  id: 'l-tsp',
  version: 1,
  matter: 'm-dust',
  property: 'TSP',
  statistic: { type: 'mean', windowS: 300, minValidShare: 0.75 },
  max: 0.8,
  unit: 'mg/m3',
  clause: '4.1',
  valid: { from: '2020-01-01', to: '2026-01-01' },
  ...mark,
};
const ring = [
  [123.4, 41.78],
  [123.43, 41.78],
  [123.43, 41.82],
  [123.4, 41.78],
];

/** A small catalog that is right; tests change one thing. */
function entries() {
  return {
    'matters.yaml': [{ id: 'm-dust', code: '1', name, cause: name, bases: ['b-1'] }],
    'legal-bases.yaml': [
      { id: 'b-1', law: name, article: '1', level: 'law', role: 'violated', valid, ...mark },
    ] as Record<string, unknown>[],
    'units.yaml': [
      { id: 'u-district', name, parent: null, level: 'district', region: '210199' },
      { id: 'u-urban', name, parent: 'u-district', level: 'department', region: '210199' },
    ] as Record<string, unknown>[],
    'limits.yaml': [limit, { ...limit, version: 2, max: 0.5, valid: { from: '2026-01-01' } }] as Record<
      string,
      unknown
    >[],
    'assignments.yaml': [
      {
        id: 'a-1',
        matter: 'm-dust',
        area: 'area-1',
        unit: 'u-urban',
        basis: 'default',
        valid,
        source: 'a test',
      },
    ] as Record<string, unknown>[],
    'jurisdictions.geojson': {
      type: 'FeatureCollection',
      features: [
        {
          type: 'Feature',
          properties: { id: 'area-1', name, region: '210199' },
          geometry: { type: 'Polygon', coordinates: [ring] },
        },
      ],
    },
  };
}

describe('the catalog', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  const write = async (change: (all: ReturnType<typeof entries>) => void = () => undefined) => {
    const all = entries();
    change(all);
    for (const [file, value] of Object.entries(all)) {
      const text = file.endsWith('.geojson') ? JSON.stringify(value) : stringify(value);
      await writeFile(join(folder.path, file), text);
    }
  };
  const problemsAfter = async (change: (all: ReturnType<typeof entries>) => void) => {
    await write(change);
    return loadCatalog(folder.path).then(
      () => [],
      (error: QianliyanError) => {
        expect(error).toBeInstanceOf(QianliyanError);
        expect(error.code).toBe('CATALOG_INVALID');
        return error.problems;
      },
    );
  };

  it('is read whole, with its defaults', async () => {
    await write();
    const catalog = await loadCatalog(folder.path);
    expect(catalog.matters.get('m-dust')?.reviewHours).toBe(24);
    expect(catalog.limits.map(({ max, region }) => [max, region])).toEqual([
      [0.8, ''],
      [0.5, ''],
    ]);
    expect(catalog.areas.features[0]?.properties.id).toBe('area-1');
    expect(catalog.version).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has another version whenever a byte changes, and the same one elsewhere', async () => {
    await write();
    const { version } = await loadCatalog(folder.path);
    const copy = join(folder.path, 'copy');
    await mkdir(copy);
    for (const file of Object.keys(entries())) await copyFile(join(folder.path, file), join(copy, file));
    expect((await loadCatalog(copy)).version).toBe(version);
    await writeFile(
      join(copy, 'units.yaml'),
      `${await readFile(join(copy, 'units.yaml'), 'utf8')}# a remark\n`,
    );
    expect((await loadCatalog(copy)).version).not.toBe(version);
  });

  it('names every file that is missing', async () => {
    await write();
    await rm(join(folder.path, 'units.yaml'));
    await rm(join(folder.path, 'limits.yaml'));
    await expect(loadCatalog(folder.path)).rejects.toMatchObject({
      code: 'CATALOG_INVALID',
      problems: [{ path: 'units.yaml' }, { path: 'limits.yaml' }],
    });
  });

  it('names the line of what is no YAML', async () => {
    await write();
    await writeFile(join(folder.path, 'units.yaml'), '- id: u-1\n  name: [\n');
    const error = await loadCatalog(folder.path).catch((thrown: QianliyanError) => thrown);
    expect((error as QianliyanError).problems[0]?.path).toMatch(/^units\.yaml:line [23]$/);
  });

  it('names a misspelt field with its place', async () => {
    const [problem] = await problemsAfter((all) => {
      all['units.yaml'][1] = { ...all['units.yaml'][1], parnt: 'u-district' };
    });
    expect(problem).toMatchObject({
      path: 'units.yaml:1.parnt',
      allowed: expect.stringContaining('did you mean "parent"'),
    });
  });

  it.each<[string, string, (all: ReturnType<typeof entries>) => void]>([
    ['an id twice', 'units.yaml:2.id', (all) => all['units.yaml'].push({ ...all['units.yaml'][1] })],
    ['an unknown basis', 'matters.yaml:0.bases.0', (all) => (all['matters.yaml'][0]!.bases = ['b-9'])],
    [
      'an unknown successor',
      'legal-bases.yaml:0.successor',
      (all) => (all['legal-bases.yaml'][0]!.successor = 'b-9'),
    ],
    ['a second root', 'units.yaml', (all) => (all['units.yaml'][1]!.parent = null)],
    ['an unknown parent', 'units.yaml:1.parent', (all) => (all['units.yaml'][1]!.parent = 'u-9')],
    ['a unit above itself', 'units.yaml:1.parent', (all) => (all['units.yaml'][1]!.parent = 'u-urban')],
    [
      'an unknown matter of a limit',
      'limits.yaml:0.matter',
      (all) => (all['limits.yaml'][0] = { ...limit, matter: 'm-9' }),
    ],
    [
      'limits that overlap',
      'limits.yaml:1.valid',
      (all) => (all['limits.yaml'][1]!.valid = { from: '2025-12-31' }),
    ],
    ['a version twice', 'limits.yaml:1.version', (all) => (all['limits.yaml'][1]!.version = 1)],
    [
      'no hour of the day',
      'limits.yaml:0.hours.0',
      (all) => (all['limits.yaml'][0] = { ...limit, hours: ['25:00', '06:00'] }),
    ],
    [
      'an end before the start',
      'limits.yaml:1.valid.to',
      (all) => (all['limits.yaml'][1]!.valid = { from: '2026-02-01', to: '2026-01-01' }),
    ],
    ['an unknown area', 'assignments.yaml:0.area', (all) => (all['assignments.yaml'][0]!.area = 'area-9')],
    [
      'an unknown unit',
      'assignments.yaml:0.coUnits.0',
      (all) => (all['assignments.yaml'][0]!.coUnits = ['u-9']),
    ],
    [
      'a ring that is open',
      'jurisdictions.geojson:features.0.geometry.coordinates.0',
      (all) =>
        (all['jurisdictions.geojson'].features[0]!.geometry.coordinates = [
          [...ring.slice(0, 3), [123.4, 41.9]],
        ]),
    ],
  ])('refuses %s', async (_what, path, change) => {
    const problems = await problemsAfter((all) => void change(all));
    expect(problems.map((problem) => problem.path)).toEqual([path]);
  });

  it('tells of all of them at once', async () => {
    const problems = await problemsAfter((all) => {
      all['matters.yaml'][0]!.bases = ['b-9'];
      all['assignments.yaml'][0]!.unit = 'u-9';
    });
    expect(problems.map(({ path, found }) => [path, found])).toEqual([
      ['matters.yaml:0.bases.0', 'b-9'],
      ['assignments.yaml:0.unit', 'u-9'],
    ]);
  });
});

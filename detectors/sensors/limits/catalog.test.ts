import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../backbone/catalog-load.ts';
import { projectRoot } from '../../../backbone/project-root.ts';
import { at, BEIJING_MS, testDevice } from '../testing/index.ts';
import { holdsOver, rulesFor } from './rules.ts';

const catalog = await loadCatalog(join(projectRoot, 'catalog'));
const MIN = 60_000;

/** Limits of the shipped catalog in force for a device's datastream over the window that begins then. */
function inForce(
  property: string,
  local: string,
  attributes: Record<string, string>,
  region = '210199',
): string[] {
  const device = testDevice('dev-01', [property], { attributes });
  const datastream = device.datastreams[0]!;
  const rules = rulesFor({
    id: `dev-01/${property}`,
    device,
    datastream,
    catalog,
    region,
    utcOffsetMs: BEIJING_MS,
  });
  return rules
    .filter((rule) => holdsOver(rule, at(local), at(local) + Math.max(rule.windowMs, MIN), BEIJING_MS))
    .map((rule) => `${rule.limit.id}@${rule.limit.version} ${rule.limit.max}`);
}
const site = { siteType: 'construction' };

describe('the limits that ship', () => {
  test('a Liaoning building site has the urban dust limit, a rural one the higher, a school none', () => {
    expect(inForce('TSP', '2026-11-22 10:00', site)).toEqual(['l-db21-2642-tsp-urban@1 0.8']);
    expect(inForce('TSP', '2026-11-22 10:00', { siteType: 'construction-rural' })).toEqual([
      'l-db21-2642-tsp-rural@1 1',
    ]);
    expect(inForce('TSP', '2026-11-22 10:00', { siteType: 'school' })).toEqual([]);
  });

  test('not in Hebei, whose rule cannot be said yet', () => {
    expect(inForce('TSP', '2026-11-22 10:00', site, '130100')).toEqual([]);
  });

  test('night noise follows the edition in force, and only the night', () => {
    expect(inForce('LAeq', '2025-12-31 23:00', site)).toEqual([
      'l-gb12523-night@1 55',
      'l-gb12523-night-max-laeq@1 70',
    ]);
    expect(inForce('LAeq', '2026-11-22 23:00', site)).toEqual([
      'l-gb12523-night@2 55',
      'l-gb12523-night-max-laeq@2 70',
    ]);
    expect(inForce('LAeq', '2026-11-22 12:00', site)).toEqual([]);
  });

  test('nothing is called verified that was not read in the primary text', () => {
    expect(catalog.limits.filter((limit) => limit.certainty === 'verified')).toEqual([]);
    expect(catalog.limits.every((limit) => limit.source.length > 10)).toBe(true);
  });
});

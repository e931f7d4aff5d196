import type { Limit, Problem, Validity } from '../contracts/index.ts';
import type { CatalogEntries } from './catalog-load.ts';

/** What the entries of the catalog say of each other. Pure: entries in, problems out. */

type Check = (entries: CatalogEntries) => Problem[];

const CHECKS: readonly Check[] = [
  uniqueIds,
  mattersRestOnKnownBases,
  successorsExist,
  unitsFormOneTree,
  limitsServeKnownMatters,
  limitsTellOneValueAtATime,
  hoursExist,
  assignmentsNameKnownThings,
  validitiesBeginBeforeTheyEnd,
  ringsAreClosed,
];

export function crossCheck(entries: CatalogEntries): Problem[] {
  return CHECKS.flatMap((check) => check(entries));
}

function uniqueIds({ matters, bases, units, assignments, areas }: CatalogEntries): Problem[] {
  const properties = areas.features.map((feature) => feature.properties);
  return [
    ...duplicates('matters.yaml', '', matters),
    ...duplicates('legal-bases.yaml', '', bases),
    ...duplicates('units.yaml', '', units),
    ...duplicates('assignments.yaml', '', assignments),
    ...duplicates('jurisdictions.geojson', 'features.', properties, 'properties.'),
  ];
}

function duplicates(file: string, before: string, entries: readonly { id: string }[], field = ''): Problem[] {
  const seen = new Set<string>();
  return entries.flatMap(({ id }, index) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [
      { path: `${file}:${before}${index}.${field}id`, found: id, allowed: 'an id that no other entry has' },
    ];
  });
}

function mattersRestOnKnownBases({ matters, bases }: CatalogEntries): Problem[] {
  const known = idsOf(bases);
  return matters.flatMap((matter, index) =>
    matter.bases.flatMap((id, at) =>
      reference(known, id, `matters.yaml:${index}.bases.${at}`, 'a legal basis', 'legal-bases.yaml'),
    ),
  );
}

function successorsExist({ bases }: CatalogEntries): Problem[] {
  const known = idsOf(bases);
  return bases.flatMap(({ successor }, index) =>
    successor === null
      ? []
      : reference(
          known,
          successor,
          `legal-bases.yaml:${index}.successor`,
          'a legal basis',
          'legal-bases.yaml',
        ),
  );
}

/** Escalation goes to the parent: every unit must reach the one root. */
function unitsFormOneTree({ units }: CatalogEntries): Problem[] {
  const parents = new Map(units.map((unit) => [unit.id, unit.parent]));
  const roots = units.filter((unit) => unit.parent === null).map((unit) => unit.id);
  const problems: Problem[] = [];
  if (roots.length !== 1) {
    const allowed = 'exactly one unit without a parent: the root, to which every escalation leads';
    problems.push({ path: 'units.yaml', found: roots, allowed });
  }
  for (const [index, { parent }] of units.entries()) {
    const path = `units.yaml:${index}.parent`;
    if (parent === null) continue;
    const unknown = reference(new Set(parents.keys()), parent, path, 'a unit', 'units.yaml');
    if (unknown.length > 0) problems.push(...unknown);
    else if (isInCircle(units[index]?.id ?? '', parents)) {
      problems.push({ path, found: parent, allowed: 'a unit above this one; these lead round in a circle' });
    }
  }
  return problems;
}

function isInCircle(unit: string, parents: ReadonlyMap<string, string | null>): boolean {
  let above = parents.get(unit) ?? null;
  for (let steps = 0; above !== null && steps <= parents.size; steps++) {
    if (above === unit) return true;
    above = parents.get(above) ?? null;
  }
  return false;
}

function limitsServeKnownMatters({ limits, matters }: CatalogEntries): Problem[] {
  const known = idsOf(matters);
  return limits.flatMap(({ matter }, index) =>
    reference(known, matter, `limits.yaml:${index}.matter`, 'a matter', 'matters.yaml'),
  );
}

/** Editions of a limit share its id and follow each other in time. */
function limitsTellOneValueAtATime({ limits }: CatalogEntries): Problem[] {
  return limits.flatMap((limit, index) => {
    const earlier = limits.slice(0, index).filter((other) => other.id === limit.id);
    const problems: Problem[] = [];
    if (earlier.some((other) => other.version === limit.version)) {
      const allowed = `a version that no other edition of ${limit.id} has`;
      problems.push({ path: `limits.yaml:${index}.version`, found: limit.version, allowed });
    }
    const clash = earlier.find((other) => overlap(other.valid, limit.valid));
    if (clash !== undefined) problems.push(overlapProblem(index, limit, clash));
    return problems;
  });
}

function overlapProblem(index: number, limit: Limit, clash: Limit): Problem {
  const span = `${clash.valid.from} to ${clash.valid.to ?? 'open end'}`;
  const allowed = `a time that version ${clash.version} of ${limit.id} does not cover (${span})`;
  return { path: `limits.yaml:${index}.valid`, found: limit.valid, allowed };
}

function overlap(a: Validity, b: Validity): boolean {
  // ISO dates compare as text; no end is later than any date.
  return a.from < (b.to ?? '~') && b.from < (a.to ?? '~');
}

function hoursExist({ limits }: CatalogEntries): Problem[] {
  return limits.flatMap(({ hours }, index) =>
    (hours ?? []).flatMap((hour, at) =>
      /^([01]\d|2[0-3]):[0-5]\d$/.test(hour) || (at === 1 && hour === '24:00')
        ? []
        : [
            {
              path: `limits.yaml:${index}.hours.${at}`,
              found: hour,
              allowed: 'a time of day from 00:00 to 23:59',
            },
          ],
    ),
  );
}

function assignmentsNameKnownThings({ assignments, matters, units, areas }: CatalogEntries): Problem[] {
  const knownMatters = idsOf(matters);
  const knownUnits = idsOf(units);
  const knownAreas = new Set(areas.features.map((feature) => feature.properties.id));
  return assignments.flatMap(({ matter, area, unit, coUnits }, index) => {
    const at = `assignments.yaml:${index}`;
    return [
      ...reference(knownMatters, matter, `${at}.matter`, 'a matter', 'matters.yaml'),
      ...reference(knownAreas, area, `${at}.area`, 'an area', 'jurisdictions.geojson'),
      ...reference(knownUnits, unit, `${at}.unit`, 'a unit', 'units.yaml'),
      ...coUnits.flatMap((id, i) => reference(knownUnits, id, `${at}.coUnits.${i}`, 'a unit', 'units.yaml')),
    ];
  });
}

function validitiesBeginBeforeTheyEnd({ bases, limits, assignments }: CatalogEntries): Problem[] {
  const files = { 'legal-bases.yaml': bases, 'limits.yaml': limits, 'assignments.yaml': assignments };
  return Object.entries(files).flatMap(([file, entries]) =>
    entries.flatMap(({ valid }, index) =>
      valid.to === null || valid.from < valid.to
        ? []
        : [{ path: `${file}:${index}.valid.to`, found: valid.to, allowed: `a date after ${valid.from}` }],
    ),
  );
}

/** RFC 7946, 3.1.6: the first and last positions of a ring are the same. */
function ringsAreClosed({ areas }: CatalogEntries): Problem[] {
  return areas.features.flatMap(({ geometry }, index) => {
    const { type, coordinates } = geometry;
    const polygons = type === 'Polygon' ? [coordinates] : coordinates;
    return polygons.flatMap((rings, polygon) =>
      rings.flatMap((ring, at) => {
        const [first, last] = [ring[0], ring.at(-1)];
        if (first?.[0] === last?.[0] && first?.[1] === last?.[1]) return [];
        const inside = type === 'Polygon' ? `${at}` : `${polygon}.${at}`;
        const path = `jurisdictions.geojson:features.${index}.geometry.coordinates.${inside}`;
        return [
          { path, found: last, allowed: `a closed ring: its last position equals its first, ${first}` },
        ];
      }),
    );
  });
}

function reference(
  known: ReadonlySet<string>,
  id: string,
  path: string,
  what: string,
  file: string,
): Problem[] {
  return known.has(id) ? [] : [{ path, found: id, allowed: `the id of ${what} in ${file}` }];
}

function idsOf(entries: readonly { id: string }[]): ReadonlySet<string> {
  return new Set(entries.map((entry) => entry.id));
}

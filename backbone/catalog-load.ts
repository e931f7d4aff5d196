import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import {
  Assignment,
  BiText,
  Id,
  LegalBasis,
  Limit,
  LonLat,
  Matter,
  type Problem,
  QianliyanError,
  Unit,
} from '../contracts/index.ts';
import type { Catalog } from './catalog.ts';
import { crossCheck } from './catalog-check.ts';
import { describeProblems, problemsOf } from './validation.ts';

/**
 * Reads the catalog's folder as a whole:
 *
 *   files ─▶ YAML, GeoJSON ─▶ each entry by its schema ─▶ what entries say of each other ─▶ Catalog
 *
 * All problems are told at once, as `file:path`. What entries say of each other is checked once each file is right in
 * itself: a reference to an entry that could not be read would only hide the real mistake.
 */

const Ring = z.array(LonLat).min(4);
const Polygon = z.array(Ring).min(1);

/** RFC 7946, of which the catalog uses polygons only. */
const Areas = z.strictObject({
  type: z.literal('FeatureCollection'),
  name: z.string().optional(),
  features: z.array(
    z.strictObject({
      type: z.literal('Feature'),
      properties: z.strictObject({
        id: Id,
        name: BiText,
        region: z.string().regex(/^\d{6}(\d{3})?$/, 'a region code of 6 digits, or 9 with the street'),
      }),
      geometry: z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('Polygon'), coordinates: Polygon }),
        z.strictObject({ type: z.literal('MultiPolygon'), coordinates: z.array(Polygon).min(1) }),
      ]),
    }),
  ),
});

/** file → what it must hold. */
const FILES = {
  'matters.yaml': z.array(Matter),
  'legal-bases.yaml': z.array(LegalBasis),
  'units.yaml': z.array(Unit),
  'limits.yaml': z.array(Limit),
  'assignments.yaml': z.array(Assignment),
  'jurisdictions.geojson': Areas,
} as const;

type Files = { [F in keyof typeof FILES]: z.output<(typeof FILES)[F]> };

/** What all files hold, each right in itself. */
export interface CatalogEntries {
  matters: Matter[];
  bases: LegalBasis[];
  units: Unit[];
  limits: Limit[];
  assignments: Assignment[];
  areas: z.output<typeof Areas>;
}

/** @throws QianliyanError CATALOG_INVALID with all problems */
export async function loadCatalog(folder: string): Promise<Catalog> {
  const problems: Problem[] = [];
  const hash = createHash('sha256');
  const read = async <F extends keyof Files>(file: F): Promise<Files[F] | null> => {
    const text = await readText(folder, file, problems);
    if (text === null) return null;
    hash.update(`${file}\n${Buffer.byteLength(text)}\n${text}`);
    return understand(file, text, problems);
  };
  const matters = await read('matters.yaml');
  const bases = await read('legal-bases.yaml');
  const units = await read('units.yaml');
  const limits = await read('limits.yaml');
  const assignments = await read('assignments.yaml');
  const areas = await read('jurisdictions.geojson');
  if (!matters || !bases || !units || !limits || !assignments || !areas) throw invalid(folder, problems);
  problems.push(...crossCheck({ matters, bases, units, limits, assignments, areas }));
  if (problems.length > 0) throw invalid(folder, problems);
  return {
    matters: byId(matters),
    bases: byId(bases),
    units: byId(units),
    limits,
    assignments,
    areas,
    version: hash.digest('hex'),
  };
}

async function readText(folder: string, file: string, problems: Problem[]): Promise<string | null> {
  try {
    return await readFile(join(folder, file), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = code === 'ENOENT' ? 'no such file' : `a file that cannot be read (${code})`;
    problems.push({ path: file, found, allowed: `the catalog folder must hold ${file}` });
    return null;
  }
}

/** JSON is YAML, so that one parser serves both and names the line. */
function understand<F extends keyof Files>(file: F, text: string, problems: Problem[]): Files[F] | null {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) {
    for (const error of document.errors) {
      const line = error.linePos?.[0].line ?? 0;
      problems.push({
        path: `${file}:line ${line}`,
        found: firstLine(error.message),
        allowed: 'well-formed YAML',
      });
    }
    return null;
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const schema: z.ZodType = FILES[file];
  const result = schema.safeParse(value);
  if (result.success) return result.data as Files[F];
  for (const problem of problemsOf(result.error, value, schema)) {
    problems.push({ ...problem, path: problem.path === '' ? file : `${file}:${problem.path}` });
  }
  return null;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}

function byId<T extends { id: string }>(entries: readonly T[]): ReadonlyMap<string, T> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

function invalid(folder: string, problems: readonly Problem[]): QianliyanError {
  return new QianliyanError('CATALOG_INVALID', `${folder}\n${describeProblems(problems)}`, { problems });
}

import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { Catalog } from '../../backbone/catalog.ts';
import { parse } from '../../backbone/validation.ts';
import { Id, LonLat, QianliyanError, Route } from '../../contracts/index.ts';
import { Router } from './router.ts';

/** A table of cases that a catalog has to route as written: what a changed list would do is seen before it is in force. */
export const RouteCases = z.strictObject({
  utcOffsetMinutes: z.number().int().min(-720).max(840).default(480),
  cases: z
    .array(
      z.strictObject({
        case: z.string().min(1).describe('What is meant'),
        matter: Id.nullable(),
        place: LonLat,
        at: z.iso.datetime({ offset: true }),
        expected: z.strictObject({
          unit: Id.nullable(),
          reason: Route.shape.reason,
          coUnits: z.array(Id).optional(),
          candidates: z.array(Id).optional(),
        }),
      }),
    )
    .min(1),
});
export type RouteCases = z.infer<typeof RouteCases>;

type Expected = RouteCases['cases'][number]['expected'];

/** What `qianliyan route test FILE` prints. */
export interface RouteReport {
  cases: number;
  passed: number;
  failed: { case: string; expected: Expected; got: Expected; reason: string }[];
}

/** @throws QianliyanError USAGE when the file cannot be read, REQUEST_INVALID with all problems of its content */
export function routeTest(file: string, catalog: Catalog): RouteReport {
  return routeCases(parse(RouteCases, readYaml(file)), catalog);
}

function readYaml(file: string): unknown {
  try {
    return parseYaml(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new QianliyanError('USAGE', `the file of routing cases cannot be read: ${file}`, { cause });
  }
}

export function routeCases({ cases, utcOffsetMinutes }: RouteCases, catalog: Catalog): RouteReport {
  const router = new Router(catalog, utcOffsetMinutes);
  const failed: RouteReport['failed'] = [];
  for (const { case: name, matter, place, at, expected } of cases) {
    const route = router.route({ matter, place, at: Date.parse(at) });
    const got: Expected = {
      unit: route.unit,
      reason: route.reason,
      ...(expected.coUnits && { coUnits: route.coUnits }),
      ...(expected.candidates && { candidates: route.candidates }),
    };
    const same = (Object.keys(got) as (keyof Expected)[]).every((key) => sameSet(got[key], expected[key]));
    if (!same) failed.push({ case: name, expected, got, reason: route.text.en });
  }
  return { cases: cases.length, passed: cases.length - failed.length, failed };
}

function sameSet(a: Expected[keyof Expected], b: Expected[keyof Expected]): boolean {
  const text = (value: typeof a) => JSON.stringify(Array.isArray(value) ? [...value].sort() : value);
  return text(a) === text(b);
}

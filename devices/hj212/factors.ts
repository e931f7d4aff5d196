import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../backbone/project-root.ts';
import type { Hj212Profile } from '../../contracts/index.ts';

/** The factor table (factors.yaml): which observed property a factor code means, in which unit. */
const Unit = z.string().min(1).max(32);
const Validity = z
  .strictObject({ from: z.iso.date(), to: z.iso.date().nullable() })
  .describe('Days from which and before which a row holds');
const Row = z.strictObject({
  code: z.string().regex(/^[A-Za-z][A-Za-z0-9]{1,7}$/),
  property: z.string().min(1).max(48),
  unit: Unit.nullable(),
  total: Unit.optional(),
  hj2005: z.string().min(2).max(3).optional(),
  certainty: z.enum(['verified', 'secondary', 'unconfirmed']),
  name: z.string(),
  valid: Validity.optional(),
});
const Table = z.strictObject({ source: z.string(), valid: Validity, factors: z.array(Row) });

export interface Factor {
  property: string;
  /** UCUM, of values; null: not stated. */
  unit: string | null;
  /** UCUM, of totals (Cou); null: not stated. */
  total: string | null;
}

export interface FactorTable {
  /** By the codes of 2017; by those of 2005 when `st` is a system of the same medium. `at`: epoch ms. */
  find(code: string, st: string | null, at: number): Factor | undefined;
}

type Timed = Factor & { from: number; to: number };

/** Reads the table that comes with the product. Throws when it is not valid. */
export function loadFactors(file = join(projectRoot, 'devices', 'hj212', 'factors.yaml')): FactorTable {
  const { factors, valid } = Table.parse(parse(readFileSync(file, 'utf8')));
  /** By code; by medium and code for those of 2005. */
  const rows = new Map<string, Timed[]>();
  for (const row of factors) {
    const span = row.valid ?? valid;
    const factor = { property: row.property, unit: row.unit, total: row.total ?? null };
    const timed = {
      ...factor,
      from: dayOf(span.from),
      to: span.to === null ? Number.POSITIVE_INFINITY : dayOf(span.to),
    };
    put(rows, row.code, timed);
    // Codes of 2005 stayed what they were: they hold at any time.
    if (row.hj2005 !== undefined)
      put(rows, `${row.code[0]}:${row.hj2005}`, { ...timed, from: Number.NEGATIVE_INFINITY });
  }
  return {
    find: (code, st, at) => inForce(rows.get(code), at) ?? inForce(rows.get(`${mediumOf(st)}:${code}`), at),
  };
}

/** The table, read once. */
export function factorTable(): FactorTable {
  table ??= loadFactors();
  return table;
}
let table: FactorTable | undefined;

/** What a device's own profile says of a code goes first, all of it: unit too. */
export function factorOf(
  code: string,
  st: string | null,
  at: number,
  profile: Pick<Hj212Profile, 'factors'>,
  known: FactorTable,
): Factor | undefined {
  const own = Object.hasOwn(profile.factors, code) ? profile.factors[code] : undefined;
  return own === undefined ? known.find(code, st, at) : { ...own, total: null };
}

function put(rows: Map<string, Timed[]>, code: string, row: Timed): void {
  rows.set(
    code,
    [...(rows.get(code) ?? []), row].sort((a, b) => a.from - b.from),
  );
}

/** The row that holds then; before all of them, the first: drafts of a code table are used before its day. */
function inForce(rows: readonly Timed[] | undefined, at: number): Factor | undefined {
  const now = rows?.find((row) => row.from <= at && at < row.to);
  return now ?? (rows?.[0] !== undefined && at < rows[0].from ? rows[0] : undefined);
}

function dayOf(day: string): number {
  return Date.parse(`${day}T00:00:00+08:00`);
}

const WATER = new Set(['21', '24', '26', '32', '33', '34', '52']);
const AIR = new Set(['22', '27', '31', '39', '51']);

/** Medium of a system code (2017 table 5), as the first letter of its factor codes; `-`: neither water nor air. */
function mediumOf(st: string | null): string {
  return st === null ? '-' : WATER.has(st) ? 'w' : AIR.has(st) ? 'a' : '-';
}

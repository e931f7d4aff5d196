import type { Problem } from '../../contracts/index.ts';
import { placeOf, type RowPlaces } from './device-list.ts';
import { checkRow, type GoodRow } from './device-row.ts';
import { type ListRow, listProblems, type Registered } from './list-rules.ts';
import type { Templates } from './templates.ts';

/** A row that cannot be taken. `row` counts from 0, `line` from 1 as in the file (null where it has no lines). */
export interface RefusedRow {
  row: number;
  line: number | null;
  id: string;
  problems: Problem[];
}

/** Sorts a list into the rows that can be taken and those that cannot, each with all that is wrong with it. */
export function checkList(
  rows: readonly unknown[],
  templates: Templates,
  registered: Registered,
  places: RowPlaces,
): { good: GoodRow[]; refused: RefusedRow[] } {
  const refused: RefusedRow[] = [];
  const good: (GoodRow & ListRow & { row: number })[] = [];
  /** Line or row in which a device stands, by id. */
  const seen = new Map<string, string>();
  const refuse = (row: number, id: string, problems: Problem[]) =>
    refused.push({
      row,
      line: places.line(row),
      id,
      problems: named(problems, placeOf(places, row), places),
    });

  for (const [row, input] of rows.entries()) {
    const path = placeOf(places, row);
    const faults = places.faults(row);
    const checked = checkRow(input, templates, path);
    const problems = checked.ok ? [] : checked.problems;
    const id = checked.ok ? checked.device.id : checked.id;
    const before = seen.get(id);
    if (before !== undefined && id !== '') {
      problems.push({
        path: `${path}.id`,
        found: id,
        allowed: `each device once in a list; it is in ${before} too`,
      });
    }
    seen.set(id, before ?? path);
    if (checked.ok && faults.length + problems.length === 0) good.push({ ...checked, row, path });
    else refuse(row, id, [...faults, ...problems]);
  }
  const unfit = listProblems(good, registered);
  for (const [row, problems] of unfit) {
    const { row: index, device } = row as (typeof good)[number];
    refuse(index, device.id, problems);
  }
  refused.sort((a, b) => a.row - b.row);
  return { good: good.filter((row) => !unfit.has(row)), refused };
}

/** Fields by the names that they have in the file; a cell that could not be read is told of once. */
function named(problems: Problem[], place: string, { column }: RowPlaces): Problem[] {
  const paths = new Set<string>();
  return problems.flatMap((problem) => {
    const field = problem.path.slice(place.length + 1);
    const path = field === '' ? place : `${place}.${column(field)}`;
    const told = paths.has(`${path}\n${problem.allowed}`);
    paths.add(`${path}\n${problem.allowed}`);
    return told ? [] : [{ ...problem, path }];
  });
}

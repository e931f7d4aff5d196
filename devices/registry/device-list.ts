import { isMap, isSeq, LineCounter, parseDocument } from 'yaml';
import { type Problem, QianliyanError } from '../../contracts/index.ts';
import { parseCsv } from './csv.ts';
import { columnOf, rowFromTable, unknownColumns } from './device-table.ts';
import { isObject } from './templates.ts';

export type ListFormat = 'yaml' | 'json' | 'csv';

/** The format that a file's name or a media type tells; YAML when neither does, because JSON is YAML too. */
export function listFormat(nameOrType: string): ListFormat {
  if (/csv/i.test(nameOrType)) return 'csv';
  if (/json/i.test(nameOrType)) return 'json';
  return 'yaml';
}

/** A list as it was read: rows yet to be checked, and where each stands in the file. */
export interface DeviceList {
  rows: unknown[];
  places: RowPlaces;
}

/** Where rows stand, for people who have to put them right. */
export interface RowPlaces {
  /** Line of the file, counted from 1; null where the format has none (JSON). */
  line(row: number): number | null;
  /** The field's name in this format: `lon` for `location.0`. */
  column(path: string): string;
  /** What could not even be read of a row. */
  faults(row: number): Problem[];
}

export const NO_PLACES: RowPlaces = { line: () => null, column: (path) => path, faults: () => [] };

/** How a problem names a row: `line 4`, or `[3]`. */
export function placeOf(places: RowPlaces, row: number): string {
  const line = places.line(row);
  return line === null ? `[${row}]` : `line ${line}`;
}

/**
 * Reads a device list: an array of rows, or an object whose `devices` is one. Only the text is read here; each row is
 * checked by `checkRow`. Throws REQUEST_INVALID when the text is no list at all.
 */
export function readDeviceList(text: string, format: ListFormat): DeviceList {
  if (format === 'csv') return readTable(text);
  return format === 'json' ? listOf(readJson(text)) : readYaml(text);
}

/** A list that came as JSON and was read already. */
export function listOf(read: unknown): DeviceList {
  return { rows: listIn(read), places: NO_PLACES };
}

function readTable(text: string): DeviceList {
  const { columns, rows, faults } = parseCsv(text);
  const wrong = [...faults, ...unknownColumns(columns)];
  if (wrong.length > 0) {
    const problems = wrong.map(({ column, found, allowed }) => ({
      path: `line 1.${column}`,
      found,
      allowed,
    }));
    throw new QianliyanError(
      'REQUEST_INVALID',
      'the first line of the table does not name its columns rightly',
      { problems },
    );
  }
  const read = rows.map(rowFromTable);
  const line = (row: number) => rows[row]?.line ?? null;
  return {
    rows: read.map(({ row }) => row),
    places: {
      line,
      column: columnOf,
      faults: (row) =>
        (read[row]?.faults ?? []).map(({ column, found, allowed }) => ({
          path: `line ${line(row)}.${column}`,
          found,
          allowed,
        })),
    },
  };
}

function listIn(read: unknown): unknown[] {
  const list = isObject(read) ? read.devices : read;
  if (Array.isArray(list)) return list;
  throw new QianliyanError('REQUEST_INVALID', 'a device list is an array of devices', {
    problems: [{ path: '', found: typeof list, allowed: 'an array, or an object with `devices: [...]`' }],
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw notReadable('JSON', cause);
  }
}

function readYaml(text: string): DeviceList {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  if (document.errors[0] !== undefined) throw notReadable('YAML', document.errors[0]);
  const list = isMap(document.contents) ? document.get('devices') : document.contents;
  const starts = isSeq(list)
    ? list.items.map((item) => (item as { range?: [number, number, number] | null })?.range?.[0])
    : [];
  const line = (row: number) => {
    const start = starts[row];
    return start === undefined ? null : lineCounter.linePos(start).line;
  };
  return { rows: listIn(plainOf(document)), places: { ...NO_PLACES, line } };
}

/** Aliases are bounded: a "billion laughs" list must not fill the memory. */
function plainOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw notReadable('YAML', cause);
  }
}

function notReadable(format: string, cause: unknown): QianliyanError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new QianliyanError('REQUEST_INVALID', `the list is not ${format}: ${reason}`, { cause });
}

/**
 * CSV as RFC 4180 has it: quoted fields may hold separators, quotes (doubled) and line breaks; LF, CRLF or CR; a byte order
 * mark is skipped. The separator is a comma, or what the first line has instead of one (semicolon or tab, as spreadsheets
 * write in some countries). Any text gives rows, none throws: what is wrong is told with its row.
 */
export interface CsvRow {
  /** Line of the file in which the row begins, counted from 1 as editors do. */
  line: number;
  /** By column name. Empty cells are left out, unless they are quoted: `""` is an empty text. */
  cells: Record<string, string>;
  faults: CsvFault[];
}

export interface CsvFault {
  column: string;
  found: string;
  allowed: string;
}

export interface CsvTable {
  columns: string[];
  rows: CsvRow[];
  /** Of the first row: no row can be read rightly. */
  faults: CsvFault[];
}

interface Cell {
  text: string;
  quoted: boolean;
}

interface RawRow {
  line: number;
  cells: Cell[];
  /** A quote was opened and never closed. */
  unclosed: boolean;
}

export function parseCsv(text: string): CsvTable {
  const plain = text.replace(/^\uFEFF/, '');
  const [head, ...body] = rawRows(plain, separatorOf(plain));
  if (head === undefined) return { columns: [], rows: [], faults: [] };
  const columns = head.cells.map(contentOf);
  const twice = columns.filter((name, i) => name !== '' && columns.indexOf(name) !== i);
  const faults = twice.map((name) => ({ column: name, found: name, allowed: 'each column once' }));
  if (head.unclosed) faults.push({ column: '', found: '"', allowed: 'each quote closed' });
  return { columns, rows: body.map((row) => namedRow(row, columns)), faults };
}

function namedRow({ line, cells, unclosed }: RawRow, columns: readonly string[]): CsvRow {
  const named: [string, string][] = [];
  const faults: CsvFault[] = [];
  for (const [i, cell] of cells.entries()) {
    const name = columns[i];
    const value = contentOf(cell);
    if (value === '' && !cell.quoted) continue;
    if (name === undefined || name === '') {
      faults.push({
        column: `${i + 1}`,
        found: value,
        allowed: `as many cells as the first line names (${columns.length})`,
      });
    } else {
      named.push([name, value]);
    }
  }
  if (unclosed) faults.push({ column: '', found: '"', allowed: 'each quote closed' });
  return { line, cells: Object.fromEntries(named), faults };
}

function contentOf({ text, quoted }: Cell): string {
  return quoted ? text : text.trim();
}

function separatorOf(text: string): string {
  const [head = ''] = text.split(/[\r\n]/, 1);
  const outside = head.replaceAll(/"[^"]*"/g, '');
  return [',', ';', '\t'].find((separator) => outside.includes(separator)) ?? ',';
}

/** Empty lines are skipped. */
function rawRows(text: string, separator: string): RawRow[] {
  const rows: RawRow[] = [];
  let row: RawRow = { line: 1, cells: [], unclosed: false };
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const read = readCell(text, at, separator);
    line += read.lines;
    row.cells.push(read.cell);
    row.unclosed ||= read.unclosed;
    at = read.end;
    if (text[at] === separator) {
      at += 1;
      if (at < text.length) continue;
      row.cells.push({ text: '', quoted: false });
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at += 1;
    at += 1;
    line += 1;
    if (row.cells.some((cell) => cell.text !== '' || cell.quoted)) rows.push(row);
    row = { line, cells: [], unclosed: false };
  }
  return rows;
}

/** Reads one cell; `end` is where its separator, its line break or nothing stands. */
function readCell(text: string, from: number, separator: string) {
  if (text[from] !== '"') {
    const end = endOfPlain(text, from, separator);
    return { cell: { text: text.slice(from, end), quoted: false }, end, lines: 0, unclosed: false };
  }
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) {
      const inside = text.slice(from + 1);
      return {
        cell: { text: inside, quoted: true },
        end: text.length,
        lines: lineBreaks(inside),
        unclosed: true,
      };
    }
    if (text[quote + 1] !== '"') {
      const inside = text.slice(from + 1, quote).replaceAll('""', '"');
      const end = endOfPlain(text, quote + 1, separator);
      const cell = { text: inside + text.slice(quote + 1, end).trimEnd(), quoted: true };
      return { cell, end, lines: lineBreaks(inside), unclosed: false };
    }
    at = quote + 2;
  }
}

function endOfPlain(text: string, from: number, separator: string): number {
  for (let at = from; at < text.length; at++) {
    const c = text[at];
    if (c === separator || c === '\n' || c === '\r') return at;
  }
  return text.length;
}

function lineBreaks(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}

/** One line, without its end. Null is an empty cell, '' an empty text. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return cells.map(csvCell).join(',');
}

function csvCell(value: string | number | null): string {
  if (value === null) return '';
  const text = String(value);
  const plain = text !== '' && text.trim() === text && !/[",;\t\r\n]/.test(text);
  return plain ? text : `"${text.replaceAll('"', '""')}"`;
}

/**
 * CSV as RFC 4180 has it: quoted fields may hold commas, quotes (doubled) and line breaks; LF or CRLF; a byte order
 * mark is skipped. Any text gives rows, none throws. The first row names the columns.
 */

/** One object a row, by column name; empty cells are left out. */
export function parseCsv(text: string): Record<string, string>[] {
  const [head, ...body] = cells(text.replace(/^\uFEFF/, ''));
  if (head === undefined) return [];
  const names = head.map((name) => name.trim());
  return body.map((row) => {
    const named: Record<string, string> = {};
    for (const [i, name] of names.entries()) {
      const cell = row[i]?.trim() ?? '';
      if (cell !== '' && name !== '' && name !== '__proto__') named[name] = cell;
    }
    return named;
  });
}

/** Rows of cells; empty lines are skipped. */
function cells(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /("(?:[^"]|"")*"?[^,\r\n]*|[^,\r\n]*)(,|\r?\n|\r|$)/gy;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (match === null) break;
    row.push(unquote(match[1] ?? ''));
    if (match[2] === ',' && field.lastIndex < text.length) continue;
    if (match[2] === ',') row.push('');
    if (row.some((cell) => cell !== '')) rows.push(row);
    row = [];
  }
  return rows;
}

function unquote(cell: string): string {
  if (!cell.startsWith('"')) return cell;
  return cell.replace(/^"|"$/g, '').replaceAll('""', '"');
}

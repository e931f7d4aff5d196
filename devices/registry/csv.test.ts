import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from './csv.ts';

const cellsOf = (text: string) => parseCsv(text).rows.map((row) => row.cells);
const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

describe('CSV', () => {
  it('reads names, quotes, commas and line breaks inside cells', () => {
    const text = '\uFEFFid,name,lon\r\ndust-01,"Gate, ""north""",123.4\n\ndust-02,"two\nlines",\n';
    expect(cellsOf(text)).toEqual([
      { id: 'dust-01', name: 'Gate, "north"', lon: '123.4' },
      { id: 'dust-02', name: 'two\nlines' },
    ]);
  });

  it('gives back what was written, whatever the cells hold', () => {
    const cell = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
        const text = ['a,b', ...rows.map((r) => r.map(quoted).join(','))].join('\r\n');
        expect(cellsOf(text)).toEqual(rows.map(([a, b]) => ({ a, b })));
      }),
    );
  });

  it('says on which line of the file each row begins, and what is wrong with it', () => {
    const text = 'id;name\r\na;"two\r\nlines"\r\n\r\nb;x;y\r\n;""\r\nc;"never closed';
    expect(parseCsv(text)).toMatchObject({
      columns: ['id', 'name'],
      rows: [
        { line: 2, cells: { id: 'a', name: 'two\r\nlines' }, faults: [] },
        { line: 5, faults: [{ column: '3', found: 'y' }] },
        { line: 6, cells: { name: '' }, faults: [] },
        { line: 7, faults: [{ allowed: 'each quote closed' }] },
      ],
    });
    expect(parseCsv('a,b,a\n').faults).toEqual([{ column: 'a', found: 'a', allowed: 'each column once' }]);
  });

  it('never throws and never hangs on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ' ') }), (text) => {
        expect(parseCsv(text).rows.every((row) => row.line > 1)).toBe(true);
      }),
    );
  });
});

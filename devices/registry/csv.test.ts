import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from './csv.ts';

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

describe('CSV', () => {
  it('reads names, quotes, commas and line breaks inside cells', () => {
    const text = '\uFEFFid,name,lon\r\ndust-01,"Gate, ""north""",123.4\n\ndust-02,"two\nlines",\n';
    expect(parseCsv(text)).toEqual([
      { id: 'dust-01', name: 'Gate, "north"', lon: '123.4' },
      { id: 'dust-02', name: 'two\nlines' },
    ]);
  });

  it('gives back what was written, whatever the cells hold', () => {
    const cell = fc.string({ minLength: 1, unit: 'grapheme' }).filter((s) => s.trim() === s && s !== '');
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
        const text = ['a,b', ...rows.map((r) => r.map(quoted).join(','))].join('\r\n');
        expect(parseCsv(text)).toEqual(rows.map(([a, b]) => ({ a, b })));
      }),
    );
  });

  it('never throws and never hangs on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ' ') }), (text) => {
        expect(Array.isArray(parseCsv(text))).toBe(true);
      }),
    );
  });
});

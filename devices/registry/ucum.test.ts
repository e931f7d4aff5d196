import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUcum, unitFault } from './ucum.ts';

describe('units', () => {
  it.each([
    ...['mg/m3', 'ug/m3', 'Cel', '%', 'dB', 'dB{A}', 'mg/L', 'L/s', 'm', '[pH]', '1', 'm3/h', 'kW.h', '/min'],
    ...[
      '10*3/uL',
      '{NTU}',
      'kg/(m2.s)',
      'uS/cm',
      'm/s2',
      'mm[Hg]',
      'kPa',
      't/h',
      'g.m-3',
      '[CFU]/L',
      '[ppm]',
    ],
  ])('%s is UCUM', (unit) => {
    expect(unitFault(unit)).toBeNull();
  });

  it.each([
    ['mg/m³', 'mg/m3'],
    ['㎎/m³', 'mg/m3'],
    ['μg/m³', 'ug/m3'],
    ['MG/L', 'mg/L'],
    ['℃', 'Cel'],
    ['°C', 'Cel'],
    ['pH', '[pH]'],
    ['ppm', '[ppm]'],
    ['dB(A)', 'dB{A}'],
    ['m^3/h', 'm3/h'],
    ['Nm3/h', 'm3/h'],
    ['KPA', 'kPa'],
    ['L/S', 'L/s'],
    ['kwh', 'kW.h'],
    ['%RH', '%'],
    ['NTU', '{NTU}'],
    ['无量纲', '1'],
  ])('%s is refused, and %s named', (unit, right) => {
    expect(unitFault(unit)).toBe(`in UCUM it is written ${right}`);
    expect(isUcum(right)).toBe(true);
  });

  it.each(['toast', '', ' ', 'mg//L', 'm3/', '((m', 'm)', '/', '.', 'mg m3', '{', '[pH'])(
    '%j is no unit',
    (unit) => {
      expect(unitFault(unit)).toContain('UCUM');
    },
  );

  it('ends on any text, and what it proposes is UCUM', () => {
    const piece = fc.constantFrom(
      'm',
      'g',
      '/',
      '.',
      '(',
      ')',
      '{',
      '}',
      '³',
      '℃',
      '10*',
      '[',
      ']',
      '-1',
      'N',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const fault = unitFault(pieces.join(''));
        const proposed = /written (.*)$/.exec(fault ?? '')?.[1];
        return proposed === undefined || isUcum(proposed);
      }),
      { seed: 7 },
    );
  });
});

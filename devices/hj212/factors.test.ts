import { describe, expect, it } from 'vitest';
import { Hj212Profile } from '../../contracts/index.ts';
import { factorOf, loadFactors } from './factors.ts';

const table = loadFactors();
const NOW = Date.parse('2026-11-18T00:00:00+08:00');
const find = (code: string, st: string | null = '31') => table.find(code, st, NOW);

describe('the factor table', () => {
  it('names what devices in the field send, with the standard’s unit', () => {
    expect(find('a21026')).toMatchObject({ property: 'SO2', unit: 'mg/m3', total: 'kg' });
    expect(find('w01001')).toMatchObject({ property: 'PH', unit: '[pH]' });
    expect(find('w00000')).toMatchObject({ property: 'FLOW', unit: 'L/s', total: 'm3' });
    expect(find('Leq')).toMatchObject({ property: 'LAeq', unit: 'dB' });
  });

  it('does not shift by a row: a21001 is ammonia, a21003 nitric oxide, a21002 nitrogen oxides', () => {
    expect(['a21001', 'a21002', 'a21003'].map((code) => find(code)?.property)).toEqual(['NH3', 'NOx', 'NO']);
  });

  it('states no unit for particles: the table’s is not what devices send', () => {
    for (const code of ['a34001', 'a34002', 'a34004']) expect(find(code)?.unit).toBeNull();
  });

  it('knows codes of 2005 for systems of their medium only', () => {
    expect(find('011', '32')).toMatchObject({ property: 'COD' });
    expect(find('02', '31')).toMatchObject({ property: 'SO2' });
    expect(find('S01', '31')).toMatchObject({ property: 'O2' });
    for (const st of ['31', '23', '99', null]) expect(find('011', st)).toBeUndefined();
    expect(find('02', '32')).toBeUndefined();
  });

  it('has nothing of what it does not know', () => {
    for (const code of ['a99998', '', 'constructor', '__proto__', 'w']) expect(find(code)).toBeUndefined();
  });

  it('is used for messages that are older than it', () => {
    expect(table.find('a21026', '31', 0)?.property).toBe('SO2');
  });
});

describe('a device’s own factors', () => {
  it('go before the table, unit and all, and know no totals', () => {
    const profile = Hj212Profile.parse({
      factors: { a21026: { property: 'X' }, Q1: { property: 'Y', unit: 'm' } },
    });
    expect(factorOf('a21026', '31', NOW, profile, table)).toEqual({ property: 'X', unit: null, total: null });
    expect(factorOf('Q1', null, NOW, profile, table)).toMatchObject({ property: 'Y', unit: 'm' });
    expect(factorOf('toString', null, NOW, profile, table)).toBeUndefined();
  });
});

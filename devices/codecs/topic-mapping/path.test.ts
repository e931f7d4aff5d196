import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePath, inWords, type Path, valueAt, valuesAt } from './path.ts';

function path(text: string): Path {
  const compiled = compilePath(text);
  if (typeof compiled === 'string') throw new Error(`${text}: ${compiled}`);
  return compiled;
}

const PAYLOAD = {
  AM2301: { Temperature: 21.7 },
  SDS0X1: { 'PM2.5': 11.8 },
  rx: [{ rssi: -60 }, { rssi: -66 }],
  'DS18B20-1': { Id: '0300', Temperature: 4 },
  温度: 20,
  none: null,
  'a "b" ]c': 1,
};

describe('a path', () => {
  it.each([
    ['AM2301.Temperature', 21.7],
    ['$.AM2301.Temperature', 21.7],
    ['$["AM2301"]["Temperature"]', 21.7],
    ['SDS0X1["PM2.5"]', 11.8],
    ["SDS0X1['PM2.5']", 11.8],
    ['SDS0X1.PM2.5', undefined],
    ['rx[1].rssi', -66],
    ['rx[2].rssi', undefined],
    ['rx.1.rssi', undefined],
    ['DS18B20-1.Temperature', 4],
    ['温度', 20],
    ['[\'a "b" ]c\']', 1],
    ['none', undefined],
    ['none.more', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
    ['AM2301.__proto__.polluted', undefined],
    ['rx.length', undefined],
    ['AM2301.Temperature.toFixed', undefined],
  ])('%s gives %j', (text, wanted) => {
    expect(valueAt(path(text), PAYLOAD)).toEqual(wanted);
  });

  it('$ is the payload itself', () => {
    expect(valueAt(path('$'), 23.5)).toBe(23.5);
    expect(valueAt(path('a'), 23.5)).toBeUndefined();
  });

  it('with a star gives what stands under every key, with the key', () => {
    expect(valuesAt(path('rx[*].rssi'), PAYLOAD)).toEqual([
      { key: '0', value: -60 },
      { key: '1', value: -66 },
    ]);
    expect(valuesAt(path('$.*'), { a: 1, b: null, c: 'x' })).toEqual([
      { key: 'a', value: 1 },
      { key: 'c', value: 'x' },
    ]);
    expect(valuesAt(path('nothing.*'), PAYLOAD)).toEqual([]);
  });

  it.each([
    'a..b',
    '.a',
    'a.',
    'a[',
    'a[x]',
    'a["b]',
    'a b',
    'a[-1]',
    '$.',
    'a["b"]c',
    '*.*',
    `${'x.'.repeat(20)}y`,
  ])('%s cannot be read', (text) => {
    expect(compilePath(text)).toEqual(expect.any(String));
  });

  it('never throws, and never finds what an object inherits', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '.', '[', ']', '"', "'", '*', '0', '$', '_'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(text, fc.anything(), (words, payload) => {
        const compiled = compilePath(words);
        if (typeof compiled === 'string') return;
        expect(typeof valueAt(compiled, payload)).not.toBe('function');
        valuesAt(compiled, payload);
      }),
      { numRuns: 5_000, seed: 3 },
    );
  });
});

describe('a found value in words', () => {
  it('stays short, whatever it is', () => {
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    expect(inWords(deep)).toBe('a list of 1');
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`${'k'.repeat(100)}${i}`, i]));
    expect(inWords(wide).length).toBeLessThan(600);
    expect(inWords('x'.repeat(1_000)).length).toBeLessThan(100);
  });
});

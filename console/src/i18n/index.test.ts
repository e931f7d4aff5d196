import { expect, test } from 'vitest';
import { en } from './en.ts';
import { fill } from './index.ts';
import { zh } from './zh.ts';

const holes = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();

test('both languages have the same keys', () => {
  expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
});

test('both texts of a key are filled with the same values, and none is empty', () => {
  for (const [key, text] of Object.entries(zh)) {
    const english = en[key as keyof typeof en];
    expect(holes(english), key).toEqual(holes(text));
    expect(text.trim() === '' || english.trim() === '', key).toBe(false);
  }
});

test('no Chinese is left in the English texts, but for the name of the other language', () => {
  const left = Object.entries(en).filter(
    ([key, text]) => key !== 'top.language' && /\p{Script=Han}/u.test(text),
  );
  expect(left).toEqual([]);
});

test('a text keeps what it has no value for', () => {
  expect(fill('{a} of {b}', { a: 1 })).toBe('1 of {b}');
});

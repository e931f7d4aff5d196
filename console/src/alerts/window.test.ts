import { expect, test } from 'vitest';
import { rowWindow, scrollToRow } from './window.ts';

test('only the rows in sight and a few more exist, however many there are', () => {
  expect(rowWindow(0, 700, 70, 10_000, 5)).toEqual({ first: 0, end: 15 });
  expect(rowWindow(70_000, 700, 70, 10_000, 5)).toEqual({ first: 995, end: 1015 });
});

test('at the end, and when the list has become shorter than the scroll position, the window stays inside', () => {
  expect(rowWindow(699_300, 700, 70, 10_000, 5)).toEqual({ first: 9985, end: 10_000 });
  expect(rowWindow(70_000, 700, 70, 3, 5)).toEqual({ first: 3, end: 3 });
});

test('scrolling moves as little as it must', () => {
  expect(scrollToRow(2, 0, 700, 70)).toBeNull();
  expect(scrollToRow(10, 0, 700, 70)).toBe(70);
  expect(scrollToRow(1, 350, 700, 70)).toBe(70);
});

import { expect, test } from 'vitest';
import { fill, type Texts, type Values } from '../i18n/index.ts';
import { type TextKey, zh } from '../i18n/zh.ts';
import {
  ago,
  bytes,
  chartDate,
  clockTime,
  fullTime,
  interval,
  number,
  percent,
  quantity,
  span,
} from './format.ts';

const texts: Texts = {
  language: 'zh',
  t: (key: TextKey, values?: Values) => fill(zh[key], values),
  word: (_prefix, word) => word,
  bi: (text) => text.zh,
};
const at = (iso: string): number => Date.parse(iso);

test('times are those of the product’s zone, whatever zone the machine is in', () => {
  expect(clockTime(at('2026-11-22T16:05:09Z'))).toBe('00:05:09');
  expect(fullTime(at('2026-11-22T16:05:09Z'))).toBe('2026-11-23 00:05:09 +08:00');
  const shown = chartDate(at('2026-11-22T14:30:00Z') / 1000);
  expect([shown.getHours(), shown.getMinutes()]).toEqual([22, 30]);
});

test('an interval over midnight names both days', () => {
  expect(interval(at('2026-11-22T22:00:00+08:00'), at('2026-11-22T22:20:00+08:00'))).toBe(
    '11-22 22:00:00 – 22:20:00',
  );
  expect(interval(at('2026-11-22T23:50:00+08:00'), at('2026-11-23T00:10:00+08:00'))).toBe(
    '11-22 23:50:00 – 11-23 00:10:00',
  );
});

test('spans are said in the unit that tells most', () => {
  expect(span(45_000, texts)).toBe('45 秒');
  expect(span(60_000, texts)).toBe('1 分钟');
  expect(span(17 * 60_000, texts)).toBe('17 分钟');
  expect(span(23.75 * 3_600_000, texts)).toBe('23 小时 45 分');
  expect(span(3_600_000, texts)).toBe('1 小时');
  expect(span(50 * 3_600_000, texts)).toBe('2 天 2 小时');
});

test('how long ago is coarse and never in the future', () => {
  const now = at('2026-11-22T22:30:00+08:00');
  expect(ago(now + 5000, now, texts)).toBe('刚刚');
  expect(ago(now - 61_000, now, texts)).toBe('1 分钟前');
  expect(ago(now - 3 * 3_600_000, now, texts)).toBe('3 小时前');
});

test('numbers carry their unit, and no digit that nobody measured', () => {
  expect(quantity(1.42, 'mg/m3')).toBe('1.42 mg/m³');
  expect(quantity(63.40001, 'dB')).toBe('63.4 dB');
  expect(quantity(7.1, '[pH]')).toBe('7.1');
  expect(number(0.12345)).toBe('0.123');
  expect(number(1234.5)).toBe('1235');
  expect(percent(0.775)).toBe('78%');
  expect(bytes(4211)).toBe('4.1 KB');
});

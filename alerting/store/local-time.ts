import type { Validity } from '../../contracts/index.ts';

/** Local dates and times, from UTC and a fixed offset: no locale data, the same on every machine. */

const pad = (n: number, digits = 2) => String(n).padStart(digits, '0');

const DAY_MS = 86_400_000;
/** Days since the epoch to their date: routing asks for the same few days all the time. Bounded. */
const dates = new Map<number, string>();

/** `2026-11-22` */
export function localDate(time: number, utcOffsetMinutes: number): string {
  const day = Math.floor((time + utcOffsetMinutes * 60_000) / DAY_MS);
  const known = dates.get(day);
  if (known !== undefined) return known;
  if (dates.size >= 1000) dates.clear();
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  dates.set(day, date);
  return date;
}

/** `+08:00` */
export function offsetText(utcOffsetMinutes: number): string {
  const abs = Math.abs(utcOffsetMinutes);
  return `${utcOffsetMinutes < 0 ? '-' : '+'}${pad(Math.floor(abs / 60))}:${pad(abs % 60)}`;
}

/** RFC 3339 with the offset: `2026-11-22T22:05:00.000+08:00` */
export function localRfc3339(time: number, utcOffsetMinutes: number): string {
  const local = new Date(time + utcOffsetMinutes * 60_000).toISOString().slice(0, -1);
  return `${local}${offsetText(utcOffsetMinutes)}`;
}

/** `2026-11-22 22:05:30` */
export function localTime(time: number, utcOffsetMinutes: number): string {
  return new Date(time + utcOffsetMinutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

/** `2026年11月22日22时05分30秒` */
export function localTimeZh(time: number, utcOffsetMinutes: number): string {
  const [date = '', clock = ''] = localTime(time, utcOffsetMinutes).split(' ');
  const [year, month, day] = date.split('-').map(Number);
  const [h, m, s] = clock.split(':');
  return `${year}年${month}月${day}日${h}时${m}分${s}秒`;
}

/** In force on that local date: `to` is the first day on which it no longer holds. */
export function inForce(valid: Validity, date: string): boolean {
  return valid.from <= date && (valid.to === null || date < valid.to);
}

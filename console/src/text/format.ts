/**
 * Times, spans, numbers and units as people read them. Local time is the product's zone (China Standard Time unless the
 * product says otherwise), never the browser's: an officer's laptop may be set to anything.
 */
import type { Texts } from '../i18n/index.ts';

let offsetMinutes = 480;

/** The product's zone, as minutes east of UTC. */
export function setUtcOffset(minutes: number): void {
  offsetMinutes = minutes;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** A Date whose UTC fields read as local time. */
const local = (ms: number): Date => new Date(ms + offsetMinutes * 60_000);

/** `+08:00` */
export function zone(): string {
  const absolute = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}

/** A Date whose own fields (in the browser's zone) read as the product's local time: what uPlot asks for. */
export function chartDate(seconds: number): Date {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() + (offsetMinutes + date.getTimezoneOffset()) * 60_000);
}

/** `22:05:30` */
export function clockTime(ms: number): string {
  const d = local(ms);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
}

/** `22:05` */
export const hourMinute = (ms: number): string => clockTime(ms).slice(0, 5);

/** `2026-11-22` */
export function dateOf(ms: number): string {
  const d = local(ms);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
}

/** `11-22 22:05:30` */
export const dayTime = (ms: number): string => `${dateOf(ms).slice(5)} ${clockTime(ms)}`;

/** `2026-11-22 22:05:30 +08:00`: for titles, where nothing may be left open. */
export const fullTime = (ms: number): string => `${dateOf(ms)} ${clockTime(ms)} ${zone()}`;

/** RFC 3339, for `<time datetime>`. */
export const machineTime = (ms: number): string => new Date(ms).toISOString();

/** `22:05:30 – 22:40:00`, with days where they differ. */
export function interval(from: number, to: number): string {
  const sameDay = dateOf(from) === dateOf(to);
  return `${dayTime(from)} – ${sameDay ? clockTime(to) : dayTime(to)}`;
}

/** How long ago, coarse: the exact time stands beside it. */
export function ago(ms: number, now: number, { t }: Texts): string {
  const minutes = Math.floor((now - ms) / 60_000);
  if (minutes < 1) return t('ago.now');
  if (minutes < 60) return t('ago.minutes', { n: minutes });
  if (minutes < 48 * 60) return t('ago.hours', { n: Math.floor(minutes / 60) });
  return t('ago.days', { n: Math.floor(minutes / 1440) });
}

export function span(ms: number, { t }: Texts): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120)
    return seconds % 60 === 0 && seconds > 0
      ? t('span.minutes', { n: seconds / 60 })
      : t('span.seconds', { n: seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t('span.minutes', { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return t('span.days', { d: Math.floor(hours / 24), h: hours % 24 });
  return minutes % 60 === 0
    ? t('span.hoursOnly', { h: hours })
    : t('span.hours', { h: hours, m: minutes % 60 });
}

/** UCUM codes whose sign differs from the code. */
const UNIT_SIGNS: Record<string, string> = {
  'mg/m3': 'mg/m³',
  'ug/m3': 'µg/m³',
  'ng/m3': 'ng/m³',
  'm3/s': 'm³/s',
  'm3/h': 'm³/h',
  Cel: '°C',
  deg: '°',
  'dB[A]': 'dB(A)',
  '[pH]': '',
  '1': '',
};

export const unitSign = (ucum: string | null): string => (ucum === null ? '' : (UNIT_SIGNS[ucum] ?? ucum));

/** A measured number: as many digits as tell something, never more than the instrument could mean. */
export function number(value: number): string {
  const absolute = Math.abs(value);
  const digits = absolute >= 1000 ? 0 : absolute >= 100 ? 1 : absolute >= 1 ? 2 : 3;
  return Number(value.toFixed(digits)).toString();
}

export function quantity(value: number, ucum: string | null): string {
  const sign = unitSign(ucum);
  return sign === '' ? number(value) : `${number(value)} ${sign}`;
}

/** `12,345`: counts keep every digit. */
export const count = (value: number): string => value.toLocaleString('en-US');

export const percent = (share: number): string => `${Number((share * 100).toFixed(share < 0.1 ? 1 : 0))}%`;

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KB` : `${(n / 1024 / 1024).toFixed(1)} MB`;
}

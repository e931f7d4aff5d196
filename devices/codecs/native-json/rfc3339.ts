/**
 * Epoch ms of an RFC 3339 time with a zone, as Date.parse has it; NaN when it is none, or when it is one that devices do not
 * write (more than three decimals, a year before 1970): then somebody slower decides. Capital T and Z only, seconds must
 * stand, as in the schema.
 */
export function rfc3339(bytes: Buffer, from: number, to: number): number {
  if (to - from < SHORTEST || bytes[from + 10] !== LETTER_T) return Number.NaN;
  const day = dayOf(bytes, from);
  const hour = twoDigits(bytes, from + 11);
  const minute = twoDigits(bytes, from + 14);
  const second = twoDigits(bytes, from + 17);
  const isTime = bytes[from + 13] === COLON && bytes[from + 16] === COLON;
  if (!isTime || hour > 23 || minute > 59 || second > 59) return Number.NaN;
  let at = from + 19;
  let ms = 0;
  if (bytes[at] === POINT) {
    let weight = 100;
    for (at += 1; at < to && weight >= 1; at++) {
      const digit = (bytes[at] as number) - DIGIT_0;
      if (!(digit >= 0 && digit <= 9)) break;
      ms += digit * weight;
      weight /= 10;
    }
    if (bytes[at - 1] === POINT) return Number.NaN;
  }
  return day * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000 + ms - offsetMs(bytes, at, to);
}

/** Of `Z` or `±hh:mm`, which must be all that is left. */
function offsetMs(bytes: Buffer, at: number, to: number): number {
  const sign = bytes[at];
  if (sign === LETTER_Z) return to === at + 1 ? 0 : Number.NaN;
  if ((sign !== PLUS && sign !== MINUS) || to !== at + 6 || bytes[at + 3] !== COLON) return Number.NaN;
  const hours = twoDigits(bytes, at + 1);
  const minutes = twoDigits(bytes, at + 4);
  if (hours > 23 || minutes > 59) return Number.NaN;
  const ms = (hours * 60 + minutes) * 60_000;
  return sign === PLUS ? ms : -ms;
}

/** Days since 1970-01-01 of `YYYY-MM-DD`; the Gregorian calendar counted from March, so that the leap day is the last. */
function dayOf(bytes: Buffer, at: number): number {
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if (bytes[at + 4] !== MINUS || bytes[at + 7] !== MINUS) return Number.NaN;
  if (!(year >= 1970 && year <= 9999) || month < 1 || month > 12 || day < 1 || day > daysIn(month, year))
    return Number.NaN;
  const marchYear = month <= 2 ? year - 1 : year;
  const marchMonth = month <= 2 ? month + 9 : month - 3;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((marchMonth * 153 + 2) / 5) + day - 1 - EPOCH_DAY;
}

function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Large when there are none: no part of a time is as large. */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = (bytes[at] as number) - DIGIT_0;
  const ones = (bytes[at + 1] as number) - DIGIT_0;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NO_DIGITS;
}

const SHORTEST = '2026-01-01T00:00:00Z'.length;
const DAY_MS = 86_400_000;
/** 1970-01-01, counted from 0000-03-01. */
const EPOCH_DAY = 719_468;
const NO_DIGITS = 1_000_000;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const COLON = 0x3a;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

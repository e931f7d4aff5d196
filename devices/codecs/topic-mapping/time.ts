import { z } from 'zod';
import type { MappedTime } from './config.ts';
import { compilePath, inWords, type Path, valueAt } from './path.ts';

/** When the readings of a payload were so, as the mapping says where that stands and how it is written. */
export type TimeOf = (payload: unknown, receivedAt: number) => number | { problem: string };

const ALLOWED: Record<Format, string> = {
  rfc3339: 'RFC 3339 with a zone',
  'epoch-s': 'seconds since 1970',
  'epoch-ms': 'milliseconds since 1970',
  local: 'a local time such as 2026-01-10T12:00:00',
};

/** The reader, or what is wrong with its path. */
export function compileTime(spec: MappedTime, siteOffsetMs: number): TimeOf | string {
  const { format } = spec;
  if (spec.utcOffset !== null && format !== 'local')
    return 'a utcOffset for the format `local` only is allowed';
  if (format === 'received') {
    return spec.path === null
      ? (_payload, receivedAt) => receivedAt
      : 'no path for the format `received` is allowed';
  }
  if (spec.path === null) return `a path is required for the format \`${format}\``;
  const path = compilePath(spec.path);
  if (typeof path === 'string') return path;
  if (path.open) return 'a path without * is allowed';
  const read = readerOf(format, spec.utcOffset === null ? siteOffsetMs : offsetOf(spec.utcOffset));
  return (payload, receivedAt) => {
    const found = valueAt(path, payload);
    if (found === undefined && spec.orReceived) return receivedAt;
    return read(found) ?? notATime(path, found, ALLOWED[format]);
  };
}

function notATime(path: Path, found: unknown, allowed: string): { problem: string } {
  return { problem: `${path.text}: ${inWords(found)} found; ${allowed} is allowed` };
}

type Format = Exclude<MappedTime['format'], 'received'>;

function readerOf(format: Format, localOffsetMs: number): (found: unknown) => number | null {
  switch (format) {
    case 'rfc3339':
      return zoned;
    case 'epoch-s':
      return (found) => epoch(found, 1_000);
    case 'epoch-ms':
      return (found) => epoch(found, 1);
    case 'local':
      // A device that states its zone all the same is believed.
      return (found) => zoned(found) ?? local(found, localOffsetMs);
  }
}

/** The very expression of the contract's WireTime, which takes five times as long about it. */
const RFC_3339 = z.core.regexes.datetime({ offset: true });
const LONGEST_TIME = 64;

function zoned(found: unknown): number | null {
  const text = typeof found === 'string' && found.length <= LONGEST_TIME ? found.trim() : '';
  return RFC_3339.test(text) ? Date.parse(text) : null;
}

function epoch(found: unknown, factor: number): number | null {
  const text = typeof found === 'string' ? found.trim() : '';
  const number = /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : found;
  return typeof number === 'number' && Number.isFinite(number) ? Math.round(number * factor) : null;
}

/** `2026-01-10T12:00:00`, with `/` or `.` in the date, a blank for the T, a fraction; or `20260110120000`. */
const LOCAL =
  /^(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})[T ]?(\d{1,2})(:?)(\d{2})(?:\6(\d{2}))?(?:[.,](\d{1,9}))?$/;
const COMPACT = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/;

function local(found: unknown, offsetMs: number): number | null {
  const text = typeof found === 'string' || typeof found === 'number' ? String(found).trim() : '';
  const compact = COMPACT.exec(text);
  const parts = compact?.slice(1, 7) ?? spelled(text);
  if (parts === null) return null;
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, fraction = 0] = parts.map(Number);
  const time = Date.UTC(y, mo - 1, d, h, mi, s);
  // Date.UTC rolls over: 30 February would become 2 March.
  const again = new Date(time);
  const same = again.getUTCMonth() === mo - 1 && again.getUTCDate() === d && h < 24 && mi < 60 && s < 60;
  return same ? time + Math.floor(fraction * 1_000) - offsetMs : null;
}

function spelled(text: string): string[] | null {
  const found = LOCAL.exec(text);
  if (found === null || found[2] === '' || found[6] === '') return null;
  const [, y, , mo, d, h, , mi, s = '0', fraction] = found;
  return [y, mo, d, h, mi, s, fraction === undefined ? '0' : `0.${fraction}`].map((part) => part ?? '0');
}

/** `+08:00` in ms. */
export function offsetOf(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  return sign * (Number(text.slice(1, 3)) * 60 + Number(text.slice(4, 6))) * 60_000;
}

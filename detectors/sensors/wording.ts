/** Words for people, the same for every detector: numbers, units, local times. Deterministic, without locale data. */

/** At most four significant digits, no exponent within what instruments read, no trailing zeros. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const text = String(Number(value.toPrecision(4)));
  return text;
}

const UNIT_SIGNS: Record<string, string> = {
  'ug/m3': 'µg/m³',
  'mg/m3': 'mg/m³',
  'ng/m3': 'ng/m³',
  'g/m3': 'g/m³',
  'm3/s': 'm³/s',
  'm3/h': 'm³/h',
  dB: 'dB',
  'dB[A]': 'dB(A)',
  Cel: '°C',
  '[pH]': '',
  '1': '',
};

/** UCUM code as people write it; '' for none. */
export function unitText(unit: string | null): string {
  if (unit === null) return '';
  return UNIT_SIGNS[unit] ?? unit;
}

/** `1.23 mg/m³` */
export function quantityText(value: number, unit: string | null): string {
  return `${numberText(value)} ${unitText(unit)}`.trimEnd();
}

/** `2026-11-22 22:05` in local time. */
export function localText(time: number, utcOffsetMs: number): string {
  return new Date(time + utcOffsetMs).toISOString().slice(0, 16).replace('T', ' ');
}

/** `2026-11-22 22:05–22:10`, or both days where they differ. */
export function spanText(from: number, to: number, utcOffsetMs: number): string {
  const begin = localText(from, utcOffsetMs);
  const end = localText(to, utcOffsetMs);
  return begin.slice(0, 10) === end.slice(0, 10) ? `${begin}–${end.slice(11)}` : `${begin} – ${end}`;
}

/** Whole units where possible: `5 min`, `20 min`, `1 h`, `90 s`. */
export function durationText(ms: number): { zh: string; en: string } {
  const s = ms / 1000;
  if (s >= 86_400 && s % 86_400 === 0) return { zh: `${s / 86_400} 天`, en: `${s / 86_400} d` };
  if (s >= 3600 && s % 3600 === 0) return { zh: `${s / 3600} 小时`, en: `${s / 3600} h` };
  if (s >= 600 || s % 60 === 0) return { zh: `${Math.round(s / 60)} 分钟`, en: `${Math.round(s / 60)} min` };
  return { zh: `${numberText(s)} 秒`, en: `${numberText(s)} s` };
}

/** `5min`, `20min`, `1h`: as part of a named reason. */
export function durationWord(s: number): string {
  if (s % 86_400 === 0) return `${s / 86_400}d`;
  if (s % 3600 === 0) return `${s / 3600}h`;
  if (s % 60 === 0) return `${s / 60}min`;
  return `${s}s`;
}

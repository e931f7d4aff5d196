import type { BiText, FindingKind } from '../../contracts/index.ts';

/** Words of draft cases, in the two languages. Numbers are written without exponents and without locale data. */

export const KIND_NAMES: Record<FindingKind, BiText> = {
  'limit-exceeded': { zh: '超过限值', en: 'limit exceeded' },
  'early-warning': { zh: '预警', en: 'early warning' },
  anomaly: { zh: '数据异常', en: 'anomaly' },
  falsification: { zh: '疑似数据造假', en: 'suspected falsification' },
  'device-silent': { zh: '设备离线', en: 'device silent' },
  'device-fault': { zh: '设备故障', en: 'device fault' },
  image: { zh: '图像识别', en: 'image' },
  combined: { zh: '综合研判', en: 'combined' },
};

const SIGNS: Record<string, string> = {
  'ug/m3': 'µg/m³',
  'mg/m3': 'mg/m³',
  'ng/m3': 'ng/m³',
  'm3/s': 'm³/s',
  'dB[A]': 'dB(A)',
  Cel: '°C',
  '[pH]': '',
  '1': '',
};

/** `1.23 mg/m³`: at most four significant digits, the UCUM unit as people write it. */
export function quantity(value: number, unit: string): string {
  const number = Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '–';
  return `${number} ${SIGNS[unit] ?? unit}`.trimEnd();
}

const STATISTICS: Record<string, BiText> = {
  score: { zh: '异常评分', en: 'anomaly score' },
  dwell: { zh: '停留时长', en: 'dwell time' },
  instant: { zh: '瞬时值', en: 'instant value' },
  silence: { zh: '静默时长', en: 'silence' },
  swing: { zh: '波动幅度', en: 'swing' },
};

/** `mean-5min` → 5分钟均值, `LAeq-20min` → 20分钟等效声级; what is not known is shown as it is named. */
export function statisticName(statistic: string): BiText {
  const known = STATISTICS[statistic];
  if (known !== undefined) return known;
  const [, what, n, unit] = /^(mean|LAeq|leq)-(\d+)(min|h|s)$/i.exec(statistic) ?? [];
  if (what === undefined || n === undefined || unit === undefined) return { zh: statistic, en: statistic };
  const time = {
    min: { zh: '分钟', en: '-minute' },
    h: { zh: '小时', en: '-hour' },
    s: { zh: '秒', en: '-second' },
  };
  const span = time[unit as 'min' | 'h' | 's'] ?? time.min;
  return what === 'mean'
    ? { zh: `${n}${span.zh}均值`, en: `${n}${span.en} mean` }
    : { zh: `${n}${span.zh}等效声级`, en: `${n}${span.en} equivalent level` };
}

/** `123.44500°E, 41.80000°N` */
export function coordinates([lon, lat]: readonly [number, number]): BiText {
  const [e, n] = [Math.abs(lon).toFixed(5), Math.abs(lat).toFixed(5)];
  return {
    zh: `${lon < 0 ? '西经' : '东经'}${e}°、${lat < 0 ? '南纬' : '北纬'}${n}°`,
    en: `${e}°${lon < 0 ? 'W' : 'E'}, ${n}°${lat < 0 ? 'S' : 'N'}`,
  };
}

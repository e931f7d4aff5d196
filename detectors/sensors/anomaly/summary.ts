import type { BiText } from '../../../contracts/index.ts';
import type { Surprise } from './scorer.ts';

/**
 * One sentence for people: which branch fired and with what numbers.
 *
 * @param pastMs how long the datastream has been learnt
 */
export function summarise(
  property: string,
  unit: string,
  happening: Surprise & { value: number },
  pastMs: number,
): BiText {
  const { branch, expected, distance, usual } = happening;
  const value = quantity(happening.value, unit);
  const past = span(pastMs);
  switch (branch) {
    case 'value-never-seen':
      return {
        zh: `${property} 的数值 ${value} 超出过去${past.zh}出现过的所有数值(最接近的为 ${quantity(expected, unit)})`,
        en: `${property} value ${value} lies outside everything seen in the last ${past.en} (nearest ${quantity(expected, unit)})`,
      };
    case 'sudden-change':
      return {
        zh: `${property} 突变为 ${value},按最近走势应为 ${quantity(expected, unit)};相差 ${quantity(distance, unit)},平时 95% 的偏差小于 ${quantity(usual, unit)}`,
        en: `${property} changed suddenly to ${value} where ${quantity(expected, unit)} was to be expected; off by ${quantity(distance, unit)}, usually (95 %) less than ${quantity(usual, unit)}`,
      };
  }
}

/** Three significant digits are enough for a sentence; large numbers keep their whole part. */
function quantity(value: number, unit: string): string {
  const text = Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  return unit === '' || unit === '1' ? text : `${text} ${unit}`;
}

function span(ms: number): BiText {
  const hours = ms / 3_600_000;
  if (hours < 48) {
    const shown = hours < 2 ? Math.max(1, Math.round(hours * 60)) : Math.round(hours);
    return hours < 2
      ? { zh: ` ${shown} 分钟内`, en: `${shown} minutes` }
      : { zh: ` ${shown} 小时内`, en: `${shown} hours` };
  }
  const days = Math.round(hours / 24);
  return { zh: ` ${days} 天内`, en: `${days} days` };
}

import type { BiText } from '../../../contracts/index.ts';
import type { Surprise } from './scorer.ts';

/**
 * One sentence for people: which branch fired and with what numbers.
 *
 * @param pastMs how long the datastream has been learnt
 */
export function summarise(property: string, unit: string, surprise: Surprise, pastMs: number): BiText {
  const found = quantity(surprise.found, unit);
  const expected = quantity(surprise.expected, unit);
  const off = quantity(Math.abs(surprise.found - surprise.expected), unit);
  const usual = quantity(surprise.usual, unit);
  const past = span(pastMs);
  switch (surprise.branch) {
    case 'value-never-seen':
      return {
        zh: `${property} 数值 ${found} 超出过去${past.zh}出现过的所有数值(最接近的为 ${expected})`,
        en: `${property} value ${found} lies outside everything seen in the last ${past.en} (nearest ${expected})`,
      };
    case 'sudden-change':
      return {
        zh: `${property} 突变为 ${found},按最近走势应为 ${expected};相差 ${off},近来 95% 的偏差小于 ${usual}`,
        en: `${property} changed suddenly to ${found} where ${expected} was to be expected; off by ${off}, of late usually (95 %) less than ${usual}`,
      };
    case 'unlike-other-days':
      return {
        zh: `${property} 最近 8 小时均值 ${found},与过去一周任何一天的同一时段都不相似(最相似一天的均值为 ${expected})`,
        en: `${property} over the last 8 hours (mean ${found}) is unlike the same hours of any day of the past week (most similar day: mean ${expected})`,
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

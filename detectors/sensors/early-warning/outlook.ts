import { holdsOver, type Rule } from '../limits/rules.ts';
import { forecast, type TrendState, upperTail, varianceOfMean } from './trend.ts';

/** The window in which the limit is most likely broken first. */
export interface Outlook {
  windowFrom: number;
  windowTo: number;
  /** Expected statistic of that window, in the limit's unit. */
  value: number;
  /** That it will be over the limit. */
  probability: number;
}

/** What is known of the window in hand: completed buckets, as sums of their values (energies for LAeq). */
export interface Known {
  windowFrom: number;
  /** Start of the first bucket that is not known yet. */
  from: number;
  sum: number;
  buckets: number;
}

/**
 * Looks window by window up to the horizon: the known part of the first, forecasts for the rest. Answers the first
 * window whose probability reaches `enough`, else the one with the highest; null when no window lies in the rule's hours.
 */
export function lookAhead(
  rule: Rule,
  trend: TrendState,
  known: Known,
  bucketMs: number,
  horizonMs: number,
  enough: number,
  utcOffsetMs: number,
): Outlook | null {
  let best: Outlook | null = null;
  const until = known.from + horizonMs;
  for (let start = known.windowFrom; start + rule.windowMs <= until; start += rule.windowMs) {
    const end = start + rule.windowMs;
    if (!holdsOver(rule, start, end, utcOffsetMs)) continue;
    const outlook = windowOutlook(rule, trend, known, bucketMs, start, end);
    if (outlook.probability >= enough) return outlook;
    if (best === null || outlook.probability > best.probability) best = outlook;
  }
  return best;
}

function windowOutlook(
  rule: Rule,
  trend: TrendState,
  known: Known,
  bucketMs: number,
  start: number,
  end: number,
): Outlook {
  const inHand = start === known.windowFrom;
  const first = 1 + Math.max(0, Math.round((start - known.from) / bucketMs));
  const last = Math.round((end - known.from) / bucketMs);
  let sum = inHand ? known.sum : 0;
  let buckets = inHand ? known.buckets : 0;
  const share = Math.max(0, last - first + 1) / Math.max(1, last - first + 1 + buckets);
  for (let h = first; h <= last; h += 1) {
    const value = forecast(trend, h);
    sum += rule.energy ? 10 ** (value / 10) : value;
    buckets += 1;
  }
  const mean = sum / buckets;
  const value = rule.energy ? 10 * Math.log10(mean) : mean;
  const sigma = last < first ? 0 : share * Math.sqrt(varianceOfMean(trend, first, last));
  const probability =
    sigma > 0 ? upperTail((rule.limit.max - value) / sigma) : value > rule.limit.max ? 1 : 0;
  return { windowFrom: start, windowTo: end, value, probability };
}

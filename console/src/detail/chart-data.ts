/**
 * Readings made ready for drawing. Pure. The legal statistic (a trailing mean or Leq over valid values) is computed here
 * for viewing only; what counts in the case is the finding's own measure.
 */
import type { Finding, Limit, LimitStatistic } from '../../../contracts/index.ts';
import type { SeriesPoint } from '../api/types.ts';

export interface ChartData {
  /** Seconds since the epoch, rising. */
  times: number[];
  /** Values that count; null where the reading does not. */
  counted: (number | null)[];
  /** Values that do not count: their quality is not `valid`. */
  notCounted: (number | null)[];
  /** The statistic of the limit; null while its window is not filled well enough, or without such a limit. */
  statistic: (number | null)[];
}

const level = {
  in: (value: number): number => 10 ** (value / 10),
  out: (mean: number): number => 10 * Math.log10(mean),
};
const plain = { in: (value: number): number => value, out: (mean: number): number => mean };

/** Trailing statistic over (t − window, t], of valid values; null where less than `minValidShare` of it is there. */
export function trailing(
  points: readonly SeriesPoint[],
  statistic: LimitStatistic,
  intervalS: number,
): (number | null)[] {
  if (statistic.type === 'instant') return points.map(() => null);
  const scale = statistic.type === 'leq' ? level : plain;
  const expected = statistic.windowS / intervalS;
  let first = 0;
  let sum = 0;
  let counted = 0;
  return points.map((point) => {
    if (point.quality === 'valid') {
      sum += scale.in(point.value);
      counted += 1;
    }
    for (
      let old = points[first];
      old !== undefined && old.time <= point.time - statistic.windowS * 1000;
      old = points[first]
    ) {
      if (old.quality === 'valid') {
        sum -= scale.in(old.value);
        counted -= 1;
      }
      first += 1;
    }
    return counted > 0 && counted >= expected * statistic.minValidShare ? scale.out(sum / counted) : null;
  });
}

export function chartData(
  points: readonly SeriesPoint[],
  statistic: LimitStatistic | null,
  intervalS: number,
): ChartData {
  return {
    times: points.map((point) => point.time / 1000),
    counted: points.map((point) => (point.quality === 'valid' ? point.value : null)),
    notCounted: points.map((point) => (point.quality === 'valid' ? null : point.value)),
    statistic: statistic === null ? points.map(() => null) : trailing(points, statistic, intervalS),
  };
}

/** The limit that a finding was held against: the rule that it names; else same matter, property and value. */
export function limitOf(finding: Finding, property: string, limits: readonly Limit[]): Limit | null {
  if (finding.measure.limit === undefined) return null;
  const rule = finding.detector.parameters.rule as { id?: unknown } | undefined;
  const named = limits.find((limit) => limit.id === rule?.id && limit.property === property);
  if (named !== undefined) return named;
  return (
    limits.find(
      (limit) =>
        limit.matter === finding.matter && limit.property === property && limit.max === finding.measure.limit,
    ) ?? null
  );
}

/** What the chart shows: the interval with room on both sides, so that before and after can be compared. */
export function chartSpan(interval: { from: number; to: number }): { from: number; to: number } {
  const room = Math.min(Math.max((interval.to - interval.from) * 0.6, 20 * 60_000), 6 * 3_600_000);
  return { from: Math.round(interval.from - room), to: Math.round(interval.to + room) };
}

import { expect, test } from 'vitest';
import type { LimitStatistic } from '../../../contracts/index.ts';
import type { SeriesPoint } from '../api/types.ts';
import { chartData, chartSpan, trailing } from './chart-data.ts';

const minute = 60_000;
const series = (values: readonly number[], quality: SeriesPoint['quality'] = 'valid'): SeriesPoint[] =>
  values.map((value, i) => ({ time: (i + 1) * minute, value, quality }));
const mean5: LimitStatistic = { type: 'mean', windowS: 300, minValidShare: 0.8 };

test('the trailing mean waits until enough of its window is there, then forgets what has left it', () => {
  expect(trailing(series([1, 1, 1, 1, 1, 6, 6]), mean5, 60)).toEqual([null, null, null, 1, 1, 2, 3]);
});

test('Leq is the mean of energies, not of levels', () => {
  const leq: LimitStatistic = { type: 'leq', windowS: 120, minValidShare: 1 };
  expect(trailing(series([50, 60]), leq, 60)[1]).toBeCloseTo(57.4, 1);
});

test('values that do not count are kept apart, and count nowhere', () => {
  const points = series([1, 9, 1, 1, 1, 1]);
  const second = points[1];
  if (second !== undefined) second.quality = 'calibration';
  const data = chartData(points, mean5, 60);
  expect(data.counted).toEqual([1, null, 1, 1, 1, 1]);
  expect(data.notCounted).toEqual([null, 9, null, null, null, null]);
  expect(data.statistic.filter((value) => value !== null)).toEqual([1, 1]);
});

test('the chart shows before and after', () => {
  const interval = { from: 100 * minute, to: 110 * minute };
  expect(chartSpan(interval)).toEqual({ from: 80 * minute, to: 130 * minute });
});

/** Readings of the fake API: a quiet level, a violation between two moments, some values that do not count. Same in, same out. */
import type { SeriesPoint } from '../src/api/types.ts';

export interface SeriesShape {
  /** Level before and after, and within the interval. */
  quiet: number;
  high: number;
  noise: number;
  interval: { from: number; to: number };
  stepMs: number;
  decimals: number;
}

/** A number in [-1, 1] that depends on the time only. */
const wobble = (time: number): number => {
  const x = Math.sin(time / 1e4) * 43758.5453;
  return (x - Math.floor(x)) * 2 - 1;
};

export function makeSeries(shape: SeriesShape, from: number, to: number): SeriesPoint[] {
  const points: SeriesPoint[] = [];
  const rise = 4 * 60_000;
  for (let time = Math.ceil(from / shape.stepMs) * shape.stepMs; time < to; time += shape.stepMs) {
    const inside = Math.min(time - shape.interval.from + rise, shape.interval.to - time) / rise;
    const share = Math.min(1, Math.max(0, inside));
    const level = shape.quiet + (shape.high - shape.quiet) * share + wobble(time) * shape.noise;
    const calibration = time >= shape.interval.from - 15 * 60_000 && time < shape.interval.from - 12 * 60_000;
    points.push({
      time,
      value: Number((calibration ? shape.quiet * 1.6 : level).toFixed(shape.decimals)),
      quality: calibration ? 'calibration' : 'valid',
    });
  }
  return points;
}

import type { Quality } from '../../contracts/index.ts';
import type { SeriesPoint } from './port.ts';

/** Points as typed columns: what crosses the border between threads without being copied. */
export interface PointColumns {
  /** Number of the datastream in the dictionary. */
  series: Int32Array;
  time: Float64Array;
  value: Float64Array;
  /** See {@link QUALITY_CODES}. */
  quality: Uint8Array;
  receivedAt: Float64Array;
}

/** As stored: a code never changes its meaning, whatever the order of the enum. */
export const QUALITY_CODES: Record<Quality, number> = {
  valid: 0,
  stopped: 1,
  maintenance: 2,
  manual: 3,
  fault: 4,
  calibration: 5,
  'over-range': 6,
  'comms-error': 7,
  unknown: 8,
};

const QUALITIES = new Map(Object.entries(QUALITY_CODES).map(([quality, code]) => [code, quality as Quality]));

export function emptyColumns(length: number): PointColumns {
  return {
    series: new Int32Array(length),
    time: new Float64Array(length),
    value: new Float64Array(length),
    quality: new Uint8Array(length),
    receivedAt: new Float64Array(length),
  };
}

export function toColumns(
  points: readonly SeriesPoint[],
  seriesOf: (datastream: string) => number,
): PointColumns {
  const columns = emptyColumns(points.length);
  for (const [row, point] of points.entries()) {
    columns.series[row] = seriesOf(point.datastream);
    columns.time[row] = point.time;
    columns.value[row] = point.value;
    columns.quality[row] = QUALITY_CODES[point.quality];
    columns.receivedAt[row] = point.receivedAt;
  }
  return columns;
}

export function pointAt(columns: PointColumns, row: number, datastream: string): SeriesPoint {
  return {
    datastream,
    time: columns.time[row] ?? 0,
    value: columns.value[row] ?? 0,
    quality: QUALITIES.get(columns.quality[row] ?? 0) ?? 'unknown',
    receivedAt: columns.receivedAt[row] ?? 0,
  };
}

export function buffersOf(columns: PointColumns): ArrayBuffer[] {
  return Object.values(columns).map(
    (column: PointColumns[keyof PointColumns]) => column.buffer as ArrayBuffer,
  );
}

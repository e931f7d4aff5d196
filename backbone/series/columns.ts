import { QUALITY_CODES, qualityOf } from '../quality-codes.ts';
import { PointTable } from './point-table.ts';
import type { SeriesPoint } from './port.ts';

/** Points as typed columns: what crosses the border between threads without being copied. */
export interface PointColumns {
  /** Number of the datastream in the dictionary. */
  series: Int32Array;
  time: Float64Array;
  value: Float64Array;
  /** See QUALITY_CODES. */
  quality: Uint8Array;
  receivedAt: Float64Array;
  /** Number of the source in its dictionary; 0: none. */
  source: Uint16Array;
}

export function emptyColumns(length: number): PointColumns {
  return {
    series: new Int32Array(length),
    time: new Float64Array(length),
    value: new Float64Array(length),
    quality: new Uint8Array(length),
    receivedAt: new Float64Array(length),
    source: new Uint16Array(length),
  };
}

export interface Numbers {
  series(datastream: string): number;
  source(name: string): number;
}

export function toColumns(points: readonly SeriesPoint[] | PointTable, numbers: Numbers): PointColumns {
  return points instanceof PointTable ? fromTable(points, numbers) : fromPoints(points, numbers);
}

function fromTable(table: PointTable, numbers: Numbers): PointColumns {
  const { length } = table;
  const series = new Int32Array(length);
  for (let row = 0; row < length; row++) series[row] = numbers.series(table.datastream[row] ?? '');
  const source = new Uint16Array(length);
  for (const [row, name] of table.source) source[row] = numbers.source(name);
  return {
    series,
    time: table.time.slice(0, length),
    value: table.value.slice(0, length),
    quality: table.quality.slice(0, length),
    receivedAt: table.receivedAt.slice(0, length),
    source,
  };
}

function fromPoints(points: readonly SeriesPoint[], numbers: Numbers): PointColumns {
  const columns = emptyColumns(points.length);
  for (const [row, point] of points.entries()) {
    columns.series[row] = numbers.series(point.datastream);
    columns.time[row] = point.time;
    columns.value[row] = point.value;
    columns.quality[row] = QUALITY_CODES[point.quality];
    columns.receivedAt[row] = point.receivedAt;
    if (point.source !== undefined) columns.source[row] = numbers.source(point.source);
  }
  return columns;
}

/** @param sources name of each source, by number */
export function pointAt(
  columns: PointColumns,
  row: number,
  datastream: string,
  sources: readonly string[],
): SeriesPoint {
  const source = columns.source[row] ?? 0;
  return {
    datastream,
    time: columns.time[row] ?? 0,
    value: columns.value[row] ?? 0,
    quality: qualityOf(columns.quality[row] ?? 0),
    receivedAt: columns.receivedAt[row] ?? 0,
    ...(source > 0 && { source: sources[source] ?? '' }),
  };
}

export function buffersOf(columns: PointColumns): ArrayBuffer[] {
  return Object.values(columns).map(
    (column: PointColumns[keyof PointColumns]) => column.buffer as ArrayBuffer,
  );
}

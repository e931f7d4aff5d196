import { qualityOf } from '../quality-codes.ts';
import type { SeriesPoint } from './port.ts';

/**
 * Points as columns: what a writer of very many points fills, and uses again, rather than make an object for each.
 * Qualities are codes (QUALITY_CODES). Only the first `length` places of a column count.
 */
export class PointTable {
  length = 0;
  readonly datastream: string[] = [];
  time: Float64Array;
  value: Float64Array;
  quality: Uint8Array;
  receivedAt: Float64Array;
  /** By row, of those that have one. */
  readonly source = new Map<number, string>();

  constructor(capacity = 1_024) {
    this.time = new Float64Array(capacity);
    this.value = new Float64Array(capacity);
    this.quality = new Uint8Array(capacity);
    this.receivedAt = new Float64Array(capacity);
  }

  add(
    datastream: string,
    time: number,
    value: number,
    quality: number,
    receivedAt: number,
    source: string | null,
  ): void {
    const row = this.length;
    if (row === this.time.length) this.#grow();
    this.datastream[row] = datastream;
    this.time[row] = time;
    this.value[row] = value;
    this.quality[row] = quality;
    this.receivedAt[row] = receivedAt;
    if (source !== null) this.source.set(row, source);
    this.length = row + 1;
  }

  at(row: number): SeriesPoint {
    const source = this.source.get(row);
    return {
      datastream: this.datastream[row] ?? '',
      time: this.time[row] ?? 0,
      value: this.value[row] ?? 0,
      quality: qualityOf(this.quality[row] ?? 0),
      receivedAt: this.receivedAt[row] ?? 0,
      ...(source !== undefined && { source }),
    };
  }

  clear(): void {
    this.length = 0;
    this.source.clear();
  }

  #grow(): void {
    const capacity = this.time.length * 2;
    this.time = widened(this.time, new Float64Array(capacity));
    this.value = widened(this.value, new Float64Array(capacity));
    this.receivedAt = widened(this.receivedAt, new Float64Array(capacity));
    const quality = new Uint8Array(capacity);
    quality.set(this.quality);
    this.quality = quality;
  }
}

function widened(column: Float64Array, into: Float64Array): Float64Array {
  into.set(column);
  return into;
}

import type { Observation, ObservationBatch } from '../contracts/index.ts';
import { Interned } from './interned.ts';
import { QUALITY_CODES, qualityOf } from './quality-codes.ts';
import type { PointTable } from './series/point-table.ts';

/**
 * An ObservationBatch as it lies on the stream: a fifth of its JSON, and read in a tenth of the time. `decodeRecord` tells
 * the two apart by the first byte, so that consumers need not know, and streams written as JSON are read as ever.
 *
 *   version 1 │ flags │ received at │ count │ device │ [source] │ [clock off, s] │ observation × count
 *   u8        │ u8    │ f64         │ u32   │ text   │ text     │ f64            │
 *
 *   observation:  quality u8 │ time f64 │ value f64 │ datastream text          text: bytes u16, UTF-8
 *
 * Little-endian; times are epoch ms. Flags: 1 late, 2 a source follows, 4 the clock's offset follows.
 */

const VERSION = 1;
const LATE = 1;
const HAS_SOURCE = 2;
const HAS_CLOCK = 4;
const COUNT_AT = 10;
const HEADER = 14;
/** The contracts' longest text has 200 characters. */
const MOST_TEXT_BYTES = 1_000;
/** A slab's records lie one behind the other; it is let go of when the last of them is. */
const SLAB_BYTES = 256 * 1024;

/** Ids of devices and datastreams come again with every message. */
const texts = new Interned(131_072);

/** What a batch says of itself beside its values. */
export interface BatchMarks {
  late: boolean;
  source?: string | undefined;
  clockOffS?: number | undefined;
}

/** Writes batches one after the other: `begin`, `add` for each observation, `end`. Not to be interleaved. */
export class ObservationWriter {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #view = new DataView(this.#slab.buffer);
  #begin = 0;
  #at = 0;
  #count = 0;

  begin(device: string, receivedAt: number, marks: BatchMarks): void {
    this.#begin = this.#at;
    this.#count = 0;
    this.#makeRoom(HEADER + 2 * (MOST_TEXT_BYTES + 2) + 8);
    const { source, clockOffS } = marks;
    const at = this.#at;
    this.#slab[at] = VERSION;
    this.#slab[at + 1] =
      (marks.late ? LATE : 0) +
      (source === undefined ? 0 : HAS_SOURCE) +
      (clockOffS === undefined ? 0 : HAS_CLOCK);
    this.#view.setFloat64(at + 2, receivedAt, true);
    this.#at = at + HEADER;
    this.#text(device);
    if (source !== undefined) this.#text(source);
    if (clockOffS !== undefined) this.#double(clockOffS);
  }

  add(datastream: string, time: number, value: number, quality: Observation['quality']): void {
    this.#makeRoom(19 + MOST_TEXT_BYTES);
    this.#slab[this.#at] = QUALITY_CODES[quality];
    this.#view.setFloat64(this.#at + 1, time, true);
    // -0 is 0, as in JSON.
    this.#view.setFloat64(this.#at + 9, value + 0, true);
    this.#at += 17;
    this.#text(datastream);
    this.#count += 1;
  }

  end(): Buffer {
    this.#view.setUint32(this.#begin + COUNT_AT, this.#count, true);
    return this.#slab.subarray(this.#begin, this.#at);
  }

  #double(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  #text(text: string): void {
    const from = this.#at + 2;
    const length = text.length;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f || i === MOST_TEXT_BYTES) {
        this.#anyText(text);
        return;
      }
      this.#slab[from + i] = unit;
    }
    this.#view.setUint16(this.#at, length, true);
    this.#at = from + length;
  }

  #anyText(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (bytes > MOST_TEXT_BYTES) throw new RangeError(`a text of ${bytes} bytes: ${text.slice(0, 40)}…`);
    this.#slab.write(text, this.#at + 2, 'utf8');
    this.#view.setUint16(this.#at, bytes, true);
    this.#at += 2 + bytes;
  }

  /** Moves the batch that was begun to a new slab when the present one is too short for what may come. */
  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#slab.length) return;
    const begun = this.#at - this.#begin;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (begun + bytes)));
    this.#slab.copy(slab, 0, this.#begin, this.#at);
    this.#slab = slab;
    this.#view = new DataView(slab.buffer);
    this.#begin = 0;
    this.#at = begun;
  }
}

const writer = new ObservationWriter();

export function encodeObservations(batch: ObservationBatch): Buffer {
  const { late = false, source, clockOffS } = batch;
  writer.begin(batch.device, batch.receivedAt, { late, source, clockOffS });
  for (const { datastream, time, value, quality } of batch.observations)
    writer.add(datastream, time, value, quality);
  return writer.end();
}

export function isObservations(bytes: Uint8Array): boolean {
  return bytes[0] === VERSION;
}

/** How many observations a batch holds. */
export function countObservations(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(COUNT_AT, true);
}

/** The inverse of {@link encodeObservations}. */
export function decodeObservations(bytes: Buffer): ObservationBatch {
  const reader = new BatchReader(bytes);
  const { flags, device, receivedAt, source, clockOffS } = reader;
  const observations: Observation[] = [];
  for (let left = reader.count; left > 0; left--) {
    const quality = qualityOf(bytes[reader.at] ?? 0);
    const time = bytes.readDoubleLE(reader.at + 1);
    const value = bytes.readDoubleLE(reader.at + 9);
    observations.push({ datastream: reader.text(17), time, value, quality });
  }
  return {
    type: 'observations',
    device,
    receivedAt,
    observations,
    ...((flags & LATE) !== 0 && { late: true }),
    ...(source !== null && { source }),
    ...(clockOffS !== null && { clockOffS }),
  };
}

/** Puts a batch's observations behind a table's rows, without an object for each. Returns how many those are. */
export function appendObservations(bytes: Buffer, table: PointTable): number {
  const reader = new BatchReader(bytes);
  const { count, receivedAt, source } = reader;
  for (let left = count; left > 0; left--) {
    const { at } = reader;
    const code = bytes[at] ?? 0;
    const time = bytes.readDoubleLE(at + 1);
    const value = bytes.readDoubleLE(at + 9);
    table.add(reader.text(17), time, value, code, receivedAt, source);
  }
  return count;
}

/** Reads the head of a batch at once, and then stands before its observations. */
class BatchReader {
  readonly flags: number;
  readonly receivedAt: number;
  readonly count: number;
  readonly device: string;
  readonly source: string | null;
  readonly clockOffS: number | null;
  at = HEADER;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.flags = bytes[1] ?? 0;
    this.receivedAt = bytes.readDoubleLE(2);
    this.count = bytes.readUInt32LE(COUNT_AT);
    this.device = this.text(0);
    this.source = (this.flags & HAS_SOURCE) === 0 ? null : this.text(0);
    this.clockOffS = (this.flags & HAS_CLOCK) === 0 ? null : bytes.readDoubleLE(this.at);
    if (this.clockOffS !== null) this.at += 8;
  }

  /** The text `ahead` bytes from here; then stands behind it. */
  text(ahead: number): string {
    const from = this.at + ahead + 2;
    const to = from + this.#bytes.readUInt16LE(from - 2);
    this.at = to;
    return texts.read(this.#bytes, from, to);
  }
}

import { QianliyanError } from '../../contracts/index.ts';
import { Interned } from '../interned.ts';
import type { StoredRecord, StreamRecord } from './port.ts';

/**
 * The records of one commit in one partition, packed into one value, so that a commit is one write however many
 * records it holds.
 *
 *   byte   0        1      5          13
 *         ┌─────────┬──────┬──────────┬───────────────────────────────────────────────┬────
 *         │ version │count │ base     │ key bytes │ value bytes │ key (UTF-8) │ value │ …
 *         │ u8      │u32   │ f64      │ u32       │ u32         │             │       │
 *         └─────────┴──────┴──────────┴───────────────────────────────────────────────┴────
 *
 * Numbers are little-endian. The record at index i has offset base + i.
 */

const VERSION = 1;
const HEADER = 13;
const RECORD_HEADER = 8;
/** The same devices write for ever. */
const keys = new Interned(65_536);

/** Bytes that a record takes in a block; an upper bound for the key that needs no encoding. */
export function recordSize(record: StreamRecord): number {
  return RECORD_HEADER + record.key.length * 3 + record.value.byteLength;
}

export function encodeBlock(base: number, records: readonly StreamRecord[]): Buffer {
  let size = HEADER;
  for (const record of records) size += recordSize(record);
  const block = Buffer.allocUnsafe(size);
  block.writeUInt8(VERSION, 0);
  block.writeUInt32LE(records.length, 1);
  block.writeDoubleLE(base, 5);
  let at = HEADER;
  for (const record of records) at = writeRecord(block, at, record);
  return block.subarray(0, at);
}

function writeRecord(block: Buffer, at: number, { key, value }: StreamRecord): number {
  const keyAt = at + RECORD_HEADER;
  const keyBytes = block.write(key, keyAt, 'utf8');
  block.writeUInt32LE(keyBytes, at);
  block.writeUInt32LE(value.byteLength, at + 4);
  block.set(value, keyAt + keyBytes);
  return keyAt + keyBytes + value.byteLength;
}

/** Offset behind the block's last record. */
export function blockEnd(block: Buffer): number {
  const { base, count } = header(block);
  return base + count;
}

/**
 * The block's records from offset `from` on, at most `maxRecords`. Values are views into the block, not copies.
 * @throws QianliyanError STORE_UNAVAILABLE when the bytes are not a whole block
 */
export function decodeBlock(block: Buffer, from: number, maxRecords: number): StoredRecord[] {
  const { base, count } = header(block);
  const records: StoredRecord[] = [];
  let at = HEADER;
  for (let index = 0; index < count && records.length < maxRecords; index++) {
    if (at + RECORD_HEADER > block.byteLength) throw damaged('it ends inside a record');
    const keyEnd = at + RECORD_HEADER + block.readUInt32LE(at);
    const valueEnd = keyEnd + block.readUInt32LE(at + 4);
    if (valueEnd > block.byteLength) throw damaged('it ends inside a record');
    if (base + index >= from) {
      const key = keys.read(block, at + RECORD_HEADER, keyEnd);
      records.push({ offset: base + index, key, value: block.subarray(keyEnd, valueEnd) });
    }
    at = valueEnd;
  }
  return records;
}

function header(block: Buffer): { base: number; count: number } {
  if (block.byteLength < HEADER) throw damaged('it is shorter than its header');
  if (block.readUInt8(0) !== VERSION) throw damaged(`its version is ${block.readUInt8(0)}, not ${VERSION}`);
  return { base: block.readDoubleLE(5), count: block.readUInt32LE(1) };
}

function damaged(why: string): QianliyanError {
  return new QianliyanError('STORE_UNAVAILABLE', `a block of the stream is damaged: ${why}`);
}

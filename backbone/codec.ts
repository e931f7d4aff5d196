import { decodeObservations, isObservations } from './observation-bytes.ts';

/**
 * Records on the stream, the same in LMDB and Kafka. All are JSON as UTF-8, readable with any tool, but for the one kind
 * of which there are thousands a second: batches of observations have a shorter form, which `decodeRecord` knows by its
 * first byte (observation-bytes.ts). JSON begins with another.
 */

const encoder = new TextEncoder();

export function encodeRecord(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** What lies on the stream was validated by the stage that wrote it, so that the hot path need not do so again. */
export function decodeRecord<T>(bytes: Uint8Array): T {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isObservations(bytes)) return decodeObservations(buffer) as T;
  return JSON.parse(buffer.toString('utf8')) as T;
}

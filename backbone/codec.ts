/** Records on the stream are JSON as UTF-8: readable with any tool, and the same in LMDB and Kafka. */

const encoder = new TextEncoder();

export function encodeRecord(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** What lies on the stream was validated by the stage that wrote it, so that the hot path need not do so again. */
export function decodeRecord<T>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as T;
}

import type { Quality } from '../contracts/index.ts';
import type { KnownStream } from './known-devices.ts';

/** A reading that passed every check. */
export interface TakenReading {
  stream: KnownStream;
  time: number;
  value: number;
  quality: Quality;
}

/**
 * An ObservationBatch as it lies on the stream: the same bytes as `encodeRecord` of the object, put together by hand
 * because this is done for every message. Device ids and qualities need no escaping; numbers are finite.
 */
export function encodeBatch(
  device: string,
  receivedAt: number,
  late: boolean,
  taken: readonly TakenReading[],
): Uint8Array {
  let text = `{"type":"observations","device":"${device}","receivedAt":${receivedAt},"observations":`;
  let before = '[';
  for (const { stream, time, value, quality } of taken) {
    text += `${before}{"datastream":${stream.quotedId},"time":${time},"value":${value},"quality":"${quality}"}`;
    before = ',';
  }
  return Buffer.from(late ? `${text}],"late":true}` : `${text}]}`);
}

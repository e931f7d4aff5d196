import type { Quality } from '../contracts/index.ts';
import type { KnownStream } from './known-devices.ts';

/** A reading that passed every check. */
export interface TakenReading {
  stream: KnownStream;
  time: number;
  value: number;
  quality: Quality;
}

/** What an ObservationBatch says of itself beside its values. */
export interface BatchMarks {
  late: boolean;
  source?: string | undefined;
  clockOffS?: number | undefined;
}

const NO_MARKS: BatchMarks = { late: false };

/**
 * An ObservationBatch as it lies on the stream: the same bytes as `encodeRecord` of the object, put together by hand
 * because this is done for every message. Device ids and qualities need no escaping; numbers are finite.
 */
export function encodeBatch(
  device: string,
  receivedAt: number,
  taken: readonly TakenReading[],
  marks: BatchMarks = NO_MARKS,
): Uint8Array {
  let text = `{"type":"observations","device":"${device}","receivedAt":${receivedAt},"observations":`;
  let before = '[';
  for (const { stream, time, value, quality } of taken) {
    text += `${before}{"datastream":${stream.quotedId},"time":${time},"value":${value},"quality":"${quality}"}`;
    before = ',';
  }
  text += ']';
  if (marks.late) text += ',"late":true';
  if (marks.source !== undefined) text += `,"source":${JSON.stringify(marks.source)}`;
  if (marks.clockOffS !== undefined) text += `,"clockOffS":${marks.clockOffS}`;
  return Buffer.from(`${text}}`);
}

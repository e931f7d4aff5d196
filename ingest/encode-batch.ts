import { type BatchMarks, ObservationWriter } from '../backbone/observation-bytes.ts';
import type { Reading } from '../devices/codecs/index.ts';
import type { KnownStream } from './known-devices.ts';

export type { BatchMarks };

/** Readings that passed every check, each with its datastream in the same place. */
export interface TakenReadings {
  readings: Reading[];
  streams: KnownStream[];
}

const NO_MARKS: BatchMarks = { late: false };
const writer = new ObservationWriter();

/** An ObservationBatch as it lies on the stream, without an object for each observation. */
export function encodeBatch(
  device: string,
  receivedAt: number,
  { readings, streams }: TakenReadings,
  marks: BatchMarks = NO_MARKS,
): Buffer {
  writer.begin(device, receivedAt, marks);
  for (let i = 0; i < readings.length; i++) {
    const reading = readings[i];
    const stream = streams[i];
    if (reading === undefined || stream === undefined) continue;
    writer.add(stream.id, reading.time, reading.value, reading.quality);
  }
  return writer.end();
}

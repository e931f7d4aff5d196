import type { DeviceEntry, StreamEntry } from './entries.ts';

/**
 * Where an observation belongs: in which datastream of its device, and where in that datastream's time. Promises: the
 * watches of a datastream see strictly increasing times, since only `next` reaches them. Does not promise anything for
 * data that come late; `placeOf` is the one place that decides about them.
 */

/** The datastream's entry; null: it has not spoken yet. Costs one comparison while a device keeps to its order. */
export function streamOf(entry: DeviceEntry, id: string): StreamEntry | null {
  const { streams } = entry;
  const isExpected = streams[entry.next]?.id === id;
  const index = isExpected ? entry.next : streams.findIndex((stream) => stream.id === id);
  if (index < 0) return null;
  entry.next = index + 1 === streams.length ? 0 : index + 1;
  return streams[index] ?? null;
}

/** `next`: newer than all before; `repeat`: the same time again; `late`: older than what the watches have seen. */
export type Place = 'next' | 'repeat' | 'late';

/**
 * Where an observation stands in its datastream. `repeat` and `late` are counted and passed over; this is the place where
 * late data will be given to windows that are still open.
 */
export function placeOf(stream: Pick<StreamEntry, 'lastTime'>, time: number): Place {
  if (time > stream.lastTime) return 'next';
  return time === stream.lastTime ? 'repeat' : 'late';
}

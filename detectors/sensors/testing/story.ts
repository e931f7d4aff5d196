import type { ObservationBatch, ObservationRecord, Quality } from '../../../contracts/index.ts';

/** Ways to tell a day in a few lines: times in Beijing, messages, ticks, their order, and chance from a seed. */
export const BEIJING_MS = 8 * 3_600_000;
/** `at('2026-11-22 22:05')`: local time in Beijing as epoch ms. */
export const at = (local: string): number =>
  Date.parse(`${local.replace(' ', 'T')}${local.length === 16 ? ':00' : ''}+08:00`);
/** `clock(finding.interval.from)`: `2026-11-22 22:05:00` */
export const clock = (time: number): string =>
  new Date(time + BEIJING_MS).toISOString().slice(0, 19).replace('T', ' ');

/** One message of a device with one value: received when it was measured, unless told otherwise. */
export function reading(
  datastream: string,
  time: number,
  value: number,
  quality: Quality = 'valid',
  receivedAt = time,
): ObservationBatch {
  const device = datastream.slice(0, datastream.indexOf('/'));
  return { type: 'observations', device, receivedAt, observations: [{ datastream, time, value, quality }] };
}

/** Values of one datastream from `from` on, `intervalS` apart; `undefined` leaves one out. */
export function readings(
  datastream: string,
  from: number,
  intervalS: number,
  values: readonly (number | undefined)[],
): ObservationBatch[] {
  return values.flatMap((value, i) =>
    value === undefined ? [] : [reading(datastream, from + i * intervalS * 1000, value)],
  );
}

/** Ticks between two times, `everyS` apart. */
export function ticks(from: number, to: number, everyS: number): ObservationRecord[] {
  const list: ObservationRecord[] = [];
  for (let time = from; time <= to; time += everyS * 1000) list.push({ type: 'tick', time });
  return list;
}

/** Records in the order in which the product would have had them. */
export function inOrder(...lists: readonly (readonly ObservationRecord[])[]): ObservationRecord[] {
  return lists.flat().sort((a, b) => arrival(a) - arrival(b));
}

const arrival = (r: ObservationRecord): number => (r.type === 'observations' ? r.receivedAt : r.time);

/** A seeded source of numbers in [0, 1): the same for the same seed, everywhere (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

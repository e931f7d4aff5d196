/**
 * What people and things can do in the simulated district, right or wrong. A deed changes the source, never a reading;
 * what it means in law is said in truth.ts, what it does to the physics in sources/.
 *
 * Every deed is clearly right or clearly wrong: durations in between, which a judge could see either way, are refused,
 * because nothing could be scored on them.
 */
import { z } from 'zod';

/** Local time of day. */
const LocalTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/, 'HH:MM or HH:MM:SS');

const common = {
  id: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .describe('Name of the happening; the truth carries it'),
  device: z.string().describe('Whose source is changed'),
  from: LocalTime,
  to: LocalTime,
};

/** A happening as a scenario file states it. */
export const HappeningInput = z.discriminatedUnion('does', [
  z.strictObject({
    ...common,
    does: z.literal('dry-earthworks').describe('Digs and loads without spraying'),
  }),
  z.strictObject({
    ...common,
    does: z.literal('dust-gust').describe('A gust into an open heap, gone within 2 minutes'),
  }),
  z.strictObject({
    ...common,
    does: z.literal('machines').describe('Machines at work: lawful by day, forbidden at night'),
    levelDb: z.number().min(60).max(68).describe('Equivalent level at the meter, dB(A)'),
  }),
  z.strictObject({
    ...common,
    does: z.literal('truck-passing').describe('One loud truck on the road outside'),
  }),
  z.strictObject({
    ...common,
    does: z.literal('frozen-output').describe('An operator holds the analyser output at its present value'),
    properties: z.array(z.string()).min(1),
  }),
  z.strictObject({
    ...common,
    does: z.literal('discharge').describe('Somebody lets off what nobody announced'),
  }),
  z.strictObject({
    ...common,
    does: z.literal('power-cut').describe('The device loses its power, without a farewell'),
  }),
  z.strictObject({
    ...common,
    does: z.literal('parked-in-fire-lane'),
    vehicle: z.enum(['car', 'truck']),
  }),
  z.strictObject({
    ...common,
    does: z.literal('stop-in-fire-lane').describe('Lets somebody out and drives on'),
    vehicle: z.enum(['car', 'truck']),
  }),
  z.strictObject({
    ...common,
    does: z.literal('person-in-fire-lane').describe('Somebody waits in the lane; no vehicle'),
  }),
  z.strictObject({
    ...common,
    does: z.literal('parked-at-kerb').describe('Parks where it is allowed'),
    vehicle: z.enum(['car', 'truck']),
  }),
]);
export type HappeningInput = z.infer<typeof HappeningInput>;
export type Deed = HappeningInput['does'];

/** A happening at its place in time: from ≤ t < to, epoch ms. */
export type Happening = {
  [D in Deed]: Omit<Extract<HappeningInput, { does: D }>, 'from' | 'to'> & { from: number; to: number };
}[Deed];
export type HappeningOf<D extends Deed> = Extract<Happening, { does: D }>;

const S = 1000;
const MIN = 60 * S;
/** How long a deed may last so that it is clearly what it is, in ms. */
export const LASTS: Record<Deed, { least: number; most: number }> = {
  'dry-earthworks': { least: 8 * MIN, most: 12 * 60 * MIN },
  'dust-gust': { least: 30 * S, most: 2 * MIN },
  machines: { least: 5 * MIN, most: 24 * 60 * MIN },
  'truck-passing': { least: 20 * S, most: MIN },
  'frozen-output': { least: 60 * MIN, most: 7 * 24 * 60 * MIN },
  discharge: { least: 5 * MIN, most: 120 * MIN },
  'power-cut': { least: 15 * MIN, most: 7 * 24 * 60 * MIN },
  'parked-in-fire-lane': { least: 8 * MIN, most: 12 * 60 * MIN },
  'stop-in-fire-lane': { least: 10 * S, most: 45 * S },
  'person-in-fire-lane': { least: MIN, most: 60 * MIN },
  'parked-at-kerb': { least: MIN, most: 24 * 60 * MIN },
};

/** The happenings of one kind. */
export function of<D extends Deed>(happenings: readonly Happening[], deed: D): HappeningOf<D>[] {
  return happenings.filter((h): h is HappeningOf<D> => h.does === deed);
}

/**
 * How strongly happenings are felt at a time, 0 to 1: coming up with time constant `riseMs`, fading with `fallMs`
 * after their end, as stirred dust and let-off water do.
 */
export function felt(happenings: readonly Happening[], time: number, riseMs: number, fallMs: number): number {
  let strongest = 0;
  for (const { from, to } of happenings) {
    if (time < from) continue;
    const risen = 1 - Math.exp(-(Math.min(time, to) - from) / riseMs);
    const left = time < to ? 1 : Math.exp(-(time - to) / fallMs);
    strongest = Math.max(strongest, risen * left);
  }
  return strongest;
}

/** The happening that is going on at a time. */
export function during<H extends Happening>(happenings: readonly H[], time: number): H | undefined {
  return happenings.find((h) => h.from <= time && time < h.to);
}

/**
 * The physical district, one pure function of time per thing: what is so, what an instrument shows of it, and when the
 * message leaves.
 *
 *   weather ─┬▶ dust, noise, water, river ──▶ instrument ──▶ transmission ──▶ fleet.ts
 *            └▶ camera ─story─▶ scenes/
 *
 * No formula of a detector or of a law stands here: whether a limit was broken follows from what people did.
 */
import type { Device } from '../../contracts/index.ts';
import { dustSource } from './dust.ts';
import { noiseSource } from './noise.ts';
import { riverSource } from './river.ts';
import type { Source, Surroundings } from './source.ts';
import { waterSource } from './water.ts';

export { type CameraSource, cameraSource } from './camera.ts';
export { type Instrument, instrumentFor } from './instrument.ts';
export type { Source, Surroundings } from './source.ts';
export { GOOD_LINE, type Line, type Transmission, transmissionOf } from './transmission.ts';
export { type Weather, type WeatherNow, weatherOf } from './weather.ts';

/** Which physics a sensor stands in, told by one property that only that kind of station measures. */
const BY_PROPERTY: Record<string, (surroundings: Surroundings) => Source> = {
  TSP: dustSource,
  LAeq: noiseSource,
  COD: waterSource,
  LEVEL: riverSource,
};

/** The source that a sensor watches. Throws when the simulator has no physics for what it measures. */
export function sourceOf(device: Device, surroundings: Surroundings): Source {
  const make = device.datastreams.map((d) => BY_PROPERTY[d.property]).find((m) => m !== undefined);
  if (make === undefined)
    throw new Error(`no source for device ${device.id}: it needs one of ${Object.keys(BY_PROPERTY)}`);
  return make(surroundings);
}

/** What a street camera looks at, as a story for scenes/: its ordinary street life, and who stands where he must not. */
import type { Happening } from '../scenarios/deeds.ts';
import type { Stay, Story } from '../scenes/index.ts';
import { hourOf, UTC_OFFSET_MS } from '../time.ts';
import type { Surroundings } from './source.ts';

export interface CameraSource {
  /** The story as told at that moment: the street empties at night, and rain falls there when it rains. */
  storyAt(time: number): Story;
}

export function cameraSource(camera: string, { seed, weather, happenings }: Surroundings): CameraSource {
  const stays = happenings.flatMap(stayOf);
  return {
    storyAt(time) {
      const life = streetLife(time);
      return {
        view: camera,
        seed,
        utcOffsetMs: UTC_OFFSET_MS,
        weather: weather.at(time).rain > 0.5 ? 'rain' : 'clear',
        trafficPerMin: 7 * life,
        walkersPerMin: 4 * life,
        shortcutsPerMin: 0.15 * life,
        caption: camera.toUpperCase(),
        // Only who is there or nearly so: a picture's story must not grow with the scenario.
        stays: stays.filter(
          (s) => Math.abs(time - s.from) < NEAR_MS || (s.from <= time && time < s.to + NEAR_MS),
        ),
      };
    },
  };
}

const NEAR_MS = 60_000;

function stayOf(happening: Happening): Stay[] {
  const { id, from, to } = happening;
  switch (happening.does) {
    case 'parked-in-fire-lane':
    case 'stop-in-fire-lane':
      return [{ id, class: happening.vehicle, place: 'fire-lane', from, to }];
    case 'person-in-fire-lane':
      return [{ id, class: 'person', place: 'fire-lane', from, to }];
    case 'parked-at-kerb':
      return [{ id, class: happening.vehicle, place: 'kerb', from, to }];
    default:
      return [];
  }
}

/** Share of the busiest hour. */
function streetLife(time: number): number {
  const hour = hourOf(time);
  return 0.15 + 0.85 * (0.5 - 0.5 * Math.cos(((hour - 3.5) / 24) * 2 * Math.PI));
}

/** The district's weather: one for all devices, so that sensors side by side tell the same story. */
import { bursts, seedOf, wander } from '../random.ts';
import { DAY, HOUR, hourOf, MINUTE } from '../time.ts';

export interface WeatherNow {
  /** Degrees Celsius. */
  temperature: number;
  /** Relative humidity, %. */
  humidity: number;
  /** m/s at 10 m. */
  wind: number;
  /** mm/h. */
  rain: number;
}

export interface Weather {
  at(time: number): WeatherNow;
  /** Its rain alone, mm/h: what a river asks for many times over. */
  rain(time: number): number;
}

/** Late autumn in the north-east: around 6 °C, coolest before dawn, calm nights, a shower now and then. */
export function weatherOf(seed: number): Weather {
  const s = (what: string) => seedOf(seed, 'weather', what);
  const [front, gusts, showers, air] = [s('front'), s('gusts'), s('showers'), s('air')];
  return {
    rain: (time) => rainAt(showers, time),
    at(time) {
      // Warmest at 14:30.
      const day = Math.cos(((hourOf(time) - 14.5) / 24) * 2 * Math.PI);
      const temperature =
        6 + 4.5 * day + 2.5 * wander(front, time, DAY) + 0.2 * wander(air, time, 8 * MINUTE);
      const wind = Math.max(
        0.3,
        2.2 + 0.9 * day + 0.8 * wander(gusts, time, 3 * HOUR) + 0.4 * wander(gusts + 1, time, MINUTE),
      );
      const rain = rainAt(showers, time);
      const humidity =
        62 -
        14 * day -
        5 * wander(front, time, DAY) +
        2 * wander(air + 1, time, 40 * MINUTE) +
        6 * Math.min(rain, 3);
      return { temperature, humidity: Math.min(98, Math.max(15, humidity)), wind, rain };
    },
  };
}

/** One shower in three days, of up to four hours; it begins and ends softly. */
function rainAt(seed: number, time: number): number {
  const longest = 4 * HOUR;
  return bursts(seed, time, 3 * DAY, longest).reduce((sum, { since, size }) => {
    const share = since / (longest * (0.3 + 0.7 * size));
    return share >= 1 ? sum : sum + 4 * size * Math.sin(Math.PI * share);
  }, 0);
}

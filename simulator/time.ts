/** The simulated time: how it runs against the wall clock, and how devices write it. */

/** Everything in the demonstration district happens in Beijing time. */
export const UTC_OFFSET_MS = 8 * 3_600_000;
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Simulated time was `origin` at the wall clock's `startedAt` and runs `speed` times as fast since. Both epoch ms. */
export interface ClockSetting {
  origin: number;
  speed: number;
  startedAt: number;
}

export function simulatedTime(clock: ClockSetting, wall: number): number {
  return clock.origin + (wall - clock.startedAt) * clock.speed;
}

/** The wall clock's time at which the simulated clock shows `time`; the inverse of {@link simulatedTime}. */
export function wallTime(clock: ClockSetting, time: number): number {
  return clock.startedAt + (time - clock.origin) / clock.speed;
}

/** Local time of day in hours, 0 to 24. */
export function hourOf(time: number): number {
  return ((time + UTC_OFFSET_MS) % DAY) / HOUR;
}

/** RFC 3339 with the local offset, in whole seconds as data loggers write it unless there are ms to tell. */
export function rfc3339(time: number): string {
  const text = new Date(time + UTC_OFFSET_MS).toISOString().replace('.000Z', 'Z');
  return text.replace('Z', '+08:00');
}

/** Night in the sense of GB 12523: 22:00 to 06:00. */
export function isNight(time: number): boolean {
  const hour = hourOf(time);
  return hour >= 22 || hour < 6;
}

/** The first moment at or after `after` at which the local clock shows `HH:MM` or `HH:MM:SS`. */
export function nextLocal(clockText: string, after: number): number {
  const [h = 0, m = 0, s = 0] = clockText.split(':').map(Number);
  const midnight = Math.floor((after + UTC_OFFSET_MS) / DAY) * DAY - UTC_OFFSET_MS;
  const today = midnight + h * HOUR + m * MINUTE + s * SECOND;
  return today >= after ? today : today + DAY;
}

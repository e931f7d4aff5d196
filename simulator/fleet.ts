/**
 * What a fleet says, as generators over simulated time: no clock, no network. The live simulator plays them against the
 * wall clock, scoring runs them at full speed, both see the same messages.
 *
 * Promises: the same seed, scenario and span give the same dispatches, byte for byte; a dispatch depends on nothing
 * that came before it, so memory stays bounded however long the span; each device's dispatches come in order of
 * `sendAt`. Does not render: a picture is a story and a time, painted by whoever needs its pixels.
 */
import { type Datastream, type Device, MQTT_TOPICS } from '../contracts/index.ts';
import { seedOf, unit } from './random.ts';
import { type Happening, of } from './scenarios/index.ts';
import type { Story } from './scenes/index.ts';
import {
  cameraSource,
  GOOD_LINE,
  instrumentFor,
  type Line,
  sourceOf,
  transmissionOf,
  type Weather,
  weatherOf,
} from './sources/index.ts';
import { MINUTE, rfc3339, SECOND } from './time.ts';

interface Due {
  device: string;
  /** Simulated time at which it leaves the device. Never before `time`. */
  sendAt: number;
}

/** Readings of one moment. */
export interface ReadingsDispatch extends Due {
  type: 'readings';
  /** What the message says its time is. */
  time: number;
  topic: string;
  /** A NativePayload as JSON. */
  payload: Buffer;
  /** Observations in it. */
  values: number;
  /** Was sent before, as QoS 1 allows. */
  repeat: boolean;
}

/** A picture that is due; {@link Story} and time say all that is on it. */
export interface PictureDispatch extends Due {
  type: 'picture';
  time: number;
  topic: string;
  story: Story;
}

/** The device loses its power, or has it again. */
export interface PowerDispatch extends Due {
  type: 'power';
  on: boolean;
}

export type Dispatch = ReadingsDispatch | PictureDispatch | PowerDispatch;

export interface Play {
  seed: number;
  happenings: readonly Happening[];
  /** Default {@link GOOD_LINE}. */
  line?: Line;
  /** Default one minute. */
  pictureEveryMs?: number;
}

/** All that one device sends of what it sees from `from` on, up to `to` (which may be Infinity). */
export function* playDevice(device: Device, play: Play, from: number, to: number): Generator<Dispatch> {
  const own = play.happenings.filter((h) => h.device === device.id);
  const cuts = of(own, 'power-cut');
  const dark = (time: number) => cuts.some((cut) => cut.from <= time && time < cut.to);
  const station = stationOf(device, play, own);
  let waiting: Dispatch[] = cuts.flatMap((cut) => powerOf(device.id, cut, from));
  for (const time of moments(seedOf(play.seed, device.id), station.everyMs, from, to)) {
    if (!dark(time)) {
      waiting.push(...station.sends(time).filter((d) => !dark(d.sendAt)));
      waiting.sort((a, b) => a.sendAt - b.sendAt);
    }
    // Nothing that is read later can leave before it is read.
    const ready = waiting.filter((d) => d.sendAt <= time);
    if (ready.length === 0) continue;
    waiting = waiting.filter((d) => d.sendAt > time);
    yield* ready;
  }
  yield* waiting.filter((d) => d.type !== 'power').sort((a, b) => a.sendAt - b.sendAt);
}

/** A whole fleet in order of `sendAt`; at the same moment in order of the list. */
export function* playFleet(
  devices: readonly Device[],
  play: Play,
  from: number,
  to: number,
): Generator<Dispatch> {
  const ahead = devices.flatMap((device) => {
    const rest = playDevice(device, play, from, to);
    const first = rest.next();
    return first.done ? [] : [{ next: first.value, rest }];
  });
  while (ahead.length > 0) {
    let earliest = 0;
    for (let i = 1; i < ahead.length; i++) {
      if ((ahead[i]?.next.sendAt ?? Infinity) < (ahead[earliest]?.next.sendAt ?? Infinity)) earliest = i;
    }
    const lane = ahead[earliest];
    if (lane === undefined) return;
    yield lane.next;
    const following = lane.rest.next();
    if (following.done) ahead.splice(earliest, 1);
    else lane.next = following.value;
  }
}

/** What stands at a device's place: how often it looks, and what it sends of what it sees. */
interface Station {
  everyMs: number;
  sends(time: number): Dispatch[];
}

function stationOf(device: Device, play: Play, own: readonly Happening[]): Station {
  const seed = seedOf(play.seed, device.id);
  const surroundings = { seed, weather: weatherFor(play.seed), happenings: own };
  const { sendTimes } = transmissionOf(seed, play.line ?? GOOD_LINE);
  if (device.kind === 'camera') {
    const { storyAt } = cameraSource(device.id, surroundings);
    const picture = (time: number, sendAt: number): PictureDispatch => {
      const topic = `${MQTT_TOPICS.frames(device.id)}/${time}`;
      return { type: 'picture', device: device.id, time, sendAt, topic, story: storyAt(time) };
    };
    return {
      everyMs: play.pictureEveryMs ?? MINUTE,
      // Nobody sends a picture twice: one is kilobytes.
      sends: (time) =>
        sendTimes(time)
          .slice(0, 1)
          .map((sendAt) => picture(time, sendAt)),
    };
  }
  const everyMs = Math.min(...device.datastreams.map((d) => d.intervalS)) * SECOND;
  const read = readerOf(device, seed, everyMs, sourceOf(device, surroundings), own);
  const topic = MQTT_TOPICS.observations(device.id);
  return {
    everyMs,
    sends(time) {
      const readings = read(time);
      const payload = Buffer.from(JSON.stringify({ time: rfc3339(time), readings }));
      const values = Object.keys(readings).length;
      return sendTimes(time).map((sendAt, i) => {
        return { type: 'readings', device: device.id, time, sendAt, topic, payload, values, repeat: i > 0 };
      });
    },
  };
}

/** Looks at a source through the device's instruments. A held output shows what it showed when it was held. */
function readerOf(
  device: Device,
  seed: number,
  everyMs: number,
  source: ReturnType<typeof sourceOf>,
  own: readonly Happening[],
): (time: number) => Record<string, number> {
  const channels = device.datastreams.map((stream) => ({ stream, instrument: instrumentFor(seed, stream) }));
  const held = of(own, 'frozen-output');
  const show = ({ stream, instrument }: (typeof channels)[number], time: number) => {
    const hold = held.find((h) => h.properties.includes(stream.property) && h.from <= time && time < h.to);
    const seenAt = hold?.from ?? time;
    return instrument.show(seenAt, source.at(seenAt, everyMs)[stream.property] ?? 0);
  };
  return (time) =>
    Object.fromEntries(
      channels
        .filter(({ stream }) => isDue(stream, time, everyMs))
        .map((c) => [c.stream.property, show(c, time)]),
    );
}

/** A datastream with a longer interval is told in every second, third … message only. */
function isDue({ intervalS }: Datastream, time: number, everyMs: number): boolean {
  const times = Math.max(1, Math.round((intervalS * SECOND) / everyMs));
  return Math.floor(time / everyMs) % times === 0;
}

/** The moments at which a device looks: its interval, on whole seconds, from a second of its own on. */
function* moments(seed: number, everyMs: number, from: number, to: number): Generator<number> {
  const phase = Math.floor((unit(seed, 0) * everyMs) / SECOND) * SECOND;
  for (let time = Math.ceil((from - phase) / everyMs) * everyMs + phase; time < to; time += everyMs)
    yield time;
}

function powerOf(device: string, cut: { from: number; to: number }, since: number): PowerDispatch[] {
  const both: PowerDispatch[] = [
    { type: 'power', device, sendAt: cut.from, on: false },
    { type: 'power', device, sendAt: cut.to, on: true },
  ];
  return both.filter((d) => d.sendAt >= since);
}

function weatherFor(seed: number): Weather {
  return weatherOf(seedOf(seed, 'district'));
}

/**
 * The fleet on real sockets, in real time on the simulated clock.
 *
 *   playDevice ──▶ player (waits until due) ──▶ connection (one MQTT client a device, QoS 1) ──▶ broker
 *                     │ picture: story, time
 *                     └──▶ painter (a thread) ──JPEG──▶
 *
 * 1. a player per device takes that device's dispatches from fleet.ts, one at a time
 * 2. readings go out when they are due; a camera has its picture painted while it waits
 * 3. the acknowledgement counts, not the sending
 */
import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { Device } from '../../contracts/index.ts';
import { type Dispatch, type PictureDispatch, playDevice } from '../fleet.ts';
import { seedOf, unit } from '../random.ts';
import { type Oddity, odditiesOf, type Scenario, truthOf, type Violation } from '../scenarios/index.ts';
import type { ClockSetting } from '../time.ts';
import { type Connection, connectDevice, type PublishTag } from './connection.ts';
import { type Painter, startPainter } from './painter.ts';
import { play } from './player.ts';
import { publishLog } from './publish-log.ts';

export interface SimulatorOptions {
  /** `mqtt://host:port`. */
  brokerUrl: string;
  /** Password by device id; a device without one connects anonymously. */
  credentials?: Readonly<Record<string, string>>;
  devices: readonly Device[];
  scenario: Scenario;
  seed: number;
  clock: ClockSetting;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Paints the pictures; default: one of its own. Belongs to the simulator from then on. */
  painter?: Painter;
  /** Only these devices play. */
  only?: readonly string[];
  /** The wall clock; handed in by tests. */
  wall?: () => number;
}

export interface SimulatorStats {
  /** Messages, pictures and repeats included. */
  published: number;
  /** … for which a PUBACK came. */
  acknowledged: number;
  /** … which the client gave up on or the broker refused. */
  refused: number;
  /** Single values; one that was sent twice counts once. */
  observations: { published: number; acknowledged: number };
  pictures: { published: number; acknowledged: number; unpainted: number };
  /** Messages sent a second time by intent. */
  repeats: number;
}

export interface Simulator {
  /** Ends the playing, waits a little for outstanding acknowledgements, closes every connection. */
  stop(): Promise<void>;
  stats(): SimulatorStats;
  /** What is to be found, all days of the scenario. */
  truth: readonly Violation[];
  /** What is lawful and yet out of the ordinary. */
  oddities: readonly Oddity[];
  /** Wall ms at which a device first published what it read at `time`; undefined when unknown or long ago. */
  publishedAt(device: string, time: number): number | undefined;
}

/** What a player needs to know of the evening, without a clock or a line. */
export type Evening = Pick<SimulatorOptions, 'devices' | 'scenario' | 'seed'> & { origin: number };

/** A painter that has painted each camera's street once already: the first picture of a street takes a second. */
export async function warmPainter({ devices, scenario, seed, origin }: Evening): Promise<Painter> {
  const painter = startPainter();
  for (const device of devices) {
    if (device.kind !== 'camera') continue;
    const dispatches = playDevice(device, { seed, happenings: scenario.happenings }, origin, Infinity);
    const first = firstPicture(dispatches);
    if (first) await painter.paint(first.story, first.time);
  }
  return painter;
}

function firstPicture(dispatches: Iterable<Dispatch>): PictureDispatch | undefined {
  for (const dispatch of dispatches) if (dispatch.type === 'picture') return dispatch;
  return undefined;
}

/** How long `stop` waits for acknowledgements, real ms. */
const FAREWELL_MS = 3000;

export function startSimulator(options: SimulatorOptions): Simulator {
  const { devices, scenario, seed, clock, log, only } = options;
  const wall = options.wall ?? Date.now;
  const playing = devices.filter((d) => only === undefined || only.includes(d.id));
  const stats = emptyStats();
  const published = publishLog();
  const outage = outageLog(log);
  const ending = new AbortController();
  // Every player listens to it.
  setMaxListeners(0, ending.signal);
  let painter = options.painter;
  const sharedPainter = () => {
    painter ??= startPainter();
    return painter;
  };
  const players = playing.map((device) =>
    play({
      dispatches: playDevice(device, { seed, happenings: scenario.happenings }, clock.origin, Infinity),
      connect: () => connectFor(device.id, options, stats, outage),
      painter: sharedPainter,
      clock,
      wall,
      signal: ending.signal,
      onPublish(dispatch) {
        published.note(dispatch.device, dispatch.time, wall());
        countPublished(stats, dispatch);
      },
      onUnpainted: (dispatch, error) => unpainted(stats, log, dispatch, error),
    }),
  );
  return {
    truth: truthOf(scenario.happenings, playing),
    oddities: odditiesOf(scenario.happenings),
    stats: () => structuredClone(stats),
    publishedAt: published.at,
    async stop() {
      ending.abort();
      // A picture that is being painted would hold its player up.
      await painter?.stop();
      const lines = (await Promise.all(players)).filter((line) => line !== null);
      await Promise.all(lines.map(farewell));
    },
  };
}

async function farewell(line: Connection): Promise<void> {
  await line.drained(FAREWELL_MS);
  await line.close();
}

function connectFor(
  device: string,
  options: SimulatorOptions,
  stats: SimulatorStats,
  outage: OutageLog,
): Connection {
  return connectDevice({
    brokerUrl: options.brokerUrl,
    device,
    password: options.credentials?.[device],
    spread: unit(seedOf(device, 'spread'), 0),
    onAcknowledged: (tag) => countAcknowledged(stats, tag),
    onRefused(_tag, reason) {
      stats.refused += 1;
      outage.down(device, reason);
    },
    onOutage: (reason) => outage.down(device, reason),
    onConnected: () => outage.up(device),
  });
}

function emptyStats(): SimulatorStats {
  return {
    published: 0,
    acknowledged: 0,
    refused: 0,
    observations: { published: 0, acknowledged: 0 },
    pictures: { published: 0, acknowledged: 0, unpainted: 0 },
    repeats: 0,
  };
}

function countPublished(stats: SimulatorStats, dispatch: Exclude<Dispatch, { type: 'power' }>): void {
  stats.published += 1;
  if (dispatch.type === 'picture') stats.pictures.published += 1;
  else if (dispatch.repeat) stats.repeats += 1;
  else stats.observations.published += dispatch.values;
}

function countAcknowledged(stats: SimulatorStats, { picture, repeat, values }: PublishTag): void {
  stats.acknowledged += 1;
  if (picture) stats.pictures.acknowledged += 1;
  else if (!repeat) stats.observations.acknowledged += values;
}

function unpainted(
  stats: SimulatorStats,
  log: SimulatorOptions['log'],
  dispatch: PictureDispatch,
  error: Error,
): void {
  // The first one tells all: a fault in painting repeats with every picture.
  if (stats.pictures.unpainted === 0)
    log.warn({ camera: dispatch.device, err: error }, 'a picture could not be painted');
  stats.pictures.unpainted += 1;
}

interface OutageLog {
  down(device: string, reason: string): void;
  up(device: string): void;
}

/** Says once that devices lost the broker, and once that all have it again. */
function outageLog(log: SimulatorOptions['log']): OutageLog {
  const without = new Set<string>();
  return {
    down(device, reason) {
      if (without.size === 0) log.warn({ device, reason }, 'simulated devices have lost the broker');
      without.add(device);
    },
    up(device) {
      if (without.delete(device) && without.size === 0)
        log.info('all simulated devices have the broker again');
    },
  };
}

/**
 * Plays one device against the wall clock: takes its dispatches one after the other and sends each when it is due.
 *
 * When the process or the broker was held up, what is overdue goes out as fast as the window of unacknowledged messages
 * lets it, each with the time at which it was read: nothing is left out, nothing is stamped anew. Dispatches are made
 * one at a time, so being behind costs no memory. A camera orders its next picture while it waits for its moment.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatch, PictureDispatch } from '../fleet.ts';
import { type ClockSetting, wallTime } from '../time.ts';
import type { Connection } from './connection.ts';
import type { Painter } from './painter.ts';

export interface PlayerDeps {
  dispatches: Iterator<Dispatch>;
  connect(): Connection;
  painter(): Painter;
  clock: ClockSetting;
  wall(): number;
  signal: AbortSignal;
  /** A message goes out now. */
  onPublish(dispatch: Exclude<Dispatch, { type: 'power' }>): void;
  onUnpainted(dispatch: PictureDispatch, error: Error): void;
}

/** How long a device that is switched off may still wait for acknowledgements, real ms. */
const LAST_WORDS_MS = 500;

/** Resolves with the connection, if there is one then, when the dispatches end or `signal` is aborted. */
export async function play(deps: PlayerDeps): Promise<Connection | null> {
  const { dispatches, signal } = deps;
  let line: Connection | null = deps.connect();
  for (let next = dispatches.next(); !next.done && !signal.aborted; next = dispatches.next()) {
    const dispatch = next.value;
    if (dispatch.type === 'power') {
      await until(dispatch.sendAt, deps);
      if (!signal.aborted) line = await switchPower(line, dispatch.on, deps);
      continue;
    }
    const payload = dispatch.type === 'picture' ? await painted(dispatch, deps) : dispatch.payload;
    await until(dispatch.sendAt, deps);
    await line?.room(signal);
    if (signal.aborted || payload === null) continue;
    line ??= deps.connect();
    send(line, dispatch, payload, deps);
  }
  return line;
}

function send(
  line: Connection,
  dispatch: Exclude<Dispatch, { type: 'power' }>,
  payload: Buffer,
  deps: PlayerDeps,
): void {
  const readings = dispatch.type === 'readings';
  deps.onPublish(dispatch);
  line.publish(dispatch.topic, payload, {
    values: readings ? dispatch.values : 0,
    repeat: readings && dispatch.repeat,
    picture: !readings,
  });
}

async function switchPower(
  line: Connection | null,
  on: boolean,
  deps: PlayerDeps,
): Promise<Connection | null> {
  if (on) return line ?? deps.connect();
  // What it has said is said: the cut takes readings that are not made, not ones that are on their way.
  await line?.drained(LAST_WORDS_MS);
  line?.cut();
  return null;
}

async function painted(dispatch: PictureDispatch, deps: PlayerDeps): Promise<Buffer | null> {
  try {
    return await deps.painter().paint(dispatch.story, dispatch.time);
  } catch (error) {
    if (!deps.signal.aborted)
      deps.onUnpainted(dispatch, error instanceof Error ? error : new Error(String(error)));
    return null;
  }
}

/** Node's timers wait at most 2^31 - 1 ms. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

async function until(time: number, { clock, wall, signal }: PlayerDeps): Promise<void> {
  const due = wallTime(clock, time);
  for (let left = due - wall(); left > 0 && !signal.aborted; left = due - wall()) {
    await sleep(Math.min(Math.ceil(left), LONGEST_SLEEP_MS), undefined, { signal }).catch(() => undefined);
  }
}

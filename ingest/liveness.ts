import { Gauge, type Registry as Metrics } from 'prom-client';
import type { DeviceDirectory } from '../backbone/index.ts';
import type { DeviceEvent } from '../contracts/index.ts';
import type { SessionEvent } from '../devices/message.ts';
import type { IngestConfig } from './config.ts';
import { dueHeap } from './due-heap.ts';
import type { LivenessStore } from './liveness-store.ts';
import {
  type LivenessState,
  type LivenessStatus,
  type LivenessSummary,
  type LivenessWhy,
  silentAfterMs,
} from './liveness-words.ts';
import type { Alive } from './take.ts';

/**
 * Which devices speak: online, silent, gone; each change is a DeviceEvent on the stream, where detectors see it.
 *
 *   message ─▶ online            tick ─▶ nothing for factor × its interval ─▶ silent ─▶ nor for goneAfterS more ─▶ gone
 *   it, or its last will, says: online, offline = gone at once            silent and its connection lost ────────▶ gone
 *
 * Promises: time is that of messages and ticks; a change is told before the tick, or the readings, that made it. Nothing
 * is held against a device while ingest did not listen: after a restart, or a gap in the ticks, everybody has the full
 * time again, and what was told before is not told anew. A change that the stream did not take is told at a later tick. A tick
 * costs what is due, not what there is: each device is looked at about once in its own timeout. A device that is still
 * connected does not become gone by time. Does not promise anything for devices that were never heard: they have no events,
 * and a detector of their own (silence).
 */
export interface Liveness extends Alive {
  session(device: string, event: SessionEvent, at: number): void;
  /** To be called before the tick itself goes out. */
  tick(time: number): void;
  statusOf(device: string): LivenessStatus;
  summary(): LivenessSummary;
  /** Ids of devices in a state, in the order of the registry. */
  devicesIn(state: LivenessState): Iterable<string>;
  close(): Promise<void>;
}

export interface LivenessDeps {
  directory: DeviceDirectory;
  store: LivenessStore;
  /** Puts an event on the stream; resolves when it is durable. */
  tell(event: DeviceEvent): Promise<void>;
  /** The product's time now: from here on ingest listens. */
  startedAt: number;
  metrics: Metrics;
}

interface Entry {
  readonly device: string;
  state: LivenessState;
  since: number;
  why: LivenessWhy | null;
  heardAt: number;
  session: SessionEvent | null;
  silentMs: number;
  /** Its place in the heap that holds; 0: it waits for nothing. */
  due: number;
  /** The state that the stream knows. */
  told: LivenessState;
  savedHeardAt: number;
}

/** Changes of one tick: an outage of a whole network must not become one giant append. */
const MOST_CHANGES = 20_000;
const SAVE_HEARD_EVERY_MS = 600_000;
/** A stop does not wait for more: beyond that, when a device was last heard may be ten minutes old after a restart. */
const MOST_SAVED_AT_CLOSE = 5_000;

export async function openLiveness(
  config: IngestConfig['liveness'],
  tickS: number,
  deps: LivenessDeps,
): Promise<Liveness> {
  const { directory, store } = deps;
  /** By device id. */
  const entries = new Map<string, Entry>();
  const waiting = dueHeap<Entry>();
  /** The stream did not take their last change. */
  const untold = new Set<Entry>();
  const unsaved = new Set<Entry>();
  const goneMs = config.goneAfterS * 1_000;
  /** Ticks further apart than this: nobody was listened to. */
  const gapMs = Math.max(60, 6 * tickS) * 1_000;
  let attendedSince = deps.startedAt;
  let lastTick = attendedSince;

  function entryFor(device: string): Entry | undefined {
    const known = entries.get(device);
    if (known !== undefined) return known;
    const registered = directory.get(device);
    if (registered === undefined) return undefined;
    const made = newEntry(device, silentAfterMs(registered, config));
    entries.set(device, made);
    return made;
  }

  function arm(entry: Entry, due: number): void {
    entry.due = due;
    waiting.add(due, entry);
  }

  /** When it is silent, or gone, if nothing comes. */
  function dueOf({ state, heardAt, silentMs }: Entry): number {
    const silentAt = Math.max(heardAt, attendedSince) + silentMs;
    return state === 'online' ? silentAt : silentAt + goneMs;
  }

  function change(
    entry: Entry,
    state: 'online' | 'silent' | 'gone',
    at: number,
    why: LivenessWhy | null,
  ): void {
    entry.why = why;
    if (entry.state === state) return;
    entry.state = state;
    entry.since = at;
    if (state === 'gone') entry.due = 0;
    else arm(entry, dueOf(entry));
    void tell(entry, state, at);
  }

  async function tell(entry: Entry, event: 'online' | 'silent' | 'gone', time: number): Promise<void> {
    const detail = entry.why === null ? {} : { detail: entry.why };
    try {
      await deps.tell({ type: 'device', device: entry.device, time, event, ...detail });
      entry.told = event;
      unsaved.add(entry);
    } catch {
      // The stream is away, which is reported where messages are refused.
      untold.add(entry);
    }
  }

  function tellAgain(time: number): void {
    const all = [...untold];
    untold.clear();
    for (const entry of all) {
      if (entry.told !== entry.state && entry.state !== 'never-heard') void tell(entry, entry.state, time);
    }
  }

  function heard(device: string, receivedAt: number): void {
    const entry = entries.get(device) ?? entryFor(device);
    if (entry === undefined) return;
    if (receivedAt > entry.heardAt) entry.heardAt = receivedAt;
    if (entry.state !== 'online') change(entry, 'online', receivedAt, null);
  }

  /** What is due is looked at again: most have been heard since, and are due later. True when it changed. */
  function look(entry: Entry, time: number): boolean {
    if (entry.heardAt - entry.savedHeardAt >= SAVE_HEARD_EVERY_MS) unsaved.add(entry);
    const due = dueOf(entry);
    if (due > time) arm(entry, due);
    else if (entry.session === 'lost') change(entry, 'gone', time, 'connection-lost');
    else if (entry.state === 'online') change(entry, 'silent', time, 'no-message');
    else if (entry.session === 'connected') arm(entry, time + goneMs);
    else change(entry, 'gone', time, 'no-message');
    return due <= time;
  }

  function save(): void {
    const states = [];
    for (const entry of unsaved) {
      const { device, state, since, heardAt, why } = entry;
      // What the stream does not know yet is written once it does.
      if (state === 'never-heard' || entry.told !== state) continue;
      states.push({ device, state, since, heardAt, why });
      entry.savedHeardAt = heardAt;
    }
    unsaved.clear();
    store.save(states);
  }

  async function restore(): Promise<void> {
    for (const saved of await store.load()) {
      const entry = entryFor(saved.device);
      if (entry === undefined) continue;
      Object.assign(entry, saved, { told: saved.state, savedHeardAt: saved.heardAt });
      if (entry.state !== 'gone') arm(entry, dueOf(entry));
    }
  }

  function registryChanged(id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    const device = directory.get(id);
    if (device === undefined) {
      entries.delete(id);
      untold.delete(entry);
      entry.due = 0;
      return;
    }
    entry.silentMs = silentAfterMs(device, config);
    if (entry.due !== 0 && dueOf(entry) < entry.due) arm(entry, dueOf(entry));
  }

  function summary(): LivenessSummary {
    const counts = { online: 0, silent: 0, gone: 0, neverHeard: 0 };
    for (const { id } of directory.all()) {
      const state = entries.get(id)?.state ?? 'never-heard';
      counts[state === 'never-heard' ? 'neverHeard' : state] += 1;
    }
    return counts;
  }

  await restore();
  const stopListening = directory.onChange(registryChanged);
  measure(deps.metrics, summary);

  return {
    heard,
    said(device, status, receivedAt) {
      if (status === 'online') return heard(device, receivedAt);
      const entry = entryFor(device);
      if (entry !== undefined) change(entry, 'gone', receivedAt, 'said-offline');
    },
    session(device, event, at) {
      const entry = entryFor(device);
      if (entry === undefined) return;
      entry.session = event;
      if (event === 'lost' && entry.state === 'silent') change(entry, 'gone', at, 'connection-lost');
    },
    tick(time) {
      if (time - lastTick > gapMs) attendedSince = time;
      lastTick = time;
      tellAgain(time);
      for (let changes = 0; changes < MOST_CHANGES; ) {
        const next = waiting.takeDue(time);
        if (next === undefined) break;
        const { thing: entry, due } = next;
        if (due === entry.due && look(entry, time)) changes += 1;
      }
      save();
    },
    statusOf(device) {
      const entry = entries.get(device);
      const registered = directory.get(device);
      const silentMs = registered === undefined ? 0 : silentAfterMs(registered, config);
      const { state = 'never-heard', why = null, session = null } = entry ?? {};
      return {
        state,
        since: entry === undefined || state === 'never-heard' ? null : entry.since,
        why,
        lastHeard: entry === undefined || entry.heardAt === 0 ? null : entry.heardAt,
        session,
        silentAfterS: silentMs / 1_000,
        goneAfterS: (silentMs + goneMs) / 1_000,
      };
    },
    summary,
    *devicesIn(state) {
      for (const { id } of directory.all()) {
        if ((entries.get(id)?.state ?? 'never-heard') === state) yield id;
      }
    },
    async close() {
      stopListening();
      for (const entry of entries.values()) {
        if (unsaved.size >= MOST_SAVED_AT_CLOSE) break;
        if (entry.heardAt > entry.savedHeardAt) unsaved.add(entry);
      }
      save();
      await store.settled();
    },
  };
}

function newEntry(device: string, silentMs: number): Entry {
  return {
    device,
    state: 'never-heard',
    since: 0,
    why: null,
    heardAt: 0,
    session: null,
    silentMs,
    due: 0,
    told: 'never-heard',
    savedHeardAt: 0,
  };
}

function measure(metrics: Metrics, summary: () => LivenessSummary): void {
  new Gauge({
    name: 'qianliyan_devices',
    help: 'Registered devices, by liveness',
    labelNames: ['state'],
    registers: [metrics],
    collect() {
      for (const [state, count] of Object.entries(summary())) this.set({ state }, count);
    },
  });
}

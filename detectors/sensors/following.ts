import type { Catalog } from '../../backbone/catalog.ts';
import type { DeviceDirectory } from '../../backbone/directory.ts';
import type { RegisteredDevice } from '../../contracts/index.ts';
import { type Attacher, inherit } from './attaching.ts';
import type { Attached, DeviceEntry, StreamEntry } from './entries.ts';
import type { Telling } from './telling.ts';
import type { Waking } from './waking.ts';

/**
 * The devices that are followed, each in the version of it that holds, with its watches.
 *
 *   first record ─▶ enter ─▶ followed ──registry changed──▶ unsettled ──next record──▶ settle ─┬▶ attached again
 *                                                                                            └▶ gone: what was open ends
 *
 * Promises: a device's records are judged by the version in force at their time, not by the latest; a new version or
 * catalog costs a watch its state only where its parameters changed; before an entry changes, a running snapshot is told.
 * Never forgets a device that the registry still knows.
 */
export interface FollowingDeps {
  directory: DeviceDirectory;
  attacher: Attacher;
  waking: Waking;
  telling: Telling;
}

export class Following {
  /** By device id. */
  readonly entries = new Map<string, DeviceEntry>();
  /** Number of the latest snapshot begun. */
  epoch = 0;
  /** Called before an entry changes, so that a running snapshot can take it first. */
  beforeChange: ((entry: DeviceEntry) => void) | null = null;
  readonly #deps: FollowingDeps;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
  }

  /** The entry for a record of this time, about to be changed. Null: the registry knows no such device. */
  entryFor(id: string, time: number): DeviceEntry | null {
    const known = this.entries.get(id);
    if (known === undefined) return this.enterAt(id, time);
    this.beforeChange?.(known);
    return this.settle(known, time);
  }

  /** Follows a device from now on although it has not spoken yet, for what watches devices. */
  expect(id: string): void {
    if (this.entries.has(id)) return;
    const device = this.#deps.directory.get(id);
    if (device !== undefined) this.#enter(device);
  }

  /** Follows a device as it was at a time. Null: the registry knows no such device. */
  enterAt(id: string, time: number): DeviceEntry | null {
    const device = this.#versionAt(id, time);
    return device === undefined ? null : this.#enter(device);
  }

  /** Attaches a datastream that has been handed on up to `lastTime`. Null: the device declares no such datastream. */
  openStream(entry: DeviceEntry, id: string, lastTime: number): StreamEntry | null {
    const watches = this.#deps.attacher.toStream(entry, id);
    if (watches === null) return null;
    const stream = { id, lastTime, watches };
    entry.streams.push(stream);
    return stream;
  }

  /** Lets all watches of a device wait for their times: those it begins with, or whose state is back. */
  scheduleAll(entry: DeviceEntry): void {
    for (const attached of watchesOf(entry)) this.#deps.waking.schedule(attached);
  }

  /** The registry changed a device: it is looked up again before its next record. */
  unsettle(id: string): void {
    const entry = this.entries.get(id);
    if (entry !== undefined) entry.unsettled = true;
  }

  /** Takes over the version of the device that holds at a time. Null: the device is gone, and its entry with it. */
  settle(entry: DeviceEntry, time: number): DeviceEntry | null {
    if (!entry.unsettled) return entry;
    this.beforeChange?.(entry);
    const current = this.#deps.directory.get(entry.id);
    const device = this.#versionAt(entry.id, time);
    if (device === undefined || current === undefined) return this.#drop(entry);
    entry.unsettled = current.version !== device.version;
    if (entry.device.version === device.version) return entry;
    entry.device = device;
    this.#attachAgain(entry);
    return entry;
  }

  /** Attaches everything again under a changed catalog. */
  useCatalog(catalog: Catalog): void {
    this.#deps.attacher.useCatalog(catalog);
    for (const entry of this.entries.values()) this.#attachAgain(entry);
  }

  #versionAt(id: string, time: number): RegisteredDevice | undefined {
    const { directory } = this.#deps;
    return directory.at(id, time) ?? directory.get(id);
  }

  #enter(device: RegisteredDevice): DeviceEntry {
    const entry: DeviceEntry = {
      id: device.id,
      device,
      unsettled: this.#deps.directory.get(device.id)?.version !== device.version,
      heardAt: 0,
      watches: [],
      streams: [],
      next: 0,
      savedIn: this.epoch,
    };
    entry.watches = this.#deps.attacher.toDevice(entry);
    this.scheduleAll(entry);
    this.entries.set(entry.id, entry);
    return entry;
  }

  #drop(entry: DeviceEntry): null {
    this.entries.delete(entry.id);
    this.#replace([...watchesOf(entry)], []);
    return null;
  }

  #attachAgain(entry: DeviceEntry): void {
    this.beforeChange?.(entry);
    const { attacher } = this.#deps;
    entry.watches = this.#replace(entry.watches, attacher.toDevice(entry));
    entry.streams = entry.streams.flatMap((stream) => {
      const heirs = attacher.toStream(entry, stream.id);
      const watches = this.#replace(stream.watches, heirs ?? []);
      return heirs === null ? [] : [{ ...stream, watches }];
    });
    entry.next = 0;
    this.scheduleAll(entry);
  }

  /** Puts new watches in the place of old ones. State goes over; what an old one without heir had open ends. */
  #replace(old: readonly Attached[], heirs: Attached[]): Attached[] {
    const left = this.#inherit(old, heirs);
    const { telling } = this.#deps;
    for (const attached of old) attached.gone = true;
    for (const { plan, owner, open } of left) telling.end(plan.label, owner.id, open);
    return heirs;
  }

  #inherit(old: readonly Attached[], heirs: readonly Attached[]): readonly Attached[] {
    try {
      return inherit(old, heirs);
    } catch (error) {
      this.#deps.telling.fault('restore', old[0]?.owner.id ?? '', error);
      return old;
    }
  }
}

/** All watches of a device: its own, then those of its datastreams. */
function* watchesOf(entry: DeviceEntry): Generator<Attached> {
  yield* entry.watches;
  for (const stream of entry.streams) yield* stream.watches;
}

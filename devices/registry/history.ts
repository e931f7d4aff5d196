import type { RegisteredDevice } from '../../contracts/index.ts';

/** All versions of all devices in memory, oldest first. Reads are map look-ups: they are on ingest's hot path. */
export interface History {
  get(id: string): RegisteredDevice | undefined;
  /** By id, or by an address; the registry sees to it that an address has one device. */
  find(name: string): RegisteredDevice | undefined;
  at(id: string, time: number): RegisteredDevice | undefined;
  versions(id: string): readonly RegisteredDevice[];
  all(): Iterable<RegisteredDevice>;
  /** In the order of their ids, beginning behind `after`. A new device costs one sort of what is sorted but for it. */
  sorted(after: string): Iterable<RegisteredDevice>;
  /** Versions of a device come in order; one that is known already changes nothing. */
  add(version: RegisteredDevice): boolean;
  readonly size: number;
}

export function history(): History {
  /** Version that holds now, by device id. */
  const current = new Map<string, RegisteredDevice>();
  /** Earlier versions, oldest first, by device id; most devices have none. */
  const earlier = new Map<string, RegisteredDevice[]>();
  /** Device id, by address. */
  const byAddress = new Map<string, string>();
  /** All ids in order; devices are never removed. */
  let ids: string[] = [];

  const versions = (id: string): readonly RegisteredDevice[] => {
    const now = current.get(id);
    return now === undefined ? [] : [...(earlier.get(id) ?? []), now];
  };

  function move(before: RegisteredDevice | undefined, now: RegisteredDevice): void {
    for (const address of before?.addresses ?? []) {
      if (byAddress.get(address) === now.id) byAddress.delete(address);
    }
    for (const address of now.addresses) byAddress.set(address, now.id);
  }

  function sortedIds(): string[] {
    if (ids.length < current.size) ids = [...current.keys()].sort();
    return ids;
  }

  return {
    get: (id) => current.get(id),
    find: (name) => current.get(name) ?? current.get(byAddress.get(name) ?? ''),
    at(id, time) {
      const now = current.get(id);
      if (now === undefined || now.since <= time) return now;
      return earlier.get(id)?.findLast((version) => version.since <= time);
    },
    versions,
    all: () => current.values(),
    *sorted(after) {
      const all = sortedIds();
      for (let i = firstBehind(all, after); i < all.length; i++) {
        const device = current.get(all[i] ?? '');
        if (device !== undefined) yield device;
      }
    },
    add(version) {
      const now = current.get(version.id);
      if (now !== undefined && now.version >= version.version) return false;
      if (now !== undefined) earlier.set(version.id, [...(earlier.get(version.id) ?? []), now]);
      current.set(version.id, version);
      move(now, version);
      return true;
    },
    get size() {
      return current.size;
    },
  };
}

/** Index of the first id that is greater than `after`. */
function firstBehind(ids: readonly string[], after: string): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? '') <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

import type { RegisteredDevice } from '../../contracts/index.ts';

/** All versions of all devices in memory, oldest first. Reads are map look-ups: they are on ingest's hot path. */
export interface History {
  get(id: string): RegisteredDevice | undefined;
  /** By id, or by an address; of two devices with one address the later registered has it. */
  find(name: string): RegisteredDevice | undefined;
  at(id: string, time: number): RegisteredDevice | undefined;
  versions(id: string): readonly RegisteredDevice[];
  all(): Iterable<RegisteredDevice>;
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

  const versions = (id: string): readonly RegisteredDevice[] => {
    const now = current.get(id);
    return now === undefined ? [] : [...(earlier.get(id) ?? []), now];
  };

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
    add(version) {
      const now = current.get(version.id);
      if (now !== undefined && now.version >= version.version) return false;
      if (now !== undefined) earlier.set(version.id, [...(earlier.get(version.id) ?? []), now]);
      current.set(version.id, version);
      for (const address of now?.addresses ?? []) {
        if (byAddress.get(address) === version.id) byAddress.delete(address);
      }
      for (const address of version.addresses) byAddress.set(address, version.id);
      return true;
    },
    get size() {
      return current.size;
    },
  };
}

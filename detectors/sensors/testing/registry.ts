import type { DeviceDirectory } from '../../../backbone/directory.ts';
import { Device, type DeviceInput, type RegisteredDevice } from '../../../contracts/index.ts';
import { at } from './story.ts';

/** Site devices and a registry in memory that keeps their versions. Devices are checked as the real registry does. */
const RANGES: Record<string, { unit: string; range: [number, number] }> = {
  TSP: { unit: 'mg/m3', range: [0, 20] },
  PM10: { unit: 'ug/m3', range: [0, 5000] },
  LAeq: { unit: 'dB', range: [20, 140] },
  LEVEL: { unit: 'm', range: [0, 30] },
  COD: { unit: 'mg/L', range: [0, 1000] },
};

/** A registered site device: `testDevice('dust-01', ['TSP'])`, one value every 30 s. */
export function testDevice(
  id: string,
  properties: readonly string[],
  changes: Partial<DeviceInput> & {
    version?: number;
    since?: number;
    intervalS?: number;
    unit?: string | null;
  } = {},
): RegisteredDevice {
  const { version = 1, since = at('2026-11-01 00:00'), intervalS = 30, unit, ...rest } = changes;
  const device = Device.parse({
    id,
    kind: 'sensor',
    name: { zh: id, en: id },
    site: 'site-1',
    location: [123.43, 41.8],
    attributes: { siteType: 'construction' },
    datastreams: properties.map((property) => {
      const known = RANGES[property] ?? { unit: '1', range: [-1e9, 1e9] };
      return { property, ...known, ...(unit === undefined ? {} : { unit }), intervalS };
    }),
    ...rest,
  });
  return { ...device, version, since };
}

/** A registry in memory, with history. */
export function testDirectory(devices: readonly RegisteredDevice[]): DeviceDirectory & {
  put(device: RegisteredDevice): void;
} {
  const versions = new Map<string, RegisteredDevice[]>();
  const listeners = new Set<(id: string) => void>();
  const add = (device: RegisteredDevice): void => {
    versions.set(device.id, [...(versions.get(device.id) ?? []), device]);
  };
  for (const device of devices) add(device);
  return {
    get: (id) => versions.get(id)?.at(-1),
    find: (name) => versions.get(name)?.at(-1),
    at: (id, time) => versions.get(id)?.findLast((device) => device.since <= time),
    *all() {
      for (const history of versions.values()) {
        const current = history.at(-1);
        if (current !== undefined) yield current;
      }
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    put(device) {
      add(device);
      for (const listener of listeners) listener(device.id);
    },
  };
}

import type { DeviceDirectory } from '../backbone/index.ts';
import { datastreamId, type RegisteredDevice, type Statistic } from '../contracts/index.ts';
import { type ClockMeter, clockMeter } from './clock-meter.ts';
import { type Recent, recent } from './recent.ts';

/** A declared datastream, laid out for the hot path. */
export interface KnownStream {
  /** Datastream id. */
  readonly id: string;
  readonly unit: string | null;
  readonly min: number;
  readonly max: number;
  readonly recent: Recent;
}

export interface KnownDevice {
  readonly device: RegisteredDevice;
  /** By property; instant values, which is what nearly all devices send. */
  readonly instant: ReadonlyMap<string, KnownStream>;
  /** By `property@statistic`. */
  readonly others: ReadonlyMap<string, KnownStream>;
  readonly clock: ClockMeter;
}

/** Devices as ingest needs them: made from the registry at first use, and anew when it changes. */
export interface KnownDevices {
  /** By id, or by an address. */
  find(name: string): KnownDevice | undefined;
  close(): void;
}

export function knownDevices(directory: DeviceDirectory): KnownDevices {
  /** By device id. */
  const known = new Map<string, KnownDevice>();
  const stop = directory.onChange((id) => {
    const before = known.get(id);
    const device = directory.get(id);
    if (before === undefined || device === undefined) known.delete(id);
    else known.set(id, layOut(device, before));
  });
  return {
    find(name) {
      const hit = known.get(name);
      if (hit !== undefined) return hit;
      const device = directory.find(name);
      if (device === undefined) return undefined;
      const made = known.get(device.id) ?? layOut(device);
      known.set(device.id, made);
      return made;
    },
    close: stop,
  };
}

export function streamOf(
  known: KnownDevice,
  property: string,
  statistic: Statistic,
): KnownStream | undefined {
  return statistic === 'instant' ? known.instant.get(property) : known.others.get(`${property}@${statistic}`);
}

/** Most devices send instant values only. Shared, never written. */
const NO_STREAMS = new Map<string, KnownStream>();

/** What was seen of a datastream stays known when the device's record changes. */
function layOut(device: RegisteredDevice, before?: KnownDevice): KnownDevice {
  const instant = new Map<string, KnownStream>();
  let others = NO_STREAMS;
  for (const { property, statistic, unit, range } of device.datastreams) {
    const old = before === undefined ? undefined : streamOf(before, property, statistic);
    const id = datastreamId(device.id, property, statistic);
    const stream: KnownStream = {
      id,
      unit,
      min: range[0],
      max: range[1],
      recent: old?.recent ?? recent(),
    };
    if (statistic === 'instant') instant.set(property, stream);
    else {
      if (others === NO_STREAMS) others = new Map();
      others.set(`${property}@${statistic}`, stream);
    }
  }
  return { device, instant, others, clock: before?.clock ?? clockMeter() };
}

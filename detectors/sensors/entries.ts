import type { RegisteredDevice } from '../../contracts/index.ts';
import type { DatastreamWatch, DeviceWatch, Watch } from './detector.ts';
import type { OpenFindings } from './ledger.ts';
import type { Plan } from './plan.ts';

/**
 * What the routing core holds: one entry a device, one a datastream that has spoken, one attached watch for each detector
 * that has something to watch there. Small plain objects, since there are a million of them.
 */
export interface DeviceEntry {
  readonly id: string;
  device: RegisteredDevice;
  /** The registry knows another version than `device`: look again before the next record. */
  unsettled: boolean;
  /** Latest `receivedAt`; 0: never heard. (A number always, since it is written for every message.) */
  heardAt: number;
  watches: Attached[];
  streams: StreamEntry[];
  /** Index in `streams` where the next observation is expected: devices send in the same order each time. */
  next: number;
  /** Number of the snapshot that has it already. */
  savedIn: number;
}

export interface StreamEntry {
  readonly id: string;
  /** Time of the latest observation handed on. */
  lastTime: number;
  watches: Attached[];
}

export interface Attached {
  readonly plan: Plan;
  readonly owner: DeviceEntry;
  /** Null: it watches the device. */
  readonly stream: string | null;
  readonly ofStream: DatastreamWatch | null;
  readonly ofDevice: DeviceWatch | null;
  readonly fingerprint: string;
  /** It asks for ticks, by due time. */
  readonly wantsTicks: boolean;
  /** The second for which it waits in the due times; Infinity: it does not. */
  slot: number;
  /** Taken away: what still waits for it is let pass. */
  gone: boolean;
  /** Why it was stopped. */
  fault: string | null;
  open: OpenFindings | null;
}

export const watchOf = (attached: Attached): Watch | null => attached.ofStream ?? attached.ofDevice;

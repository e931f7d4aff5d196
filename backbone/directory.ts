import type { RegisteredDevice } from '../contracts/index.ts';

/**
 * The device registry as the other stages see it: read only, in memory, with history.
 * Written by `devices/`; wired in `cli/`.
 */
export interface DeviceDirectory {
  get(id: string): RegisteredDevice | undefined;
  /** By id, or by one of its addresses (`hj212:<MN>`). */
  find(name: string): RegisteredDevice | undefined;
  /** The version that held at a time: what a finding about the past rests on. */
  at(id: string, time: number): RegisteredDevice | undefined;
  all(): Iterable<RegisteredDevice>;
  /** Called after each change with the id; returns the way to stop listening. */
  onChange(listener: (id: string) => void): () => void;
}

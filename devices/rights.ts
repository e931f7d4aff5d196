import type { RegisteredDevice } from '../contracts/index.ts';

/** Whether one that signed in as `sender` may speak for a device: its own, or one that names it as its gateway. */
export function speaksFor(sender: string, device: RegisteredDevice): boolean {
  return device.id === sender || device.gateway === sender;
}

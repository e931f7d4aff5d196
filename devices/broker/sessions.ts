import type { Client } from 'aedes';
import type { SessionEvent } from '../message.ts';

/** Several connections of one device are one session: it begins with the first and ends with the last. */
export function sessionCounter(tell: (device: string, event: SessionEvent) => void) {
  /** Open connections, by device id. */
  const open = new Map<string, Set<Client>>();
  /** Device id, by connection. */
  const deviceOf = new WeakMap<Client, string>();
  return {
    began(client: Client, device: string): void {
      const clients = open.get(device) ?? new Set();
      clients.add(client);
      deviceOf.set(client, device);
      open.set(device, clients);
      if (clients.size === 1) tell(device, 'connected');
    },
    ended(client: Client, saidGoodbye: boolean): void {
      const device = deviceOf.get(client);
      const clients = device === undefined ? undefined : open.get(device);
      if (device === undefined || clients?.delete(client) !== true || clients.size > 0) return;
      open.delete(device);
      tell(device, saidGoodbye ? 'disconnected' : 'lost');
    },
    /** Ends all connections of a device. */
    end(device: string): void {
      for (const client of open.get(device) ?? []) client.conn.destroy();
    },
  };
}

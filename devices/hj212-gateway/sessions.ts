import type { SessionEvent } from '../message.ts';

/** Several connections that carry a device are one session: it begins with the first and ends with the last. */
export class Sessions {
  readonly #tell: (device: string, event: SessionEvent) => void;
  /** Connections, by device id. */
  readonly #open = new Map<string, Set<object>>();

  constructor(tell: (device: string, event: SessionEvent) => void) {
    this.#tell = tell;
  }

  get size(): number {
    return this.#open.size;
  }

  began(device: string, connection: object): void {
    const connections = this.#open.get(device);
    if (connections !== undefined) {
      connections.add(connection);
      return;
    }
    this.#open.set(device, new Set([connection]));
    this.#tell(device, 'connected');
  }

  /** `farewell`: the device closed the connection itself, in order. HJ 212 has no other farewell. */
  ended(device: string, connection: object, farewell: boolean): void {
    const connections = this.#open.get(device);
    if (connections?.delete(connection) !== true || connections.size > 0) return;
    this.#open.delete(device);
    this.#tell(device, farewell ? 'disconnected' : 'lost');
  }
}

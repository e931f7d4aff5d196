import type { RegisteredDevice } from '../../contracts/index.ts';
import { versionFor } from './answers.ts';
import type { Connection, SoundFrame } from './connection.ts';
import type { Link } from './requests.ts';
import type { Sessions } from './sessions.ts';

/**
 * Which connection carries which device: HJ 212 has no login, so it is the one on which its MN was heard last. Only MNs of
 * the registry are remembered, so that a stranger who makes up MNs costs nothing.
 */
export class Links {
  readonly #sessions: Sessions;
  /** By MN. */
  readonly #links = new Map<string, CarriedLink>();
  /** Device ids by MN, of each connection. */
  readonly #carried = new Map<Connection, Map<string, string>>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  get(mn: string): Link | undefined {
    return this.#links.get(mn);
  }

  heard(connection: Connection, { mn, head }: SoundFrame, device: RegisteredDevice): void {
    const link = this.#links.get(mn);
    if (link?.connection === connection && link.device === device) {
      // The usual case: the next frame of a device that goes on speaking here.
      link.head = head;
      link.version = versionFor(head.flag, device.hj212);
      return;
    }
    this.#links.set(mn, {
      connection,
      device,
      mn,
      head,
      version: versionFor(head.flag, device.hj212),
      crc: device.hj212?.crc ?? 'standard',
      send: (frame) => connection.send(frame),
    });
    this.#bind(connection, mn, device.id);
  }

  #bind(connection: Connection, mn: string, device: string): void {
    const devices = this.#carried.get(connection) ?? new Map<string, string>();
    if (devices.get(mn) === device) return;
    this.#carried.set(connection, devices.set(mn, device));
    this.#sessions.began(device, connection);
  }

  /** Gives the MNs that nobody carries any more. */
  closed(connection: Connection, farewell: boolean): ReadonlySet<string> {
    const devices = this.#carried.get(connection) ?? new Map<string, string>();
    this.#carried.delete(connection);
    const gone = new Set<string>();
    for (const [mn, device] of devices) {
      if (this.#links.get(mn)?.connection === connection) {
        this.#links.delete(mn);
        gone.add(mn);
      }
      this.#sessions.ended(device, connection, farewell);
    }
    return gone;
  }
}

interface CarriedLink extends Link {
  connection: Connection;
  /** The version of it that the link was made by. */
  device: RegisteredDevice;
}

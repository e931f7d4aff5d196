import type { Socket } from 'node:net';
import type { Client } from 'aedes';
import type { Settled } from '../handover.ts';
import type { DeviceMessage, Outgoing } from '../message.ts';
import type { Identity } from './access.ts';
import type { Proof } from './client-certificate.ts';
import type { Lane } from './lane.ts';
import type { PacketGate } from './packet-gate.ts';

/** What is known of a connection, from CONNECT on. */
export interface Visitor {
  who: Identity | null;
  /** Its will names a topic of somebody else. */
  foreignWill: boolean;
  /** What its TLS certificate proves; null = it has none. */
  proof: Proof | null;
  /** Beneath whatever stands on it: its TLS knows the certificate. */
  readonly socket: Socket;
  readonly gate: PacketGate;
  readonly lane: Lane;
}

/** What the broker has to hear of messages. */
export interface Host {
  stored(): void;
  unstored(error: unknown): void;
  /** Publishes what goes back to a device. */
  answer(send: readonly Outgoing[]): void;
}

/** How a message is acknowledged: by its packet id in the lane's order, or in a way of its own; 0: not at all. */
export type Acknowledgement = number | (() => void);

/**
 * A message on its way from the socket to durable storage: what is handed on, what is told of its fate, and the place of
 * its acknowledgement, all in one object, because there is one for every message.
 */
export class Arrival implements DeviceMessage, Settled {
  readonly topic: string;
  readonly payload: Buffer;
  readonly clientId: string | null;
  readonly authenticatedDevice: string | null;
  userProperties?: Record<string, string>;
  oversize?: { size: number; sha256: string };
  readonly #host: Host;
  readonly #client: Client;
  readonly #lane: Lane;
  /** Its number in the lane; below 0: none. */
  readonly #ack: number;
  readonly #acknowledge: (() => void) | null;

  /** The visitor must be known by now. */
  constructor(
    host: Host,
    client: Client,
    { who, lane }: Visitor,
    topic: string,
    payload: Buffer,
    acknowledgement: Acknowledgement,
  ) {
    this.topic = topic;
    this.payload = payload;
    this.clientId = client.id;
    this.authenticatedDevice = who === null ? null : who.device;
    this.#host = host;
    this.#client = client;
    this.#lane = lane;
    const isNumber = typeof acknowledgement === 'number';
    this.#acknowledge = isNumber ? null : acknowledgement;
    this.#ack = isNumber && acknowledgement > 0 ? lane.expectAck(acknowledgement) : -1;
    lane.enter(payload.length);
  }

  durable({ send }: { send?: Outgoing[] }): void {
    this.#host.stored();
    if (this.#ack >= 0) this.#lane.acknowledge(this.#ack);
    else this.#acknowledge?.();
    this.#lane.leave(this.payload.length);
    if (send !== undefined) this.#host.answer(send);
  }

  failed(error: unknown): void {
    this.#host.unstored(error);
    this.#lane.leave(this.payload.length);
    this.#client.conn.destroy();
  }
}

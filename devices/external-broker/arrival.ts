import type { Lane } from '../broker/lane.ts';
import type { Settled } from '../handover.ts';
import type { DeviceMessage, Outgoing } from '../message.ts';
import type { TappedPublish } from '../mqtt5/publish-tap.ts';

/** What a connection has to hear of its messages. */
export interface Host {
  stored(): void;
  unstored(error: unknown): void;
  /** Publishes what goes back to a device. */
  answer(send: readonly Outgoing[]): void;
}

/** A message on its way from the external broker to durable storage, and the place of its acknowledgement: one object. */
export class Arrival implements DeviceMessage, Settled {
  readonly topic: string;
  readonly payload: Buffer;
  readonly clientId = null;
  /** Its broker believes whoever published; we believe the topic. */
  readonly authenticatedDevice = null;
  userProperties?: Record<string, string>;
  oversize?: { size: number; sha256: string };
  readonly #host: Host;
  readonly #lane: Lane;
  /** Its number in the lane; below 0: none. */
  readonly #place: number;

  constructor(host: Host, lane: Lane, publish: TappedPublish) {
    const { topic, payload, userProperties, oversize, messageId } = publish;
    this.topic = topic;
    this.payload = payload;
    if (userProperties !== null) this.userProperties = userProperties;
    if (oversize !== null) this.oversize = oversize;
    this.#host = host;
    this.#lane = lane;
    this.#place = messageId === 0 ? -1 : lane.expectAck(messageId);
    lane.enter(payload.length);
  }

  durable({ send }: { send?: Outgoing[] }): void {
    if (this.#place >= 0) this.#lane.acknowledge(this.#place);
    this.#lane.leave(this.payload.length);
    this.#host.stored();
    if (send !== undefined) this.#host.answer(send);
  }

  failed(error: unknown): void {
    this.#lane.leave(this.payload.length);
    this.#host.unstored(error);
  }
}

import type {
  IConnackPacket,
  IConnectPacket,
  IDisconnectPacket,
  ISubackPacket,
  ISubscribePacket,
  IUnsubackPacket,
  IUnsubscribePacket,
  Packet,
} from 'mqtt-packet';

/**
 * Control packets of MQTT 5 as those of 3.1.1, and the answers back, so that a library that speaks 3.1.1 may serve both.
 * What 3.1.1 has no word for is declined where MQTT 5 has the server say so: sessions end with the connection, QoS is at
 * most 1, no shared subscriptions, no subscription identifiers, no topic aliases, no enhanced authentication.
 */

/** What becomes of a packet that came in: one of 3.1.1; the will is due; or the connection ends for that reason. */
export type Inbound = { old: Packet } | { end: 'with-will' } | { refuse: Packet } | { fault: string };

/** Reason codes of CONNACK (MQTT 5, clause 3.2.2.2) for the return codes of 3.1.1. */
const CONNACK_REASONS: Readonly<Record<number, number>> = {
  0: 0,
  1: 0x84,
  2: 0x85,
  3: 0x88,
  4: 0x86,
  5: 0x87,
};
const UNSPECIFIED = 0x80;
const NOT_AUTHORIZED = 0x87;
const BAD_AUTHENTICATION_METHOD = 0x8c;
const DISCONNECT_WITH_WILL = 0x04;

export class Translator {
  readonly #newClientId: () => string;
  /** Given by us, because the client named none; told with the CONNACK. */
  #assigned: string | null = null;
  /** Filters of an UNSUBSCRIBE, by packet id: its answer needs a code for each. */
  readonly #unsubscribing = new Map<number, number>();

  constructor(newClientId: () => string) {
    this.#newClientId = newClientId;
  }

  inbound(packet: Packet): Inbound {
    switch (packet.cmd) {
      case 'connect':
        return this.#connect(packet);
      case 'subscribe':
        return { old: subscribe(packet) };
      case 'unsubscribe':
        return { old: this.#unsubscribe(packet) };
      case 'puback':
      case 'pingreq':
        return { old: { cmd: packet.cmd, messageId: packet.messageId } as Packet };
      case 'disconnect':
        return farewell(packet);
      case 'publish':
        return { fault: 'a PUBLISH of QoS 2, although at most 1 is allowed' };
      default:
        return { fault: `${packet.cmd.toUpperCase()}, which has no place here` };
    }
  }

  outbound(packet: Packet): Packet {
    switch (packet.cmd) {
      case 'connack':
        return this.#connack(packet);
      case 'suback':
        return suback(packet);
      case 'unsuback':
        return this.#unsuback(packet);
      default:
        return packet;
    }
  }

  #connect(packet: IConnectPacket): Inbound {
    const { clientId, keepalive, username, password, will, properties } = packet;
    if (properties?.authenticationMethod !== undefined) {
      return { refuse: { cmd: 'connack', sessionPresent: false, reasonCode: BAD_AUTHENTICATION_METHOD } };
    }
    if (clientId === '') this.#assigned = this.#newClientId();
    const old: IConnectPacket = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      // Sessions end with the connection, which the CONNACK says.
      clean: true,
      clientId: this.#assigned ?? clientId,
      keepalive: keepalive ?? 0,
    };
    if (username !== undefined) old.username = username;
    if (password !== undefined && password !== null) old.password = password;
    if (will !== undefined) {
      const { topic, payload, qos, retain } = will;
      old.will = { topic, payload, qos: qos === 0 ? 0 : 1, retain: retain ?? false };
    }
    return { old };
  }

  #connack({ returnCode = 0 }: IConnackPacket): Packet {
    const reasonCode = CONNACK_REASONS[returnCode] ?? UNSPECIFIED;
    if (reasonCode !== 0) return { cmd: 'connack', sessionPresent: false, reasonCode };
    const properties = {
      sessionExpiryInterval: 0,
      maximumQoS: 1,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
      ...(this.#assigned === null ? {} : { assignedClientIdentifier: this.#assigned }),
    };
    return { cmd: 'connack', sessionPresent: false, reasonCode, properties };
  }

  #unsubscribe({ messageId = 0, unsubscriptions }: IUnsubscribePacket): Packet {
    this.#unsubscribing.set(messageId, unsubscriptions.length);
    return { cmd: 'unsubscribe', messageId, unsubscriptions };
  }

  #unsuback({ messageId = 0 }: IUnsubackPacket): Packet {
    const filters = this.#unsubscribing.get(messageId) ?? 1;
    this.#unsubscribing.delete(messageId);
    return { cmd: 'unsuback', messageId, granted: new Array<number>(filters).fill(0) };
  }
}

function subscribe({ messageId = 0, subscriptions }: ISubscribePacket): Packet {
  return {
    cmd: 'subscribe',
    messageId,
    subscriptions: subscriptions.map(({ topic, qos }) => ({ topic, qos: qos === 0 ? 0 : 1 })),
  };
}

function suback({ messageId = 0, granted }: ISubackPacket): Packet {
  const codes = (granted as number[]).map((code) => (code === UNSPECIFIED ? NOT_AUTHORIZED : code));
  return { cmd: 'suback', messageId, granted: codes };
}

function farewell({ reasonCode }: IDisconnectPacket): Inbound {
  return reasonCode === DISCONNECT_WITH_WILL ? { end: 'with-will' } : { old: { cmd: 'disconnect' } };
}

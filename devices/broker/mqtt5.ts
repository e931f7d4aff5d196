import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'aedes';
import type { BrokerConfig } from '../config.ts';
import type { HandOn } from '../handover.ts';
import { Mqtt5Socket, type TappedPublish } from '../mqtt5/index.ts';
import { stillAlive } from './aedes.ts';
import { Arrival, type Host, type Visitor } from './arrival.ts';
import { CONTROL_BYTES, isTopicName } from './packet-gate.ts';

/** A connection that the library has in its hands. */
export interface Guest {
  client: Client;
  visitor: Visitor;
}

interface Mqtt5Deps {
  config: BrokerConfig;
  host: Host;
  handOn: HandOn;
  enter(connection: Duplex, socket: Socket): Guest;
  fault(guest: Guest, fault: string): void;
}

/**
 * A client that speaks MQTT 5: to the library it speaks 3.1.1 (../mqtt5/socket.ts); what it publishes comes here, with its
 * user properties, and goes the same way as all else: lane, accept, durable, PUBACK.
 */
export function welcomeMqtt5(socket: Socket, { config, host, handOn, enter, fault }: Mqtt5Deps): void {
  let held = false;
  const connection = new Mqtt5Socket(socket, {
    maxBytes: config.maxBufferedBytes,
    controlBytes: CONTROL_BYTES,
    newClientId: () => `auto-${randomUUID()}`,
    publish: (publish) => take(publish),
    fault: (what) => fault(guest, what),
  });
  const guest = enter(connection, socket);
  const { client, visitor } = guest;

  function take({ topic, payload, messageId, userProperties, oversize }: TappedPublish): void {
    if (!isTopicName(topic)) {
      fault(guest, 'a topic that none may publish to');
      connection.destroy();
      return;
    }
    stillAlive(client);
    const arrival = new Arrival(host, client, visitor, topic, payload, messageId);
    if (userProperties !== null) arrival.userProperties = userProperties;
    if (oversize !== null) arrival.oversize = oversize;
    handOn(arrival, arrival);
    if (!visitor.lane.full || held) return;
    held = true;
    connection.hold();
    visitor.lane.whenRoom(() => {
      held = false;
      connection.release();
    });
  }
}

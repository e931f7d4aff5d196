import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client, PublishPacket, Subscription } from 'aedes';
import type { Registry as Metrics } from 'prom-client';
import type { Log } from '../../backbone/index.ts';
import type { BrokerConfig } from '../config.ts';
import type { HandOn } from '../handover.ts';
import type { Outgoing, SessionEvent } from '../message.ts';
import { protocolLevel } from '../mqtt5/index.ts';
import type { Registry } from '../registry/registry.ts';
import { commandTopic } from '../topics.ts';
import { CONNACK, identify, mayLeaveWill, maySubscribe } from './access.ts';
import { FrontDoor, stillAlive } from './aedes.ts';
import { Arrival, type Host, type Visitor } from './arrival.ts';
import { proofOf, provenDevice } from './client-certificate.ts';
import { lane } from './lane.ts';
import { listen } from './listen.ts';
import { brokerMeters, outageLog } from './meters.ts';
import { type Guest, welcomeMqtt5 } from './mqtt5.ts';
import { type OversizePublish, packetGate } from './packet-gate.ts';
import { readThrough } from './read-through.ts';
import { sessionCounter } from './sessions.ts';

/**
 * The embedded broker: MQTT 3.1.1, and MQTT 5 translated (mqtt5.ts).
 *
 *   socket ─▶ packet gate ─┬─ PUBLISH of QoS 0, 1 ────────────────────────────────┬─▶ accept ─▶ durable ─▶ PUBACK, in
 *             (bounds memory) └─ all else ─▶ aedes ─ QoS 2, wills ─▶ authorizePublish ┘    (the lane bounds      order
 *                                                                                      what is under way)
 *
 * Promises: QoS 1 is acknowledged, and QoS 2 received (PUBREC), only after the message is durable; when it cannot be
 * stored nothing is acknowledged and the connection ends, so that the client sends again later. A device
 * publishes and subscribes only below its own id. One client's flood, or 50 MB message, holds up that client only.
 * Does not: route between devices, keep retained messages, speak WebSocket, keep sessions over a restart.
 */
export interface Broker {
  readonly port: number;
  connections(): number;
  /** To `v1/devices/<id>/commands/<name>`, for whoever is subscribed. */
  sendCommand(device: string, name: string, payload: Buffer): Promise<void>;
  stop(): Promise<void>;
}

export interface BrokerDeps {
  registry: Pick<Registry, 'get' | 'find' | 'signIn' | 'onCredentialChange' | 'certificateSignIn'>;
  /** Takes a message, and tells when it is durable, wherever it went (store or quarantine), or that it is not. */
  handOn: HandOn;
  /** Sessions of devices that proved who they are. Failures are the receiver's to report. */
  session(device: string, event: SessionEvent): void;
  log: Log;
  metrics: Metrics;
}

const EMPTY = Buffer.alloc(0);
/** So long a client may take for its CONNECT. */
const CONNECT_MS = 10_000;
const NOBODY = { proof: null, foreignWill: false };

export async function startBroker(config: BrokerConfig, deps: BrokerDeps): Promise<Broker> {
  const { registry, log } = deps;
  const meters = brokerMeters(deps.metrics, () => door.connectedClients);
  const outage = outageLog(log);
  /** By the socket, which both aedes' client and the gate know. */
  const visitors = new WeakMap<object, Visitor>();
  const sessions = sessionCounter(deps.session);
  let stopping = false;

  const visitorOf = (client: Client): Visitor | undefined => visitors.get(client.conn);

  const host: Host = {
    stored: outage.over,
    unstored(error) {
      outage.begun(error);
      meters.unstored.inc();
    },
    answer(send) {
      for (const one of send) {
        publish(one).catch((error: unknown) =>
          log.warn({ err: error, topic: one.topic }, 'an answer did not leave'),
        );
      }
    },
  };

  function publish({ topic, payload }: Outgoing): Promise<void> {
    const packet: PublishPacket = { cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false };
    return new Promise((resolve, reject) => {
      door.publish(packet, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** What goes through aedes: QoS 2, wills, and what came before the client was let in. */
  function onPublish(
    client: Client | null,
    packet: PublishPacket,
    proceed: (error?: Error | null) => void,
  ): void {
    const visitor = client === null ? undefined : visitorOf(client);
    if (client === null || visitor === undefined || visitor.who === null) {
      proceed(new Error('a message of nobody'));
      return;
    }
    const { qos, topic, messageId = 0 } = packet;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    packet.retain = false;
    if (qos === 2) {
      // aedes keeps the packet until PUBREL, to know it again; its id is enough for that.
      packet.payload = EMPTY;
      const arrival = new Arrival(host, client, visitor, topic, payload, () => proceed());
      deps.handOn(arrival, arrival);
      return;
    }
    // To aedes it is a QoS 0 message from here on: the PUBACK is the lane's, so that reading need not wait for storage.
    packet.qos = 0;
    proceed();
    const arrival = new Arrival(host, client, visitor, topic, payload, qos === 1 ? messageId : 0);
    deps.handOn(arrival, arrival);
  }

  /** A publish that was too long to be held; what is left of it goes the same way. */
  function onOversize(client: Client, visitor: Visitor, publish: OversizePublish): void {
    meters.oversize.inc();
    if (visitor.who === null) {
      client.conn.destroy();
      return;
    }
    const { topic, head, size, sha256, qos, messageId } = publish;
    const id = messageId ?? 0;
    const reply = qos === 2 ? () => client.conn.write(pubrec(id)) : id;
    const arrival = new Arrival(host, client, visitor, topic, head, reply);
    arrival.oversize = { size, sha256 };
    deps.handOn(arrival, arrival);
  }

  const door = new FrontDoor({
    connectTimeout: CONNECT_MS,
    maxClientsIdLength: 65_535,
    preConnect(client, packet, done) {
      const visitor = visitorOf(client);
      // Looked up now and not when the connection began: it may have been revoked since.
      if (visitor !== undefined) visitor.proof = proofOf(visitor.socket, registry);
      const user = provenDevice(visitor?.proof ?? null) ?? packet.username;
      if (visitor !== undefined && packet.will !== undefined) {
        visitor.foreignWill = !mayLeaveWill(user, packet.will.topic, registry);
      }
      // Client ids are free, but each user has its own: else a device could push another off the broker by its id.
      if (packet.clientId !== '') packet.clientId = `${user ?? 'anonymous'}/${packet.clientId}`;
      done(null, true);
    },
    authenticate(client, username, password, done) {
      const visitor = visitorOf(client);
      identify(username, password, registry, config, visitor ?? NOBODY).then(
        (answer) => {
          if (typeof answer !== 'string' && visitor !== undefined) {
            visitor.who = answer;
            done(null, true);
            return;
          }
          const reason = typeof answer === 'string' ? answer : 'busy';
          meters.refused.inc({ reason });
          log.info({ client: client.id, device: username ?? null, reason }, 'MQTT client refused');
          done(Object.assign(new Error(reason), { returnCode: CONNACK[reason] }), false);
        },
        (error: unknown) => {
          log.error({ err: error, client: client.id }, 'signing in failed');
          done(Object.assign(new Error('busy'), { returnCode: CONNACK.busy }), false);
        },
      );
    },
    authorizePublish: onPublish,
    authorizeSubscribe(client, subscription: Subscription, done) {
      const who = visitorOf(client)?.who ?? null;
      const allowed = who !== null && maySubscribe(who, subscription.topic, registry);
      if (!allowed) log.info({ client: client.id, filter: subscription.topic }, 'MQTT subscription refused');
      done(null, allowed ? subscription : null);
    },
  });
  await door.listen();

  door.on('client', (client) => {
    const device = visitorOf(client)?.who?.device;
    if (device != null) sessions.began(client, device);
  });
  door.on('clientReady', (client) => visitorOf(client)?.gate.takePublishes());
  door.on('clientDisconnect', (client) => {
    const visitor = visitorOf(client);
    visitor?.lane.close();
    if (!stopping) sessions.ended(client, visitor?.gate.saidGoodbye === true);
  });
  door.on('clientError', (client, error) =>
    log.debug({ err: error, client: client.id }, 'MQTT client error'),
  );
  door.on('connectionError', (_client, error) => log.debug({ err: error }, 'MQTT connection error'));

  /** A connection of MQTT 3.1.1, or one that is made to look like it. */
  function enter(connection: Duplex, socket: Socket): Guest {
    const limits = { bufferBytes: config.maxBufferedBytes, packetBytes: config.maxPacketBytes };
    const visitor: Visitor = {
      who: null,
      foreignWill: false,
      proof: null,
      socket,
      lane: lane(connection, { messages: config.maxInFlight, bytes: config.maxInFlightBytes }),
      gate: packetGate(limits, {
        publish(topic, payload, messageId) {
          const arrival = new Arrival(host, client, visitor, topic, payload, messageId);
          deps.handOn(arrival, arrival);
        },
        oversize: (publish) => onOversize(client, visitor, publish),
        refuse(reason, bytes) {
          meters.cutOff.inc({ reason });
          log.warn({ client: client.id, reason, bytes }, 'MQTT connection ended');
          connection.destroy();
        },
      }),
    };
    visitors.set(connection, visitor);
    readThrough(connection, visitor.gate, visitor.lane, () => stillAlive(client));
    const client = door.handle(connection);
    return { client, visitor };
  }

  function welcome(socket: Socket): void {
    // Before the library has the connection nobody else listens, and an unheard error would end the process.
    socket.on('error', () => undefined);
    const patience = setTimeout(() => socket.destroy(), CONNECT_MS);
    socket.once('close', () => clearTimeout(patience));
    protocolLevel(socket, (level) => {
      clearTimeout(patience);
      if (socket.destroyed) return;
      if (level !== 5) enter(socket, socket);
      else {
        welcomeMqtt5(socket, { config, host, handOn: deps.handOn, enter, fault: mqtt5Fault });
      }
    });
  }

  function mqtt5Fault({ client }: Guest, fault: string): void {
    meters.cutOff.inc({ reason: 'malformed' });
    log.warn({ client: client.id, fault }, 'MQTT 5 connection ended');
  }

  const forget = registry.onCredentialChange((device) => sessions.end(device));
  const closeDoor = () => new Promise<void>((resolve) => door.close(resolve));
  const server = await listen(config, welcome).catch(async (error: unknown) => {
    // aedes has begun its heartbeat: left alone, it would keep the process from ending.
    forget();
    await closeDoor();
    throw error;
  });
  // A client that does not trust our certificate, or speaks no TLS at all.
  server.on('tlsClientError', (error) => {
    meters.refused.inc({ reason: 'tls-handshake' });
    log.debug({ err: error }, 'TLS handshake failed');
  });
  server.on('drop', () => meters.cutOff.inc({ reason: 'too-many-connections' }));
  const { port } = server.address() as AddressInfo;
  log.info({ host: config.host, port, tls: config.tls !== null }, 'MQTT broker listens');

  return {
    port,
    connections: () => door.connectedClients,
    sendCommand: (device, name, payload) => publish({ topic: commandTopic(device, name), payload }),
    async stop() {
      stopping = true;
      forget();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await closeDoor();
      await closed;
    },
  };
}

/** Clause 3.5. aedes answers the PUBREL of an id that it does not know with PUBCOMP by itself. */
function pubrec(messageId: number): Buffer {
  return Buffer.from([0x50, 2, messageId >> 8, messageId & 0xff]);
}

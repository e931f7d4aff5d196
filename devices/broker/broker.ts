import type { AddressInfo, Socket } from 'node:net';
import type { Client, PublishPacket, Subscription } from 'aedes';
import { Counter, Gauge, type Registry as Metrics } from 'prom-client';
import type { Log } from '../../backbone/index.ts';
import type { BrokerConfig } from '../config.ts';
import type { DeviceMessage, SessionEvent } from '../message.ts';
import type { Registry } from '../registry/registry.ts';
import { commandTopic } from '../topics.ts';
import { CONNACK, type Identity, identify, mayLeaveWill, maySubscribe } from './access.ts';
import { FrontDoor } from './aedes.ts';
import { type Lane, lane } from './lane.ts';
import { listen } from './listen.ts';
import { type OversizePublish, type PacketGate, packetGate } from './packet-gate.ts';

/**
 * The embedded MQTT 3.1.1 broker.
 *
 *   socket ─▶ packet gate ─▶ aedes' parser ─▶ authorizePublish ─▶ accept() ─▶ durable ─▶ PUBACK
 *             (bounds memory)                 (the lane bounds what is under way)
 *
 * Promises: QoS 1 is acknowledged, and QoS 2 received (PUBREC), only after `accept` has resolved; when it rejects,
 * the store is away: nothing is acknowledged and the connection ends, so that the client sends again later. A device
 * publishes and subscribes only below its own id. One client's flood, or 50 MB message, holds up that client only.
 * Does not: route between devices, keep retained messages, speak MQTT 5 or WebSocket, keep sessions over a restart.
 */
export interface Broker {
  readonly port: number;
  connections(): number;
  /** To `v1/devices/<id>/commands/<name>`, for whoever is subscribed. */
  sendCommand(device: string, name: string, payload: Buffer): Promise<void>;
  stop(): Promise<void>;
}

export interface BrokerDeps {
  registry: Pick<Registry, 'get' | 'signIn' | 'onCredentialChange'>;
  /** Resolves when the message is durable, wherever it went (store or quarantine); rejects when it is not. */
  accept(message: DeviceMessage): Promise<unknown>;
  /** Sessions of devices that proved who they are. Failures are the receiver's to report. */
  session(device: string, event: SessionEvent): void;
  log: Log;
  metrics: Metrics;
}

/** What is known of a connection, from CONNECT on. */
interface Visitor {
  who: Identity | null;
  /** Its will names a topic of somebody else. */
  foreignWill: boolean;
  readonly gate: PacketGate;
  readonly lane: Lane;
}

const EMPTY = Buffer.alloc(0);

export async function startBroker(config: BrokerConfig, deps: BrokerDeps): Promise<Broker> {
  const { registry, log } = deps;
  const meters = brokerMeters(deps.metrics, () => door.connectedClients);
  const outage = outageLog(log);
  /** By the socket, which both aedes' client and the gate know. */
  const visitors = new WeakMap<object, Visitor>();
  const sessions = sessionCounter(deps.session);
  let stopping = false;

  const visitorOf = (client: Client): Visitor | undefined => visitors.get(client.conn);

  /** Hands a message on; `durable` is called once it may be acknowledged. */
  function handOn(client: Client, visitor: Visitor, message: DeviceMessage, durable: () => void): void {
    deps.accept(message).then(
      () => {
        outage.over();
        durable();
        visitor.lane.leave(message.payload.length);
      },
      (error: unknown) => {
        outage.begun(error);
        meters.unstored.inc();
        visitor.lane.leave(message.payload.length);
        client.conn.destroy();
      },
    );
  }

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
    const { qos, messageId } = packet;
    const message: DeviceMessage = {
      topic: packet.topic,
      payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
      clientId: client.id,
      authenticatedDevice: visitor.who.device,
    };
    packet.retain = false;
    if (qos === 2) {
      // aedes keeps the packet until PUBREL, to know it again; its id is enough for that.
      packet.payload = EMPTY;
      visitor.lane.enter(message.payload.length, () => undefined);
      handOn(client, visitor, message, () => proceed());
      return;
    }
    // To aedes it is a QoS 0 message from here on: the PUBACK is the lane's, so that reading need not wait for storage.
    packet.qos = 0;
    visitor.lane.enter(message.payload.length, () => proceed());
    const acknowledge =
      qos === 1 && messageId !== undefined ? visitor.lane.expectAck(messageId) : () => undefined;
    handOn(client, visitor, message, acknowledge);
  }

  /** A publish that was too long to be parsed; what is left of it goes the same way. */
  function onOversize(client: Client, visitor: Visitor, publish: OversizePublish): void {
    meters.oversize.inc();
    if (visitor.who === null) {
      client.conn.destroy();
      return;
    }
    const { topic, head, size, sha256, qos, messageId } = publish;
    const message: DeviceMessage = {
      topic,
      payload: head,
      clientId: client.id,
      authenticatedDevice: visitor.who.device,
      oversize: { size, sha256 },
    };
    visitor.lane.enter(head.length, () => undefined);
    const acknowledge = messageId === null ? () => undefined : expectReply(client, visitor, qos, messageId);
    handOn(client, visitor, message, acknowledge);
  }

  const door = new FrontDoor({
    connectTimeout: 10_000,
    maxClientsIdLength: 65_535,
    preConnect(client, packet, done) {
      const visitor = visitorOf(client);
      if (visitor !== undefined && packet.will !== undefined) {
        visitor.foreignWill = !mayLeaveWill(packet.username, packet.will.topic);
      }
      // Client ids are free, but each user has its own: else a device could push another off the broker by its id.
      if (packet.clientId !== '') packet.clientId = `${packet.username ?? 'anonymous'}/${packet.clientId}`;
      done(null, true);
    },
    authenticate(client, username, password, done) {
      const visitor = visitorOf(client);
      identify(username, password, registry, config.allowAnonymous, visitor?.foreignWill === true).then(
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
  door.on('clientDisconnect', (client) => {
    const visitor = visitorOf(client);
    visitor?.lane.close();
    if (!stopping) sessions.ended(client, visitor?.gate.saidGoodbye === true);
  });
  door.on('clientError', (client, error) =>
    log.debug({ err: error, client: client.id }, 'MQTT client error'),
  );
  door.on('connectionError', (_client, error) => log.debug({ err: error }, 'MQTT connection error'));

  function welcome(socket: Socket): void {
    const limits = { bufferBytes: config.maxBufferedBytes, packetBytes: config.maxPacketBytes };
    const visitor: Visitor = {
      who: null,
      foreignWill: false,
      lane: lane(socket, { messages: config.maxInFlight, bytes: config.maxInFlightBytes }),
      gate: packetGate(limits, {
        oversize: (publish) => onOversize(client, visitor, publish),
        refuse(reason, bytes) {
          meters.cutOff.inc({ reason });
          log.warn({ client: client.id, reason, bytes }, 'MQTT connection ended');
          socket.destroy();
        },
      }),
    };
    visitors.set(socket, visitor);
    readThrough(socket, visitor.gate);
    const client = door.handle(socket);
  }

  const forget = registry.onCredentialChange((device) => sessions.end(device));
  const closeDoor = () => new Promise<void>((resolve) => door.close(resolve));
  const server = await listen(config, welcome).catch(async (error: unknown) => {
    // aedes has begun its heartbeat: left alone, it would keep the process from ending.
    forget();
    await closeDoor();
    throw error;
  });
  server.on('drop', () => meters.cutOff.inc({ reason: 'too-many-connections' }));
  const { port } = server.address() as AddressInfo;
  log.info({ host: config.host, port, tls: config.tls !== null }, 'MQTT broker listens');

  return {
    port,
    connections: () => door.connectedClients,
    sendCommand: (device, name, payload) =>
      new Promise((resolve, reject) => {
        const topic = commandTopic(device, name);
        const packet: PublishPacket = { cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false };
        door.publish(packet, (error) => (error ? reject(error) : resolve()));
      }),
    async stop() {
      stopping = true;
      forget();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await closeDoor();
      await closed;
    },
  };
}

/**
 * aedes takes bytes with one `read()` a turn: what it gets is what the gate lets through of all that is there. It has to be
 * all: from Node 26 on `read()` gives one chunk, and no `readable` comes for those behind it.
 */
function readThrough(socket: Socket, gate: PacketGate): void {
  const read = socket.read.bind(socket);
  socket.read = (size?: number) => {
    const passed: Buffer[] = [];
    for (let chunk: Buffer | null = read(size); chunk !== null; chunk = read(size)) {
      const part = gate.pass(chunk);
      if (part !== null) passed.push(part);
    }
    return passed.length > 1 ? Buffer.concat(passed) : (passed[0] ?? null);
  };
}

/** QoS 1 is answered in its turn, QoS 2 with PUBREC; aedes answers the PUBREL of an unknown id with PUBCOMP by itself. */
function expectReply(client: Client, visitor: Visitor, qos: number, messageId: number): () => void {
  if (qos === 1) return visitor.lane.expectAck(messageId);
  const pubrec = Buffer.from([0x50, 2, messageId >> 8, messageId & 0xff]);
  return () => {
    client.conn.write(pubrec);
  };
}

/** Several connections of one device are one session: it begins with the first and ends with the last. */
function sessionCounter(tell: (device: string, event: SessionEvent) => void) {
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

/** One line when storage goes, one when it is back. */
function outageLog(log: Log) {
  let out = false;
  return {
    begun(error: unknown): void {
      if (!out) log.error({ err: error }, 'messages cannot be stored: nothing is acknowledged');
      out = true;
    },
    over(): void {
      if (out) log.info('messages are stored again');
      out = false;
    },
  };
}

function brokerMeters(metrics: Metrics, connections: () => number) {
  const registers = [metrics];
  new Gauge({
    name: 'qianliyan_mqtt_connections',
    help: 'MQTT clients connected now',
    registers,
    collect() {
      this.set(connections());
    },
  });
  return {
    refused: new Counter({
      name: 'qianliyan_mqtt_refused_total',
      help: 'MQTT clients that were not let in, by reason',
      labelNames: ['reason'],
      registers,
    }),
    cutOff: new Counter({
      name: 'qianliyan_mqtt_cut_off_total',
      help: 'MQTT connections that the broker ended, by reason',
      labelNames: ['reason'],
      registers,
    }),
    oversize: new Counter({
      name: 'qianliyan_mqtt_oversize_total',
      help: 'Messages that were too long to be held in memory',
      registers,
    }),
    unstored: new Counter({
      name: 'qianliyan_mqtt_unstored_total',
      help: 'Messages that could not be stored and were not acknowledged',
      registers,
    }),
  };
}

import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { MqttClient } from 'mqtt';
import { Counter, Gauge, type Registry as Metrics } from 'prom-client';
import type { Log } from '../../backbone/index.ts';
import { QianliyanError } from '../../contracts/index.ts';
import { type Lane, lane } from '../broker/lane.ts';
import type { DeviceMessage, Outgoing } from '../message.ts';
import type { ExternalBrokerConfig } from './config.ts';
import { PublishTap, type TappedPublish } from './publish-tap.ts';
import { TappedSocket } from './tapped-socket.ts';

/**
 * Reads an external broker as its client: MQTT 5, persistent session, shared subscription, QoS 1.
 *
 * Promises: a message is acknowledged only after `accept` has resolved; up to `maxInFlight` are under way at a time, and
 * their acknowledgements leave in the order in which they came (clause 4.6). When `accept` rejects, the store is away:
 * nothing is acknowledged, the connection ends and is made again later, and the broker sends again. Who may publish what
 * is the broker's to decide: its topics are believed.
 */
export interface ExternalBroker {
  /** Connected and subscribed, of how many. */
  connected(): { now: number; of: number };
  health(): { ok: boolean; problems: string[] };
  /** Resolves when every connection is subscribed. */
  ready(): Promise<void>;
  /** Takes nothing more, waits for what is under way, and leaves; the broker keeps the session. */
  stop(): Promise<void>;
}

export interface ExternalBrokerDeps {
  /** Resolves when the message is durable, wherever it went; rejects when it is not. */
  accept(message: DeviceMessage): Promise<{ send?: Outgoing[] }>;
  /** Stands in the client id where the configuration names none; the same at every start. */
  instanceId: string;
  log: Log;
  metrics: Metrics;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

export function startExternalBroker(config: ExternalBrokerConfig, deps: ExternalBrokerDeps): ExternalBroker {
  const access = readAccess(config);
  const meters = sourceMeters(deps.metrics, config.url);
  const connections = Array.from({ length: config.connections }, (_, index) =>
    connection(config, { ...deps, ...access, meters, index }),
  );
  const connected = () => ({
    now: connections.filter((one) => one.subscribed()).length,
    of: connections.length,
  });
  return {
    connected,
    health() {
      const { now, of } = connected();
      const problems = now === of ? [] : [`${config.url}: ${now} of ${of} connections`];
      return { ok: now === of, problems };
    },
    ready: async () => void (await Promise.all(connections.map((one) => one.ready))),
    stop: async () => void (await Promise.all(connections.map((one) => one.stop()))),
  };
}

interface Access {
  password: string | undefined;
  tls: ConnectionOptions;
}

type ConnectionDeps = ExternalBrokerDeps & Access & { meters: Meters; index: number };

/** One connection with its session; made again for ever, with a pause that grows. */
function connection(config: ExternalBrokerConfig, deps: ConnectionDeps) {
  const { log, meters } = deps;
  let subscribed = false;
  let stopping = false;
  let underWay = 0;
  let outage = false;
  let current: { socket: TappedSocket; way: Lane } | null = null;
  let isReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });

  function open(): TappedSocket {
    const tap = new PublishTap(config.maxBufferedBytes, {
      publish: (publish) => take(publish, socket, way),
      fault(message) {
        log.error({ broker: config.url, fault: message }, 'the external broker broke the protocol');
        socket.destroy();
      },
    });
    const socket = new TappedSocket(connect(config, deps.tls), tap);
    const way = lane(socket, { messages: config.maxInFlight, bytes: config.maxInFlightBytes });
    current = { socket, way };
    return socket;
  }

  function take(publish: TappedPublish, socket: TappedSocket, way: Lane): void {
    const { topic, payload, qos, messageId, userProperties, oversize } = publish;
    meters.messages.inc();
    const message: DeviceMessage = {
      topic,
      payload,
      clientId: null,
      authenticatedDevice: null,
      ...(userProperties === null ? {} : { userProperties }),
      ...(oversize === null ? {} : { oversize }),
    };
    way.enter(payload.length);
    if (way.full && !socket.held) {
      socket.hold();
      way.whenRoom(() => {
        if (!stopping) socket.release();
      });
    }
    const place = qos === 1 ? way.expectAck(messageId) : -1;
    underWay += 1;
    deps.accept(message).then(
      ({ send }) => {
        if (place >= 0) way.acknowledge(place);
        settled(payload.length, way);
        if (outage) log.info({ broker: config.url }, 'messages of the external broker are stored again');
        outage = false;
        for (const { topic: to, payload: what } of send ?? []) client.publish(to, what, { qos: 1 });
      },
      (error: unknown) => {
        settled(payload.length, way);
        if (!outage)
          log.error({ err: error, broker: config.url }, 'messages cannot be stored: none is acknowledged');
        outage = true;
        meters.unstored.inc();
        socket.destroy();
      },
    );
  }

  function settled(bytes: number, way: Lane): void {
    underWay -= 1;
    way.leave(bytes);
  }

  const client = new MqttClient(open, {
    protocolVersion: 5,
    protocolId: 'MQTT',
    clean: false,
    clientId: `${config.clientId ?? `qianliyan-${deps.instanceId}`}${deps.index === 0 ? '' : `-${deps.index}`}`,
    keepalive: config.keepAliveS,
    ...(config.username === null ? {} : { username: config.username }),
    ...(deps.password === undefined ? {} : { password: deps.password }),
    reconnectPeriod: FIRST_RETRY_MS,
    reconnectOnConnackError: true,
    resubscribe: false,
    properties: { sessionExpiryInterval: config.sessionExpiryS, receiveMaximum: config.maxInFlight },
  });

  const filters = config.filters.map((filter) =>
    config.shareName === null ? filter : `$share/${config.shareName}/${filter}`,
  );

  client.on('connect', ({ sessionPresent }) => {
    client.subscribe(filters, { qos: 1, rh: 1 }, (error, grants) => {
      const refused = (grants ?? []).filter(({ qos }) => qos > 2).map(({ topic }) => topic);
      if (error != null || refused.length > 0) {
        log.error(
          { err: error, broker: config.url, refused },
          'the external broker refuses the subscription',
        );
        current?.socket.destroy();
        return;
      }
      subscribed = true;
      meters.connected.inc();
      client.options.reconnectPeriod = FIRST_RETRY_MS;
      log.info({ broker: config.url, filters, sessionPresent }, 'reading an external broker');
      isReady();
    });
  });
  client.on('close', () => {
    current?.way.close();
    if (subscribed) meters.connected.dec();
    if (subscribed && !stopping) log.warn({ broker: config.url }, 'the external broker is away');
    subscribed = false;
    const period = client.options.reconnectPeriod ?? FIRST_RETRY_MS;
    client.options.reconnectPeriod = Math.min(LAST_RETRY_MS, period * 2);
  });
  let lastError = '';
  client.on('error', (error) => {
    // Once an outage, not once a try.
    if (error.message !== lastError) log.warn({ err: error, broker: config.url }, 'the external broker');
    lastError = error.message;
  });

  return {
    ready,
    subscribed: () => subscribed,
    async stop() {
      stopping = true;
      current?.socket.hold();
      const begun = performance.now();
      while (underWay > 0 && performance.now() - begun < DRAIN_MS) await pause();
      // One turn for the last acknowledgements to leave.
      await pause();
      await client.endAsync(!client.connected);
    },
  };
}

const DRAIN_MS = 5_000;
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 10));

function connect({ url }: ExternalBrokerConfig, tls: ConnectionOptions): Socket {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'mqtts:')
    return connectTls({ host, port: Number(port || 8_883), servername: host, ...tls });
  return connectTcp({ host, port: Number(port || 1_883), noDelay: true });
}

/** @throws QianliyanError CONFIG_INVALID naming every file that cannot be read */
function readAccess(config: ExternalBrokerConfig): Access {
  const problems: { path: string; found: string; allowed: string }[] = [];
  const read = (field: 'passwordFile' | 'caFile' | 'certFile' | 'keyFile'): string | undefined => {
    const file = config[field];
    if (file === null) return undefined;
    try {
      return readFileSync(file, 'utf8');
    } catch {
      problems.push({ path: `externalBrokers.${field}`, found: file, allowed: 'a file that can be read' });
      return undefined;
    }
  };
  const password = read('passwordFile')?.trimEnd();
  const [ca, cert, key] = [read('caFile'), read('certFile'), read('keyFile')];
  if (problems.length > 0) throw new QianliyanError('CONFIG_INVALID', 'a file is missing', { problems });
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return { password, tls };
}

type Meters = ReturnType<typeof sourceMeters>;

function sourceMeters(metrics: Metrics, broker: string) {
  const metric = <T extends typeof Counter | typeof Gauge>(name: string, Kind: T, help: string) => {
    const known = metrics.getSingleMetric(name) as InstanceType<T> | undefined;
    const made =
      known ?? (new Kind({ name, help, labelNames: ['broker'], registers: [metrics] }) as InstanceType<T>);
    return made.labels({ broker }) as ReturnType<InstanceType<T>['labels']>;
  };
  return {
    messages: metric(
      'qianliyan_external_messages_total',
      Counter,
      'Messages that came from an external broker',
    ),
    unstored: metric('qianliyan_external_unstored_total', Counter, 'Of them, those that could not be stored'),
    connected: metric(
      'qianliyan_external_connections',
      Gauge,
      'Connections to external brokers that are subscribed',
    ),
  };
}

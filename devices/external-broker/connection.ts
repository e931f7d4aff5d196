import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { MqttClient } from 'mqtt';
import { type Lane, lane } from '../broker/lane.ts';
import { PublishTap, type TappedPublish } from '../mqtt5/publish-tap.ts';
import { Arrival, type Host } from './arrival.ts';
import type { ExternalBrokerConfig } from './config.ts';
import type { Access, ExternalBrokerDeps, Meters } from './source.ts';
import { TappedSocket } from './tapped-socket.ts';

type ConnectionDeps = ExternalBrokerDeps & Access & { meters: Meters; index: number };

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
const DRAIN_MS = 5_000;
/** A CONNACK or SUBACK with all its properties is far below. */
const CONTROL_BYTES = 256 * 1024;

/** One connection with its session; made again for ever, with a pause that grows. */
export function openConnection(config: ExternalBrokerConfig, deps: ConnectionDeps) {
  const { log, meters } = deps;
  const storage = storageLog(deps, config.url);
  let subscribed = false;
  let stopping = false;
  let underWay = 0;
  let current: { socket: TappedSocket; way: Lane } | null = null;
  let isReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });

  /** A new socket, with a lane of its own: acknowledgements belong to the connection on which the message came. */
  function open(): TappedSocket {
    const tap = new PublishTap(
      { maxBytes: config.maxBufferedBytes, controlBytes: CONTROL_BYTES },
      {
        publish: (publish) => take(publish),
        fault(message) {
          log.error({ broker: config.url, fault: message }, 'the external broker broke the protocol');
          socket.destroy();
        },
      },
    );
    const socket = new TappedSocket(dial(config, deps.tls), tap);
    const way = lane(socket, { messages: config.maxInFlight, bytes: config.maxInFlightBytes });
    const host: Host = {
      stored() {
        underWay -= 1;
        storage.works();
      },
      unstored(error) {
        underWay -= 1;
        storage.fails(error);
        // The broker sends again what was not acknowledged once we are back.
        socket.destroy();
      },
      answer(send) {
        for (const { topic, payload } of send) client.publish(topic, payload, { qos: 1 });
      },
    };
    function take(publish: TappedPublish): void {
      meters.messages.inc();
      underWay += 1;
      const arrival = new Arrival(host, way, publish);
      deps.accept(arrival, arrival);
      if (!way.full || socket.held) return;
      socket.hold();
      way.whenRoom(() => {
        if (!stopping) socket.release();
      });
    }
    current = { socket, way };
    return socket;
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

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 10));

/** One line when storage goes, one when it is back. */
function storageLog({ log, meters }: ConnectionDeps, broker: string) {
  let away = false;
  return {
    works(): void {
      if (away) log.info({ broker }, 'messages of the external broker are stored again');
      away = false;
    },
    fails(error: unknown): void {
      if (!away) log.error({ err: error, broker }, 'messages cannot be stored: none is acknowledged');
      away = true;
      meters.unstored.inc();
    },
  };
}

function dial({ url }: ExternalBrokerConfig, tls: ConnectionOptions): Socket {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'mqtts:')
    return connectTls({ host, port: Number(port || 8_883), servername: host, ...tls });
  return connectTcp({ host, port: Number(port || 1_883), noDelay: true });
}

/**
 * One device's line to the broker: an MQTT client of its own over a real socket, QoS 1.
 *
 * Promises: what was handed to `publish` is sent again after every reconnect until the broker acknowledges it; at most
 * {@link WINDOW} messages wait for that at a time (`room` waits for a place), so an outage costs no memory; `acknowledged`
 * is told once per message. Does not promise order across a reconnect, as MQTT does not.
 */
import { EventEmitter, once } from 'node:events';
import mqtt, { type MqttClient } from 'mqtt';

/** Messages that may wait for their acknowledgement. */
const WINDOW = 100;
const RECONNECT_MS = 500;
/** The error under which mqtt.js hands a message back that it has not stored. */
const GIVEN_BACK = 'Connection closed';

export interface ConnectionOptions {
  brokerUrl: string;
  /** Client id, and user name when there is a password. */
  device: string;
  password?: string | undefined;
  /** Spreads the reconnects of a fleet, 0 to 1. */
  spread: number;
  onAcknowledged(tag: PublishTag): void;
  onRefused(tag: PublishTag, reason: string): void;
  onOutage(reason: string): void;
  onConnected(): void;
}

/** What a message carried; handed back with its acknowledgement. */
export interface PublishTag {
  values: number;
  repeat: boolean;
  picture: boolean;
}

export interface Connection {
  publish(topic: string, payload: Buffer, tag: PublishTag): void;
  /** Resolves when there is a line and one more message may be published, or `signal` is aborted. */
  room(signal: AbortSignal): Promise<void>;
  /** Resolves when everything is acknowledged, or after `withinMs`. */
  drained(withinMs: number): Promise<void>;
  inFlight(): number;
  /** Ends without a farewell, as a device does that loses its power. */
  cut(): void;
  close(): Promise<void>;
}

export function connectDevice(options: ConnectionOptions): Connection {
  const changes = new EventEmitter();
  const client = connect(options);
  let inFlight = 0;
  let ended = false;
  client.on('connect', () => {
    changes.emit('change');
    options.onConnected();
  });
  client.on('error', (error) => options.onOutage(error.message));
  client.on('close', () => options.onOutage('connection closed'));

  const settle = (tag: PublishTag, error: Error | undefined) => {
    inFlight -= 1;
    changes.emit('change');
    if (error === undefined) options.onAcknowledged(tag);
    // What is given up because the device was switched off is nobody's refusal.
    else if (!ended) options.onRefused(tag, error.message);
  };
  const send = (topic: string, payload: Buffer, tag: PublishTag) => {
    client.publish(topic, payload, { qos: 1 }, (error) => {
      // mqtt.js gives back what was handed to it while it was sending old messages again and lost the line once more;
      // not at once, because it is still going through its list.
      if (!ended && error?.message === GIVEN_BACK) setImmediate(send, topic, payload, tag);
      else settle(tag, error ?? undefined);
    });
  };
  const nextChange = (signal: AbortSignal) => once(changes, 'change', { signal }).catch(() => undefined);

  return {
    publish(topic, payload, tag) {
      inFlight += 1;
      send(topic, payload, tag);
    },
    async room(signal) {
      // mqtt.js would take messages without a line, but sends such ones one by one, a round trip each.
      const full = () => !client.connected || inFlight >= WINDOW;
      while (full() && !signal.aborted) await nextChange(signal);
    },
    async drained(withinMs) {
      const signal = AbortSignal.timeout(withinMs);
      while (inFlight > 0 && !signal.aborted) await nextChange(signal);
    },
    inFlight: () => inFlight,
    cut() {
      ended = true;
      client.removeAllListeners('close');
      client.end(true);
    },
    async close() {
      ended = true;
      client.removeAllListeners('close');
      // A polite end waits for every acknowledgement: for ever, if the broker is gone.
      await client.endAsync(!client.connected || inFlight > 0);
    },
  };
}

function connect({ brokerUrl, device, password, spread }: ConnectionOptions): MqttClient {
  return mqtt.connect(brokerUrl, {
    clientId: device,
    ...(password === undefined ? {} : { username: device, password }),
    protocolVersion: 4,
    clean: true,
    keepalive: 30,
    connectTimeout: 10_000,
    reconnectPeriod: Math.round(RECONNECT_MS * (1 + spread)),
    // A broker that is only just starting may refuse at first: a device tries on.
    reconnectOnConnackError: true,
    resubscribe: false,
  });
}

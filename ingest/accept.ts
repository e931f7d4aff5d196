import type { Clock, Log } from '../backbone/index.ts';
import type { QuarantineReason } from '../contracts/index.ts';
import {
  type CodecInput,
  type Decoded,
  type DecodedOne,
  isJsonPicture,
  oneAReason,
  type Rejected,
} from '../devices/codecs/index.ts';
import type { HandOn, Settled } from '../devices/handover.ts';
import type { DeviceMessage, Sighting } from '../devices/message.ts';
import { parseDeviceTopic } from '../devices/topics.ts';
import type { IngestConfig } from './config.ts';
import type { KnownDevice, KnownDevices } from './known-devices.ts';
import type { RateLimit } from './rate-limit.ts';
import { joined, type Receipt } from './receipt.ts';
import type { Route, Routes } from './routes.ts';
import { type TakeDeps, taker } from './take.ts';

/**
 * What happens to one message, in this order; the first thing that is wrong sends it to quarantine with that reason:
 *
 *   1 size      payload-too-large        5 device    device-unknown, camera-unknown
 *   2 topic     topic-unknown, codec-…   6 payload   not-json, malformed, schema, not-a-picture, …
 *   3 sender    device-mismatch          7 content   of each device by itself: take.ts
 *   4 rate      rate-limited             8 append, wait until it is durable, answer
 *
 * A payload may speak for several devices: each part goes steps 3, 5 and 7 by itself, the receipt is that of all.
 * The promise resolves when whatever became of the message is durable, and rejects when a store is away: then the
 * message must not be acknowledged, and comes again.
 */
export interface AcceptDeps extends TakeDeps {
  clock: Clock;
  log: Log;
  routes: Routes;
  known: KnownDevices;
  rate: RateLimit;
  inFlight: InFlight;
  /** Whoever speaks and is not in the registry. */
  strangers: { saw(sighting: Sighting): void };
}

/** Times of receipt of messages whose decoding takes more than a moment: a tick must not pass them. */
export interface InFlight {
  add(receivedAt: number): void;
  remove(receivedAt: number): void;
}

export type Accept = (message: DeviceMessage) => Promise<Receipt>;

export interface Acceptor {
  accept: Accept;
  /** The same for entrances with very many messages: without a promise for each. */
  acceptInto: HandOn;
}

export function acceptor(config: IngestConfig, deps: AcceptDeps): Acceptor {
  const { clock, known, tally } = deps;
  const { take, takeInto, refuse } = taker(config, deps);

  function accept(message: DeviceMessage): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const settled = { durable: resolve as Settled['durable'], failed: reject };
      run(message, settled)?.then(resolve, reject);
    });
  }

  function acceptInto(message: DeviceMessage, settled: Settled): void {
    const failed = (error: unknown) => settled.failed(error);
    try {
      run(message, settled)?.then((receipt) => settled.durable(receipt), failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Null: `settled` is told what became of it, and nobody else. */
  function run(message: DeviceMessage, settled: Settled): Promise<Receipt> | null {
    const { again } = message;
    const receivedAt = again === undefined ? clock.now() : again.receivedAt;
    if (again === undefined) tally.messages += 1;
    const route = deps.routes.find(message.topic);
    const named = typeof route === 'string' ? null : route.address.device;
    const to = named === null ? undefined : known.find(named);
    const objection = objectTo(message, route, to) ?? (named === null ? null : stranger(message, route, to));
    if (objection !== null) return refuse(message, objection, receivedAt, to?.device.id ?? named);
    if (typeof route === 'string') return refuse(message, noRoute(route, message.topic), receivedAt, null);
    const input: CodecInput = {
      address: route.address,
      payload: message.payload,
      receivedAt,
      device: to?.device,
      userProperties: message.userProperties ?? NO_PROPERTIES,
      sender: message.authenticatedDevice,
      again: message.again !== undefined,
    };
    const decoded = decode(route, input);
    if (decoded instanceof Promise) return finishLater(message, decoded, to, receivedAt);
    if (isPlain(decoded) && to !== undefined) {
      return takeInto(message, decoded, to, receivedAt, settled);
    }
    return finish(message, decoded, to, receivedAt);
  }

  /** A codec never throws. Should one do so all the same, its message is kept, and none behind it is held up. */
  function decode({ codec }: Route, input: CodecInput): Decoded | Promise<Decoded> {
    const failed = (error: unknown): Decoded => {
      deps.log.error({ err: error, codec: codec.name }, 'a codec failed: a fault of ours');
      return { kind: 'rejected', reason: 'malformed', detail: `payload: codec ${codec.name} failed at it` };
    };
    try {
      const decoded = codec.decode(input);
      return decoded instanceof Promise ? decoded.catch(failed) : decoded;
    } catch (error) {
      return failed(error);
    }
  }

  async function finishLater(
    message: DeviceMessage,
    decoding: Promise<Decoded>,
    to: KnownDevice | undefined,
    receivedAt: number,
  ): Promise<Receipt> {
    // What is run again came before ticks that are long out: it holds none up.
    const heldBack = message.again === undefined;
    if (heldBack) deps.inFlight.add(receivedAt);
    let decoded: Decoded;
    try {
      decoded = await decoding;
    } finally {
      // From here to the line nothing waits: the tick may pass.
      if (heldBack) deps.inFlight.remove(receivedAt);
    }
    return finish(message, decoded, to, receivedAt);
  }

  function finish(
    message: DeviceMessage,
    decoded: Decoded,
    to: KnownDevice | undefined,
    receivedAt: number,
  ): Promise<Receipt> {
    const taken = takeAll(message, decoded, to, receivedAt);
    const { send, settled } = decoded;
    if (send === undefined && settled === undefined) return taken;
    return taken.then((receipt) => {
      settled?.(receipt.quarantined === 0);
      return send === undefined ? receipt : { ...receipt, send };
    });
  }

  function takeAll(
    message: DeviceMessage,
    decoded: Decoded,
    to: KnownDevice | undefined,
    receivedAt: number,
  ): Promise<Receipt> {
    if (decoded.kind === 'several') {
      const parts = decoded.parts.map((part) => takePart(message, part.device, part.decoded, receivedAt));
      const nameless = oneAReason(decoded.rejected ?? []).map((why) =>
        refuse(message, why, receivedAt, null),
      );
      return Promise.all([...parts, ...nameless]).then(joined);
    }
    if (to !== undefined) return take(message, decoded, to, receivedAt);
    const why: Rejected =
      decoded.kind === 'rejected'
        ? decoded
        : { reason: 'schema', detail: 'payload: it names no device, and neither does its topic' };
    return refuse(message, why, receivedAt, null);
  }

  function takePart(message: DeviceMessage, name: string, decoded: DecodedOne, receivedAt: number) {
    const to = known.find(name);
    const kind = decoded.kind === 'picture' ? 'picture' : 'readings';
    const objection = to === undefined ? null : notTheirs(message, to);
    const why = objection ?? unknownDevice(message, { device: name, kind }, to);
    if (why !== null) return refuse(message, why, receivedAt, to?.device.id ?? name);
    return take(message, decoded, to as KnownDevice, receivedAt);
  }

  function objectTo(
    message: DeviceMessage,
    route: Route | QuarantineReason,
    to: KnownDevice | undefined,
  ): Rejected | null {
    const picture = typeof route !== 'string' && route.address.kind === 'picture';
    const most = picture ? mostPictureBytes(message.payload, config) : config.maxMessageBytes;
    const size = message.oversize?.size ?? message.payload.length;
    if (size > most || message.oversize !== undefined) {
      return { reason: 'payload-too-large', detail: `payload: ${size} bytes; at most ${most} are allowed` };
    }
    if (message.fault !== undefined) return message.fault;
    const foreign = notTheirs(message, to);
    if (foreign !== null) return foreign;
    const owner = typeof route === 'string' ? null : route.address.device;
    if (message.again !== undefined) return null;
    const source = message.authenticatedDevice ?? to?.device.id ?? owner ?? message.clientId;
    // Through another's broker come messages whose payload tells of whom they are: nobody's flood uses up all others' rate.
    if (!deps.rate.allows(source ?? message.topic)) {
      const { perS, burst } = config.rate;
      return {
        reason: 'rate-limited',
        detail: `more than ${perS} messages a second, after ${burst} at once`,
      };
    }
    return null;
  }

  /** A device speaks for itself, and for those that name it as their gateway. */
  function notTheirs(message: DeviceMessage, to: KnownDevice | undefined): Rejected | null {
    const sender = message.authenticatedDevice;
    if (sender === null) return null;
    const owner = to?.device.id ?? parseDeviceTopic(message.topic)?.device ?? sender;
    if (owner === sender || to?.device.gateway === sender) return null;
    const detail = `topic: ${message.topic} belongs to ${owner}; ${sender} may publish below v1/devices/${sender}/ and for devices whose gateway it is`;
    return { reason: 'device-mismatch', detail };
  }

  function stranger(message: DeviceMessage, route: Route | QuarantineReason, to: KnownDevice | undefined) {
    if (typeof route === 'string' || route.address.device === null) return null;
    return unknownDevice(message, { device: route.address.device, kind: route.address.kind }, to);
  }

  function unknownDevice(
    message: DeviceMessage,
    { device, kind }: { device: string; kind: 'readings' | 'picture' },
    to: KnownDevice | undefined,
  ): Rejected | null {
    if (to !== undefined && (kind === 'readings' || to.device.kind === 'camera')) return null;
    const reason = kind === 'picture' ? 'camera-unknown' : 'device-unknown';
    if (to !== undefined) return { reason, detail: `device ${device} is no camera by the registry` };
    const { topic, clientId, payload, again } = message;
    if (again === undefined)
      deps.strangers.saw({ name: device, kind, topic, clientId, at: clock.now(), payload });
    return { reason, detail: `device ${device} is not in the registry` };
  }

  return { accept, acceptInto };
}

/** Readings of one device, of which nobody else is to be told. */
function isPlain(decoded: Decoded): decoded is Decoded & { kind: 'readings' } {
  return decoded.kind === 'readings' && decoded.send === undefined && decoded.settled === undefined;
}

const NO_PROPERTIES: Readonly<Record<string, string>> = {};

/** In JSON a picture is a third longer (base64), with some words around it; what it decodes to is measured by its codec. */
function mostPictureBytes(payload: Buffer, config: IngestConfig): number {
  const { maxPictureBytes } = config;
  return isJsonPicture(payload) ? Math.ceil(maxPictureBytes * 1.4) + 4_096 : maxPictureBytes;
}

function noRoute(reason: 'topic-unknown' | 'codec-unknown', topic: string): Rejected {
  const allowed =
    'v1/devices/<id>/observations, v1/devices/<id>/frames[/<time>] and the formats of docs/devices.md are allowed';
  return { reason, detail: `topic: ${JSON.stringify(topic.slice(0, 200))} found; ${allowed}` };
}

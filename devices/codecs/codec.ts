import type { Quality, QuarantineReason, RegisteredDevice, Statistic } from '../../contracts/index.ts';
import type { Outgoing } from '../message.ts';

/**
 * The shape of every payload codec: one folder each with `codec.ts`, its test, and `cases/` (inputs with what must come
 * out). A codec turns a payload into readings or a picture, or says why not. Whether the device exists and the values are
 * plausible is decided after it; it may look at the device's own profile. It never throws, keeps no message, and bounds
 * what it inflates and what it remembers.
 */
export interface Codec {
  readonly name: string;
  /** Which topics are its own; null for all others. Called once a topic, then remembered. */
  match(topic: string): Address | null;
  decode(input: CodecInput): Decoded | Promise<Decoded>;
  /** What it waited for in vain; each is told once. For codecs that join messages. */
  overdue?(now: number): Overdue[];
}

/** What a topic tells before the payload is read. */
export interface Address {
  /** A device's id, or one of its addresses (`hj212:<MN>`); null: the payload tells. */
  device: string | null;
  kind: 'readings' | 'picture';
  /** What the codec read from the topic for itself, e.g. a time. */
  detail: string;
}

export interface CodecInput {
  address: Address;
  payload: Buffer;
  /** Epoch ms, by the product's clock. */
  receivedAt: number;
  /** The device that the address names, when it is in the registry. */
  device: RegisteredDevice | undefined;
  /** MQTT 5 user properties; empty where there are none. */
  userProperties: Readonly<Record<string, string>>;
  /** The device that signed in to send this; null or left out: nobody did. For codecs that remember between messages. */
  sender?: string | null;
  /** It came before, and is run again out of quarantine: it tells nothing new of the present. */
  again?: boolean;
}

/** One value as the device states it. */
export interface Reading {
  property: string;
  statistic: Statistic;
  /** Epoch ms; not checked for plausibility. */
  time: number;
  /** Finite. */
  value: number;
  /** UCUM unit that the device states; null when it states none, and the registry's holds. */
  unit: string | null;
  quality: Quality;
}

export interface Rejected {
  reason: QuarantineReason;
  /** A sentence that names path, value and what is allowed. */
  detail: string;
}

/** Messages that never came; `device`: id or address, `topic`: where they would have come. */
export interface Overdue {
  device: string;
  topic: string;
  rejected: Rejected;
}

/** What a payload says of one device. */
export type DecodedOne =
  /** `rejected`: parts that could not be read, while the rest could. `source`: see ObservationBatch. */
  | { kind: 'readings'; readings: Reading[]; rejected?: Rejected[]; source?: string }
  | { kind: 'picture'; bytes: Buffer; time: number; timeFrom: PictureTimeSource }
  /** The device, or its last will, says how it is. */
  | { kind: 'status'; status: 'online' | 'offline' }
  /** Sound, and holds nothing to keep: a heartbeat, a notification. `repeats`: how many values it held again. */
  | { kind: 'nothing'; repeats?: number }
  | ({ kind: 'rejected' } & Rejected);

/**
 * `send` goes back to the device once the message is durable. `settled` is called then: `whole` when nothing of it went to
 * quarantine. It is not called when the message could not be stored: then it comes again.
 */
export type Decoded = { send?: Outgoing[]; settled?: (whole: boolean) => void } & (
  | DecodedOne
  /** One payload for several devices, each by id or address. `rejected`: what could be told of no device. */
  | { kind: 'several'; parts: { device: string; decoded: DecodedOne }[]; rejected?: Rejected[] }
);

/** `payload`: beside the picture in its JSON; `event`: another message that announced it. */
export type PictureTimeSource = 'topic' | 'user-property' | 'payload' | 'exif' | 'event' | 'received';

export function rejected(reason: QuarantineReason, detail: string): { kind: 'rejected' } & Rejected {
  return { kind: 'rejected', reason, detail };
}

/** A value as it may stand in a sentence: one line, not long. Never throws, whatever the value. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    // Nested too deep, or a bigint.
    text = typeof value === 'bigint' ? String(value) : 'something that cannot be shown';
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

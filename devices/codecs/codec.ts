import type { Quality, QuarantineReason, Statistic } from '../../contracts/index.ts';

/**
 * The shape of every payload codec: one folder each with `codec.ts`, its test, and `cases/` (inputs with what must come
 * out). A codec turns a payload into readings or a picture, or says why not. It knows nothing of the registry: whether
 * the device exists and the values are plausible is decided after it. It never throws, keeps no message, and bounds
 * what it inflates.
 */
export interface Codec {
  readonly name: string;
  /** Which topics are its own; null for all others. Called once a topic, then remembered. */
  match(topic: string): Address | null;
  decode(input: CodecInput): Decoded | Promise<Decoded>;
}

/** What a topic tells before the payload is read. */
export interface Address {
  device: string;
  kind: 'readings' | 'picture';
  /** What the codec read from the topic for itself, e.g. a time. */
  detail: string;
}

export interface CodecInput {
  address: Address;
  payload: Buffer;
  /** Epoch ms, by the product's clock. */
  receivedAt: number;
  /** MQTT 5 user properties; empty where there are none. */
  userProperties: Readonly<Record<string, string>>;
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

export type Decoded =
  /** `rejected`: parts that could not be read, while the rest could. */
  | { kind: 'readings'; readings: Reading[]; rejected?: Rejected[] }
  | { kind: 'picture'; bytes: Buffer; time: number; timeFrom: PictureTimeSource }
  | ({ kind: 'rejected' } & Rejected);

export type PictureTimeSource = 'topic' | 'user-property' | 'exif' | 'received';

export function rejected(reason: QuarantineReason, detail: string): Decoded {
  return { kind: 'rejected', reason, detail };
}

/** A value as it may stand in a sentence: one line, not long. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

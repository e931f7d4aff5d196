import { gunzipSync, inflateSync } from 'node:zlib';
import { get } from 'sparkplug-payload';
import schema from 'sparkplug-payload/lib/sparkplugPayloadProto.js';
import { type Rejected, shown } from '../codec.ts';
import { wireFault } from './wire.ts';

/**
 * Bytes to a Sparkplug payload and back, by the generated messages of `sparkplug-payload`. Its own friendly decoder is
 * not used: it takes a metric without a datatype, which is what DATA messages have since Sparkplug 3.0, for null.
 */
const { Payload } = schema.org.eclipse.tahu.protobuf;
const encoder = get('spBv1.0');

export type Metric = InstanceType<typeof Payload.Metric>;

export interface SparkplugPayload {
  /** Epoch ms; null when it states none. */
  timestamp: number | null;
  /** 0 to 255 when right; null when it states none. */
  seq: number | null;
  metrics: readonly Metric[];
}

const COMPRESSED = 'SPBV1.0_COMPRESSED';

/** Decoded at once, not later: messages of a node must keep their order. So what is inflated is small. */
export const MOST_INFLATED_BYTES = 1_048_576;

export function readPayload(bytes: Buffer, maxInflatedBytes: number): SparkplugPayload | Rejected {
  const outer = parse(bytes);
  if ('reason' in outer || outer.uuid !== COMPRESSED) return 'reason' in outer ? outer : simple(outer);
  const body = inflate(outer, Math.min(maxInflatedBytes, MOST_INFLATED_BYTES));
  if (!Buffer.isBuffer(body)) return body;
  const inner = parse(body);
  if ('reason' in inner) return inner;
  if (inner.uuid === COMPRESSED) return malformed('body: compressed once more');
  const { timestamp, seq, metrics } = simple(inner);
  const envelope = simple(outer);
  return { timestamp: timestamp ?? envelope.timestamp, seq: seq ?? envelope.seq, metrics };
}

/** The payload of an NCMD that asks a node for its births (section 6.4.22). */
export function rebirthRequest(now: number): Buffer {
  if (encoder === null) throw new Error('sparkplug-payload does not know spBv1.0');
  const rebirth = { name: 'Node Control/Rebirth', type: 'Boolean', value: true } as const;
  return Buffer.from(encoder.encodePayload({ timestamp: now, metrics: [rebirth] }));
}

/** A field that the sender has written, not the default that reads the same. */
export function has(message: object, field: string): boolean {
  return Object.hasOwn(message, field);
}

/** A 64-bit number; beyond 2^53 the nearest double. */
export function toNumber(value: number | { toNumber(): number }): number {
  return typeof value === 'number' ? value : value.toNumber();
}

function parse(bytes: Buffer): InstanceType<typeof Payload> | Rejected {
  const fault = wireFault(bytes);
  if (fault !== null) return malformed(fault);
  try {
    return Payload.decode(bytes);
  } catch (error) {
    return malformed(`payload: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function simple(payload: InstanceType<typeof Payload>): SparkplugPayload {
  return {
    timestamp: has(payload, 'timestamp') ? toNumber(payload.timestamp) : null,
    seq: has(payload, 'seq') ? toNumber(payload.seq) : null,
    metrics: payload.metrics as Metric[],
  };
}

function inflate(outer: InstanceType<typeof Payload>, mostBytes: number): Buffer | Rejected {
  const named = outer.metrics.find((metric) => metric.name === 'algorithm')?.stringValue;
  const algorithm = named == null || named === '' ? 'DEFLATE' : named.toUpperCase();
  const unpack = algorithm === 'GZIP' ? gunzipSync : algorithm === 'DEFLATE' ? inflateSync : null;
  if (unpack === null) return malformed(`algorithm: ${shown(algorithm)} found, DEFLATE or GZIP is allowed`);
  try {
    return unpack(outer.body, { maxOutputLength: mostBytes });
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `body: inflates to more than the allowed ${mostBytes} bytes`;
      return { reason: 'payload-too-large', detail };
    }
    return malformed(`body: ${algorithm}, but it cannot be inflated`);
  }
}

function malformed(detail: string): Rejected {
  return { reason: 'malformed', detail };
}

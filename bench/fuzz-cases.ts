import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { projectRoot } from '../backbone/project-root.ts';
import { Device, type RegisteredDevice } from '../contracts/index.ts';
import { encodeFrame } from '../devices/hj212/index.ts';

/**
 * What is mutated: the payloads of every codec's cases (`devices/codecs/<codec>/cases/*.yaml`), so that a new codec, or a
 * new case, joins by being there.
 */
export interface Specimen {
  codec: string;
  /** File of the case. */
  name: string;
  topic: string;
  payload: Buffer;
  receivedAt: number;
  userProperties: Record<string, string>;
}

export interface Specimens {
  all: Specimen[];
  /** The devices that the cases speak of. */
  devices: RegisteredDevice[];
}

type Written = { topic: string; payload: Record<string, unknown>; receivedAt?: number };
type Case = Written & {
  before?: Written[];
  userProperties?: Record<string, string>;
  device?: unknown;
  registry?: unknown[];
};

const FOLDER = join(projectRoot, 'devices', 'codecs');
const RECEIVED_AT = 1_795_000_000_000;

export function loadSpecimens(): Specimens {
  const specimens: Specimens = { all: [], devices: [] };
  for (const codec of folders(FOLDER)) {
    const folder = join(FOLDER, codec, 'cases');
    for (const name of folders(join(FOLDER, codec)).includes('cases') ? readdirSync(folder).sort() : []) {
      const one = parse(readFileSync(join(folder, name), 'utf8')) as Case;
      for (const message of [...(one.before ?? []), one]) {
        const { topic, receivedAt = RECEIVED_AT } = message;
        const payload = payloadOf(message.payload, `${codec}/${name}`);
        const { userProperties = {} } = one;
        specimens.all.push({ codec, name, topic, payload, receivedAt, userProperties });
      }
      const devices = [...(one.device === undefined ? [] : [one.device]), ...(one.registry ?? [])];
      specimens.devices.push(...devices.map((d) => ({ ...Device.parse(d), version: 1, since: 0 })));
    }
  }
  return specimens;
}

function folders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** As `devices/codecs/cases.test.ts` reads it. */
function payloadOf(payload: Record<string, unknown>, where: string): Buffer {
  const { text, json, hex, gzipText, frames } = payload;
  if (typeof text === 'string') return Buffer.from(text);
  if (typeof hex === 'string') return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
  if (typeof gzipText === 'string') return gzipSync(gzipText);
  if (Array.isArray(frames)) return Buffer.concat(frames.map((frame) => framed(String(frame))));
  if (json !== undefined) return Buffer.from(JSON.stringify(json));
  throw new Error(`${where}: a payload of a kind that the fuzz bench does not know: ${Object.keys(payload)}`);
}

function framed(segment: string): Buffer {
  const modbus = segment.startsWith('modbus:');
  return encodeFrame(Buffer.from(modbus ? segment.slice(7) : segment), modbus ? 'modbus' : 'standard');
}

/**
 * Payloads in an envelope that proves them whole would nearly all be refused at the envelope: what is inside is taken
 * out, for mutation, and put in again.
 */
export function undress(payload: Buffer): { inside: Buffer; dress(inside: Buffer): Buffer } | null {
  if (payload[0] === 0x1f && payload[1] === 0x8b) {
    const inside = attempt(() => gunzipSync(payload, { maxOutputLength: 65_536 }));
    return inside === null ? null : { inside, dress: (bytes) => gzipSync(bytes) };
  }
  if (payload[0] === 0x23 && payload[1] === 0x23 && payload.length > 12) {
    const length = Number(payload.subarray(2, 6).toString('latin1'));
    const dress = (bytes: Buffer) => encodeFrame(bytes.subarray(0, 9_999));
    return length > 0 ? { inside: payload.subarray(6, 6 + length), dress } : null;
  }
  return null;
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../backbone/project-root.ts';
import { Device, QuarantineReason, type RegisteredDevice } from '../../contracts/index.ts';
import { encodeFrame } from '../hj212/index.ts';
import { type Address, allCodecs, type Codec, type Decoded, type Rejected, TopicMappings } from './index.ts';

const PartlyRejected = z.array(z.strictObject({ reason: QuarantineReason, says: z.string() })).default([]);
const Readings = z.strictObject({ readings: z.array(z.string()), rejected: PartlyRejected });

const NOW = 1_795_000_000_000;
const Picture = z.strictObject({ time: z.number(), timeFrom: z.string() });
const Status = z.enum(['online', 'offline']);
const Payload = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ json: z.unknown() }),
  z.strictObject({ hex: z.string() }),
  z.strictObject({ gzipText: z.string() }),
  /** HJ 212 data segments, each put into a frame with its length and checksum; `modbus:` before one: with CRC16/MODBUS. */
  z.strictObject({ frames: z.array(z.string()) }),
]);

/**
 * Every codec's cases: `devices/codecs/<codec>/cases/*.yaml`, each a topic, a payload and what must come of it.
 * The payload is `text`, `json` (written as JSON), `hex`, `gzipText`, or `frames`.
 */
const Case = z.strictObject({
  about: z.string(),
  topic: z.string(),
  payload: Payload,
  /** Messages that came earlier, for codecs that remember. */
  before: z
    .array(z.strictObject({ topic: z.string(), payload: Payload, receivedAt: z.number().default(NOW) }))
    .default([]),
  receivedAt: z.number().default(NOW),
  userProperties: z.record(z.string(), z.string()).default({}),
  /** The addressed device's own record, for codecs that look at its profile. */
  device: z.unknown().optional(),
  /** Other devices that the codec may look up. */
  registry: z.array(z.unknown()).default([]),
  expect: z.union([
    /** `property statistic value unit quality time`, unit `-` when none is stated. */
    Readings,
    /** One payload for several devices, in order. */
    z.strictObject({
      parts: z.array(
        z.union([
          Readings.extend({ device: z.string() }),
          z.strictObject({ device: z.string(), picture: Picture }),
          z.strictObject({ device: z.string(), status: Status }),
          z.strictObject({ device: z.string(), nothing: z.literal(true) }),
          z.strictObject({ device: z.string(), reason: QuarantineReason, says: z.string() }),
        ]),
      ),
      rejected: PartlyRejected,
      /** Topics of the messages that go back. */
      sends: z.array(z.string()).default([]),
    }),
    z.strictObject({ status: Status }),
    z.strictObject({ picture: Picture }),
    /** Known, and nothing of it is kept. */
    z.strictObject({ nothing: z.literal(true) }),
    z.strictObject({ reason: QuarantineReason, says: z.string() }),
  ]),
});
type Case = z.output<typeof Case>;

/** The mappings that ship as examples are what the cases of `topic-mapping` are about. */
const MAPPINGS = join(projectRoot, 'examples', 'mappings');
const topicMappings = TopicMappings.parse(
  readdirSync(MAPPINGS)
    .sort()
    .flatMap((file) => parse(readFileSync(join(MAPPINGS, file), 'utf8')).ingest.topicMappings),
);
const OPTIONS = {
  maxInflatedBytes: 100_000,
  utcOffsetMs: 8 * 3_600_000,
  maxPictureBytes: 1_000,
  topicMappings,
};
const CODECS = allCodecs(OPTIONS);
const FOLDER = join(projectRoot, 'devices', 'codecs');

function payloadOf(payload: z.output<typeof Payload>): Buffer {
  if ('text' in payload) return Buffer.from(payload.text);
  if ('hex' in payload) return Buffer.from(payload.hex.replaceAll(/\s/g, ''), 'hex');
  if ('gzipText' in payload) return gzipSync(payload.gzipText);
  if ('frames' in payload) return Buffer.concat(payload.frames.map(hj212Frame));
  return Buffer.from(JSON.stringify(payload.json));
}

function hj212Frame(text: string): Buffer {
  const modbus = text.startsWith('modbus:');
  return encodeFrame(Buffer.from(modbus ? text.slice(7) : text), modbus ? 'modbus' : 'standard');
}

function registered(device: unknown): RegisteredDevice {
  return { ...Device.parse(device), version: 1, since: 0 };
}

async function run(name: string, one: Case): Promise<Decoded> {
  const registry = one.registry.map(registered);
  const find = (name: string) => registry.find((d) => d.id === name || d.addresses.includes(name));
  const codecs = allCodecs({ ...OPTIONS, devices: { find } });
  const { receivedAt, userProperties } = one;
  for (const earlier of one.before) {
    const { codec, address } = routeOf(codecs, earlier.topic);
    await codec.decode({
      address,
      payload: payloadOf(earlier.payload),
      receivedAt: earlier.receivedAt,
      device: undefined,
      userProperties: {},
    });
  }
  const { codec, address } = routeOf(codecs, one.topic);
  expect(codec.name).toBe(name);
  const device = one.device === undefined ? undefined : registered(one.device);
  return codec.decode({ address, payload: payloadOf(one.payload), receivedAt, device, userProperties });
}

function routeOf(codecs: readonly Codec[], topic: string): { codec: Codec; address: Address } {
  for (const codec of codecs) {
    const address = codec.match(topic);
    if (address !== null) return { codec, address };
  }
  throw new Error('no codec has this topic');
}

type Wanted = Case['expect'];
type WantedPart = Extract<Wanted, { parts: unknown }>['parts'][number];

function check(decoded: Decoded | undefined, wanted: Wanted | WantedPart): void {
  if ('reason' in wanted) {
    expect(decoded).toMatchObject({ kind: 'rejected', reason: wanted.reason });
    expect(decoded).toHaveProperty('detail', expect.stringContaining(wanted.says));
  } else if ('picture' in wanted) {
    expect(decoded).toMatchObject({ kind: 'picture', ...wanted.picture });
  } else if ('status' in wanted) {
    expect(decoded).toEqual({ kind: 'status', status: wanted.status });
  } else if ('nothing' in wanted) {
    expect(decoded).toEqual(
      decoded?.kind === 'several' ? { kind: 'several', parts: [] } : { kind: 'nothing' },
    );
  } else if ('parts' in wanted) {
    if (decoded?.kind !== 'several') throw new Error(`several wanted, got ${JSON.stringify(decoded)}`);
    expect(decoded.parts.map((part) => part.device)).toEqual(wanted.parts.map((part) => part.device));
    for (const [i, part] of wanted.parts.entries()) check(decoded.parts[i]?.decoded, part);
    expect((decoded.send ?? []).map(({ topic }) => topic)).toEqual(wanted.sends);
    checkRejected(decoded.rejected, wanted.rejected);
  } else checkReadings(decoded, wanted);
}

function checkReadings(decoded: Decoded | undefined, wanted: z.output<typeof Readings>): void {
  if (decoded?.kind !== 'readings') throw new Error(`readings wanted, got ${JSON.stringify(decoded)}`);
  const lines = decoded.readings.map((r) =>
    [r.property, r.statistic, r.value, r.unit ?? '-', r.quality, new Date(r.time).toISOString()].join(' '),
  );
  expect(lines).toEqual(wanted.readings);
  checkRejected(decoded.rejected, wanted.rejected);
}

function checkRejected(rejected: Rejected[] | undefined, wanted: z.output<typeof PartlyRejected>): void {
  expect((rejected ?? []).map((r) => r.reason)).toEqual(wanted.map((r) => r.reason));
  for (const [i, { says }] of wanted.entries()) expect(rejected?.[i]?.detail).toContain(says);
}

for (const { name } of CODECS) {
  const folder = join(FOLDER, name, 'cases');
  describe(`codec ${name}`, () => {
    for (const file of readdirSync(folder).sort()) {
      const one = Case.parse(parse(readFileSync(join(folder, file), 'utf8')));
      it(`${file}: ${one.about}`, async () => check(await run(name, one), one.expect));
    }
  });
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../backbone/project-root.ts';
import { Device, QuarantineReason, type RegisteredDevice } from '../../contracts/index.ts';
import { allCodecs, type Decoded, type Rejected } from './index.ts';

const PartlyRejected = z.array(z.strictObject({ reason: QuarantineReason, says: z.string() })).default([]);
const Readings = z.strictObject({ readings: z.array(z.string()), rejected: PartlyRejected });

/**
 * Every codec's cases: `devices/codecs/<codec>/cases/*.yaml`, each a topic, a payload and what must come of it.
 * The payload is `text`, `json` (written as JSON), `hex`, or `gzipText`.
 */
const Case = z.strictObject({
  about: z.string(),
  topic: z.string(),
  payload: z.union([
    z.strictObject({ text: z.string() }),
    z.strictObject({ json: z.unknown() }),
    z.strictObject({ hex: z.string() }),
    z.strictObject({ gzipText: z.string() }),
  ]),
  receivedAt: z.number().default(1_795_000_000_000),
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
      parts: z.array(Readings.extend({ device: z.string() })),
      rejected: PartlyRejected,
    }),
    z.strictObject({ status: z.enum(['online', 'offline']) }),
    z.strictObject({ picture: z.strictObject({ time: z.number(), timeFrom: z.string() }) }),
    z.strictObject({ reason: QuarantineReason, says: z.string() }),
  ]),
});
type Case = z.output<typeof Case>;

const OPTIONS = { maxInflatedBytes: 100_000, utcOffsetMs: 8 * 3_600_000 };
const CODECS = allCodecs(OPTIONS);
const FOLDER = join(projectRoot, 'devices', 'codecs');

function payloadOf({ payload }: Case): Buffer {
  if ('text' in payload) return Buffer.from(payload.text);
  if ('hex' in payload) return Buffer.from(payload.hex.replaceAll(/\s/g, ''), 'hex');
  if ('gzipText' in payload) return gzipSync(payload.gzipText);
  return Buffer.from(JSON.stringify(payload.json));
}

function registered(device: unknown): RegisteredDevice {
  return { ...Device.parse(device), version: 1, since: 0 };
}

async function run(name: string, one: Case): Promise<Decoded> {
  const registry = one.registry.map(registered);
  const find = (name: string) => registry.find((d) => d.id === name || d.addresses.includes(name));
  const codec = allCodecs({ ...OPTIONS, devices: { find } }).find((c) => c.match(one.topic) !== null);
  expect(codec?.name).toBe(name);
  const address = codec?.match(one.topic);
  if (codec === undefined || address == null) throw new Error('no codec has this topic');
  const { receivedAt, userProperties } = one;
  const device = one.device === undefined ? undefined : registered(one.device);
  return codec.decode({ address, payload: payloadOf(one), receivedAt, device, userProperties });
}

function check(decoded: Decoded, wanted: Case['expect']): void {
  if ('reason' in wanted) {
    expect(decoded).toMatchObject({ kind: 'rejected', reason: wanted.reason });
    expect(decoded).toHaveProperty('detail', expect.stringContaining(wanted.says));
  } else if ('picture' in wanted) {
    expect(decoded).toMatchObject({ kind: 'picture', ...wanted.picture });
  } else if ('status' in wanted) {
    expect(decoded).toEqual({ kind: 'status', status: wanted.status });
  } else if ('parts' in wanted) {
    if (decoded.kind !== 'several') throw new Error(`several wanted, got ${JSON.stringify(decoded)}`);
    expect(decoded.parts.map((part) => part.device)).toEqual(wanted.parts.map((part) => part.device));
    for (const [i, part] of wanted.parts.entries()) checkReadings(decoded.parts[i]?.decoded, part);
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

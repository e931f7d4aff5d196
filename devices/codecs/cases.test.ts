import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../backbone/project-root.ts';
import { Device, QuarantineReason } from '../../contracts/index.ts';
import { allCodecs, type Decoded } from './index.ts';

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
  expect: z.union([
    /** `property statistic value unit quality time`, unit `-` when none is stated. */
    z.strictObject({
      readings: z.array(z.string()),
      rejected: z.array(z.strictObject({ reason: QuarantineReason, says: z.string() })).default([]),
    }),
    z.strictObject({ picture: z.strictObject({ time: z.number(), timeFrom: z.string() }) }),
    z.strictObject({ reason: QuarantineReason, says: z.string() }),
  ]),
});
type Case = z.output<typeof Case>;

const CODECS = allCodecs({ maxInflatedBytes: 100_000, utcOffsetMs: 8 * 3_600_000 });
const FOLDER = join(projectRoot, 'devices', 'codecs');

function payloadOf({ payload }: Case): Buffer {
  if ('text' in payload) return Buffer.from(payload.text);
  if ('hex' in payload) return Buffer.from(payload.hex.replaceAll(/\s/g, ''), 'hex');
  if ('gzipText' in payload) return gzipSync(payload.gzipText);
  return Buffer.from(JSON.stringify(payload.json));
}

async function run(name: string, one: Case): Promise<Decoded> {
  const codec = CODECS.find((c) => c.match(one.topic) !== null);
  expect(codec?.name).toBe(name);
  const address = codec?.match(one.topic);
  if (codec === undefined || address == null) throw new Error('no codec has this topic');
  const { receivedAt, userProperties } = one;
  const device = one.device === undefined ? undefined : { ...Device.parse(one.device), version: 1, since: 0 };
  return codec.decode({ address, payload: payloadOf(one), receivedAt, device, userProperties });
}

function check(decoded: Decoded, wanted: Case['expect']): void {
  if ('reason' in wanted) {
    expect(decoded).toMatchObject({ kind: 'rejected', reason: wanted.reason });
    expect(decoded).toHaveProperty('detail', expect.stringContaining(wanted.says));
  } else if ('picture' in wanted) {
    expect(decoded).toMatchObject({ kind: 'picture', ...wanted.picture });
  } else {
    if (decoded.kind !== 'readings') throw new Error(`readings wanted, got ${JSON.stringify(decoded)}`);
    const lines = decoded.readings.map((r) =>
      [r.property, r.statistic, r.value, r.unit ?? '-', r.quality, new Date(r.time).toISOString()].join(' '),
    );
    expect(lines).toEqual(wanted.readings);
    const rejected = (decoded.rejected ?? []).map((r) => r.reason);
    expect(rejected).toEqual(wanted.rejected.map((r) => r.reason));
    for (const [i, { says }] of wanted.rejected.entries())
      expect(decoded.rejected?.[i]?.detail).toContain(says);
  }
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

import { encode } from 'cbor2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Device, type RegisteredDevice } from '../../../contracts/index.ts';
import type { Codec, Decoded, Reading } from '../codec.ts';
import { senml } from './codec.ts';
import { MOST_RECORDS, resolve } from './resolve.ts';

const NOW = 1_795_000_000_000;
const codec = senml({ maxInflatedBytes: 1_000_000 });

function device(...properties: string[]): RegisteredDevice {
  const datastreams = properties.map((property) => ({
    property,
    unit: null,
    range: [-1e300, 1e300],
    intervalS: 30,
  }));
  const record = { id: 'dust-01', kind: 'sensor', name: { zh: '', en: '' }, site: 's', location: [0, 0] };
  return { ...Device.parse({ ...record, datastreams }), version: 1, since: 0 };
}

const dust = device('PM10', 'TSP', 'RH');

function decode(payload: Buffer, topic = 'v1/devices/dust-01/senml', by: Codec = codec): Decoded {
  const address = by.match(topic);
  if (address === null) throw new Error(`${topic} is not SenML`);
  const decoded = by.decode({ address, payload, receivedAt: NOW, device: dust, userProperties: {} });
  if (decoded instanceof Promise) throw new Error('gzip was not sent');
  return decoded;
}

const json = (pack: unknown) => decode(Buffer.from(JSON.stringify(pack)));
const cbor = (pack: unknown) => decode(Buffer.from(encode(pack)));

function readingsOf(decoded: Decoded): Reading[] {
  if (decoded.kind !== 'readings') throw new Error(`readings wanted, got ${JSON.stringify(decoded)}`);
  expect(decoded.rejected).toEqual([]);
  return decoded.readings;
}

const INTEGER_LABELS: Record<string, number> = {
  ...{ bver: -1, bn: -2, bt: -3, bu: -4, bv: -5, bs: -6 },
  ...{ n: 0, u: 1, v: 2, vs: 3, vb: 4, s: 5, t: 6, ut: 7, vd: 8 },
};

/** The pack as a constrained device writes it: integers for labels. */
function withIntegerLabels(pack: readonly object[]): Map<number, unknown>[] {
  return pack.map((record) => new Map(Object.entries(record).map(([k, v]) => [INTEGER_LABELS[k] ?? 99, v])));
}

const value = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((v) => v + 0);
/** Milliseconds of a time that no receiver takes for a relative one. */
const absolute = fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 });
const reading = fc.record({ property: fc.constantFrom('PM10', 'TSP', 'RH'), time: absolute, value });

describe('SenML', () => {
  it('reads back what was written, in JSON and in CBOR, with base fields or without', () => {
    fc.assert(
      fc.property(
        fc.array(reading, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        absolute,
        (readings, based, baseTime) => {
          const pack = readings.map(({ property, time, value: v }, i) => {
            const t = based ? (time - baseTime) / 1_000 : time / 1_000;
            const base = based && i === 0 ? { bn: 'dust-01/', bt: baseTime / 1_000, bu: 'ug/m3' } : {};
            return { ...base, n: property, ...(t === 0 ? {} : { t }), v };
          });
          const unit = based ? 'ug/m3' : null;
          const wanted = readings.map((r) => ({ ...r, statistic: 'instant', quality: 'valid', unit }));
          expect(readingsOf(json(pack))).toEqual(wanted);
          expect(readingsOf(cbor(pack))).toEqual(wanted);
          expect(readingsOf(cbor(withIntegerLabels(pack)))).toEqual(wanted);
        },
      ),
      { seed: 3, numRuns: 150 },
    );
  });

  it('means the same however a pack is cut into base fields', () => {
    const record = fc.record({
      n: fc.constantFrom('PM10', 'TSP'),
      t: fc.integer({ min: -1_000, max: 1_000 }),
      v: fc.integer({ min: -1_000, max: 1_000 }),
    });
    const bases = fc.record({
      bn: fc.constantFrom('', 'a/', 'urn:dev:ow:1:'),
      bt: fc.integer({ min: 1_000_000_000, max: 2_000_000_000 }),
      bv: fc.integer({ min: -100, max: 100 }),
      bu: fc.constantFrom('Cel', 'V'),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(record, fc.option(bases)), { minLength: 1, maxLength: 12 }), (parts) => {
        const pack = parts.map(
          ([one, base]) => new Map<string, unknown>(Object.entries({ ...base, ...one })),
        );
        let base = { bn: '', bt: 0, bv: 0, bu: null as string | null };
        const resolved = parts.map(([one, set]) => {
          base = set ?? base;
          const t = base.bt + one.t;
          const u = base.bu === null ? {} : { u: base.bu };
          return new Map<string, unknown>(
            Object.entries({ n: base.bn + one.n, t, v: one.v + base.bv, ...u }),
          );
        });
        expect(resolve(pack, NOW)).toEqual(resolve(resolved, NOW));
      }),
      { seed: 3, numRuns: 150 },
    );
  });

  it('never throws on packs of any shape, and gives finite values and times only', () => {
    const label = fc.oneof(fc.constantFrom(...Object.keys(INTEGER_LABELS), 'x', 'x_'), fc.string());
    const field = fc.oneof(
      fc.double(),
      fc.string(),
      fc.boolean(),
      fc.constantFrom('PM10', 'dust-01/TSP', 'senml:x', '-'),
      fc.anything({ maxDepth: 2 }),
    );
    const pack = fc.oneof(
      fc.array(
        fc.oneof(
          { weight: 5, arbitrary: fc.dictionary(label, field) },
          { weight: 1, arbitrary: fc.anything() },
        ),
      ),
      fc.anything(),
    );
    fc.assert(
      fc.property(pack, fc.constantFrom('v1/devices/dust-01/senml', 'senml/gw'), (input, topic) => {
        const text = JSON.stringify(input);
        if (text !== undefined) checkSound(decode(Buffer.from(text), topic));
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });

  it('never throws on any bytes, nor on a good pack with bytes changed, cut off or put in', () => {
    const good = Buffer.from(
      encode([
        { bn: 'dust-01/', bt: 1.795e9, n: 'PM10', v: 1.5, u: 'V' },
        { n: 'RH', vb: true },
      ]),
    );
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .chain((changes) => fc.nat(good.length).map((cut) => ({ changes, cut })))
      .map(({ changes, cut }) => {
        const bytes = Buffer.from(good);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes.subarray(0, cut === 0 ? good.length : cut);
      });
    const bytes = fc.oneof(
      mutated,
      fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b)),
    );
    fc.assert(
      fc.property(bytes, (payload) => {
        fc.pre(payload[0] !== 0x1f || payload[1] !== 0x8b);
        checkSound(decode(payload));
        checkSound(decode(payload, 'senml'));
      }),
      { seed: 3, numRuns: 2_500 },
    );
  });

  it('takes as many records as are allowed, and says so of more', () => {
    const many = Array.from({ length: MOST_RECORDS }, (_, t) => ({ n: 'PM10', t: -t, v: t }));
    expect(readingsOf(json(many))).toHaveLength(MOST_RECORDS);
    expect(json([...many, { n: 'PM10', v: 0 }])).toMatchObject({ kind: 'rejected', reason: 'schema' });
  });

  it('survives JSON that is nested a hundred thousand times', () => {
    const deep = `[{"n":"PM10","v":${'['.repeat(100_000)}${']'.repeat(100_000)}}]`;
    expect(decode(Buffer.from(deep))).toMatchObject({ kind: 'readings', readings: [] });
  });

  it('refuses CBOR that promises a million items in a few bytes, at once and in little memory', () => {
    const before = process.memoryUsage().heapUsed;
    for (const head of [
      '9a000f4240',
      'ba000f4240',
      '9bffffffffffffffff',
      '81a1007affffffff',
      '81a1025affffffff',
    ])
      expect(decode(Buffer.from(head, 'hex'))).toMatchObject({ kind: 'rejected', reason: 'malformed' });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
  });

  it('has its own topics only', () => {
    expect(codec.match('v1/devices/dust-01/senml')).toEqual({
      device: 'dust-01',
      kind: 'readings',
      detail: '',
    });
    expect(codec.match('senml')).toEqual({ device: null, kind: 'readings', detail: '' });
    expect(codec.match('senml/site/gateway')).toEqual({ device: null, kind: 'readings', detail: '' });
    for (const other of ['senmlx', 'v1/devices/dust-01/senml/json', 'v1/devices/dust-01/observations', ''])
      expect(codec.match(other)).toBeNull();
  });
});

function checkSound(decoded: Decoded): void {
  const parts = decoded.kind === 'several' ? decoded.parts.map((part) => part.decoded) : [decoded];
  for (const part of parts) {
    if (part.kind === 'rejected') expect(part.detail).not.toBe('');
    else if (part.kind !== 'readings') throw new Error(`${part.kind} is nothing that SenML can say`);
    else for (const one of part.readings) expect([one.value, one.time].every(Number.isFinite)).toBe(true);
  }
}

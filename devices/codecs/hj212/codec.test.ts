import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Device, type RegisteredDevice } from '../../../contracts/index.ts';
import { encodeFrame, encodeSegment, encryptSegment, type SegmentFields } from '../../hj212/index.ts';
import type { Decoded, DecodedOne } from '../codec.ts';
import { hj212 } from './codec.ts';

const MN = '88888880000001';
const NOW = Date.parse('2026-11-18T12:16:00+08:00');
const HEAD = { qn: '20261118121500123', st: '31', cn: '2011', pw: '123456', mn: MN, flag: 5 };
const CP = 'DataTime=20261118121500;a21026-Rtd=10.1,a21026-Flag=N';
const KEY = Buffer.from('0123456789abcdef');

function stack(profile: Record<string, unknown> = {}): RegisteredDevice {
  const device = Device.parse({
    id: 'stack-1',
    kind: 'sensor',
    name: { zh: '烟囱', en: 'Stack' },
    site: 'site-1',
    location: [123.43, 41.8],
    addresses: [`hj212:${MN}`],
    hj212: profile,
  });
  return { ...device, version: 1, since: 0 };
}

function frame(fields: Partial<SegmentFields> = {}): Buffer {
  return encodeFrame(encodeSegment({ ...HEAD, cp: CP, ...fields }));
}

function speaker(device = stack(), key: Buffer | null = null) {
  const codec = hj212({ utcOffsetMs: 8 * 3_600_000, secretOf: () => key });
  const address = codec.match(`hj212/${MN}`);
  if (address === null) throw new Error('no address');
  const decode = (payload: Buffer, receivedAt = NOW, again = false): Decoded => {
    const decoded = codec.decode({ address, payload, receivedAt, device, userProperties: {}, again });
    if (decoded instanceof Promise) throw new Error('decoded at once');
    return decoded;
  };
  return { codec, decode };
}

describe('where readings come from is recorded with them', () => {
  const sourceOf = (payload: Buffer, device = stack()) => {
    const decoded = speaker(device).decode(payload);
    return decoded.kind === 'readings' ? decoded.source : decoded;
  };

  it('edition, checksum variant and re-sending', () => {
    expect(sourceOf(frame())).toBe('hj212-2017');
    expect(sourceOf(frame({ flag: 1 }))).toBe('hj212-2005');
    expect(sourceOf(frame({ flag: 9, resent: true }))).toBe('hj212-2025+resent');
    const modbus = encodeFrame(encodeSegment({ ...HEAD, cp: CP }), 'modbus');
    expect(sourceOf(modbus, stack({ crc: 'modbus' }))).toBe('hj212-2017+modbus');
  });

  it('the edition that a device’s profile states goes before Flag: surface-water stations said 8 years before 2025', () => {
    expect(sourceOf(frame({ st: '21', flag: 8 }), stack({ edition: '2017' }))).toBe('hj212-2017');
    expect(sourceOf(frame({ st: '21', flag: 8 }))).toBe('hj212-2025');
  });
});

describe('a frame that comes again', () => {
  it('is decoded like the first until that is durable, and then is nothing new', () => {
    const { decode } = speaker();
    const first = decode(frame());
    expect(first).toMatchObject({ kind: 'readings', readings: [{ property: 'SO2', value: 10.1 }] });
    expect(decode(frame())).toMatchObject({ kind: 'readings' });
    first.settled?.(true);
    expect(decode(frame())).toEqual({ kind: 'nothing', repeats: 1 });
    expect(decode(frame({ qn: '20261118121600123' }))).toMatchObject({ kind: 'readings' });
  });

  it('is looked at again when a part of it went to quarantine: the registry may have been put right', () => {
    const { decode } = speaker();
    decode(frame()).settled?.(false);
    expect(decode(frame())).toMatchObject({ kind: 'readings' });
  });

  it('is read again when it is run again out of quarantine, and that is not remembered', () => {
    const { decode } = speaker();
    decode(frame()).settled?.(true);
    const again = decode(frame(), NOW, true);
    expect(again).toMatchObject({ kind: 'readings' });
    expect(again.settled).toBeUndefined();
    expect(decode(frame({ cp: CP.replace('10.1', '9.1') }), NOW, true)).toMatchObject({
      reason: 'duplicate-conflict',
    });
  });

  it('with other content is a conflict that names both, and the first stays', () => {
    const { decode } = speaker();
    decode(frame()).settled?.(true);
    const other = decode(frame({ cp: CP.replace('10.1', '9.1') }));
    expect(other).toMatchObject({ kind: 'rejected', reason: 'duplicate-conflict' });
    expect(other).toHaveProperty(
      'detail',
      expect.stringMatching(/QN=20261118121500123 .*SHA-256 [0-9a-f]{64}, now [0-9a-f]{64}/),
    );
    expect(decode(frame())).toEqual({ kind: 'nothing', repeats: 1 });
  });

  it('may be marked as re-sent (2025): it is the same record', () => {
    const { decode } = speaker();
    decode(frame({ flag: 9 })).settled?.(true);
    expect(decode(frame({ flag: 9, resent: true }))).toEqual({ kind: 'nothing', repeats: 1 });
  });

  it('is not another record of one exchange: what a host asks for comes under the QN of its request', () => {
    const { decode } = speaker();
    const record = (minute: number) =>
      frame({ cn: '2051', cp: `DataTime=2026111812${minute}00;a21026-Avg=${minute},a21026-Flag=N` });
    for (const minute of [10, 20, 30]) expect(decode(record(minute))).toMatchObject({ kind: 'readings' });
  });

  it('is not taken for another packet, command or device', () => {
    const { decode } = speaker();
    decode(frame({ flag: 7, packet: { total: 2, index: 1 } })).settled?.(true);
    expect(decode(frame({ flag: 7, packet: { total: 2, index: 2 } }))).toMatchObject({ kind: 'readings' });
    expect(decode(frame({ cn: '2051', cp: CP.replace('Rtd', 'Avg') }))).toMatchObject({ kind: 'readings' });
  });

  it('without QN is judged by its values alone, in ingest', () => {
    const { decode } = speaker();
    decode(frame({ qn: null })).settled?.(true);
    expect(decode(frame({ qn: null }))).toMatchObject({ kind: 'readings' });
  });

  it('is forgotten after a while, and memory stays bounded', () => {
    const { decode } = speaker();
    decode(frame()).settled?.(true);
    for (let i = 0; i < 40; i += 1)
      decode(frame({ qn: `202611181215001${String(i).padStart(2, '0')}` })).settled?.(true);
    expect(decode(frame())).toMatchObject({ kind: 'readings' });
  });
});

describe('several frames in one payload', () => {
  it('are taken each by itself, good beside broken', () => {
    const { decode } = speaker();
    const broken = Buffer.from(frame().toString('latin1').replace('10.1', '10.2'), 'latin1');
    const decoded = decode(
      Buffer.concat([frame(), broken, frame({ qn: '20261118121600000', flag: 9, resent: true })]),
    );
    if (decoded.kind !== 'several') throw new Error(decoded.kind);
    expect(decoded.parts.map((part) => [part.device, part.decoded.kind])).toEqual([
      [`hj212:${MN}`, 'readings'],
      [`hj212:${MN}`, 'rejected'],
      [`hj212:${MN}`, 'readings'],
    ]);
    expect(decoded.parts[1]?.decoded).toMatchObject({ reason: 'crc-mismatch' });
    decoded.settled?.(true);
    expect(decode(frame())).toEqual({ kind: 'nothing', repeats: 1 });
  });
});

describe('a payload that is broken all through', () => {
  it('is given up after some pieces: it holds nobody up, and fills no quarantine', () => {
    const { decode } = speaker();
    const decoded = decode(Buffer.concat([frame(), Buffer.from('##0999'.repeat(150_000)), frame()]));
    if (decoded.kind !== 'several') throw new Error(decoded.kind);
    expect(decoded.parts).toHaveLength(22);
    expect(decoded.parts[0]?.decoded.kind).toBe('readings');
    expect(decoded.parts.at(-1)?.decoded).toMatchObject({
      reason: 'malformed',
      detail: expect.stringContaining('the payload was not looked at'),
    });
  });
});

describe('an encrypted device (2025)', () => {
  const sealed = (cp = CP, key = KEY) => {
    const plain = encodeSegment({ ...HEAD, flag: 9, cp });
    return encodeFrame(plain, 'standard', encryptSegment(plain, key));
  };

  it('is understood with its key', () => {
    const { decode } = speaker(stack({ encrypted: true }), KEY);
    expect(decode(sealed())).toMatchObject({
      kind: 'readings',
      readings: [{ property: 'SO2', value: 10.1 }],
    });
  });

  it('is refused without a key, or with another', () => {
    for (const key of [null, Buffer.alloc(16)])
      expect(speaker(stack({ encrypted: true }), key).decode(sealed())).toMatchObject({
        kind: 'rejected',
        reason: 'not-decrypted',
      });
  });

  it('is not believed in plain text: anybody could have written that', () => {
    const { decode } = speaker(stack({ encrypted: true }), KEY);
    expect(decode(frame({ flag: 9 }))).toMatchObject({ kind: 'rejected', reason: 'not-decrypted' });
    expect(decode(frame({ flag: 9, cn: '9015', cp: '' }))).toMatchObject({ kind: 'nothing' });
  });
});

describe('packets that never come', () => {
  const first = frame({ flag: 7, packet: { total: 3, index: 1 } });

  it('are named once to who asks', () => {
    const { codec, decode } = speaker();
    decode(first);
    expect(codec.overdue?.(NOW)).toEqual([]);
    const rejected = { reason: 'packet-incomplete', detail: expect.stringContaining('2, 3 never came') };
    expect(codec.overdue?.(NOW + 600_000)).toEqual([
      { device: `hj212:${MN}`, topic: `hj212/${MN}`, rejected },
    ]);
    expect(codec.overdue?.(NOW + 600_000)).toEqual([]);
  });

  it('are named with the next frame of their device otherwise', () => {
    const { decode } = speaker();
    decode(first);
    const later = decode(frame({ qn: '20261118123000000' }), NOW + 600_000);
    expect(later).toMatchObject({ kind: 'readings', rejected: [{ reason: 'packet-incomplete' }] });
  });
});

describe('what is encoded is understood', () => {
  const codes = ['a21026', 'a21002', 'a34013', 'a19001', 'a01011'] as const;
  const flags = {
    N: 'valid',
    F: 'stopped',
    M: 'maintenance',
    S: 'manual',
    D: 'fault',
    C: 'calibration',
    T: 'over-range',
    B: 'comms-error',
  } as const;
  const item = fc.tuple(
    fc.constantFrom(...codes),
    fc.integer({ min: -99_999, max: 99_999 }),
    fc.constantFrom(...Object.keys(flags)),
  );

  it('value by value, with its quality, in every edition', () => {
    const items = fc.uniqueArray(item, { minLength: 1, selector: ([code]) => code });
    fc.assert(
      fc.property(items, fc.constantFrom(0, 4, 8), fc.boolean(), (given, version, sealedToo) => {
        const cp = given
          .map(([code, n, flag]) => `${code}-Rtd=${(n / 100).toFixed(2)},${code}-Flag=${flag}`)
          .join(';');
        const plain = encodeSegment({ ...HEAD, flag: version + 1, cp: `DataTime=20261118121500;${cp}` });
        const payload =
          sealedToo && version === 8
            ? encodeFrame(plain, 'standard', encryptSegment(plain, KEY))
            : encodeFrame(plain);
        const decoded = speaker(stack(), KEY).decode(payload);
        if (decoded.kind !== 'readings') throw new Error(JSON.stringify(decoded));
        expect(decoded.rejected).toBeUndefined();
        expect(decoded.readings.map(({ value, quality }) => [value, quality])).toEqual(
          given.map(([, n, flag]) => [Number((n / 100).toFixed(2)), flags[flag as keyof typeof flags]]),
        );
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

describe('whatever comes', () => {
  const kinds = ['readings', 'nothing', 'rejected'];
  const text = fc.string({
    unit: fc.constantFrom(...'DataTime=20261118a-Rtd;,&#Flag/ＮX.名'),
    maxLength: 120,
  });
  const odd = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    text.map((cp) => frame({ cp })),
    fc
      .tuple(text, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
      .map(([cp, total, index]) => frame({ cp, flag: 7, packet: { total: Math.max(total, index), index } })),
    fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 4 })).map(([where, bytes]) => {
      const base = frame();
      const at = where % base.length;
      return Buffer.concat([base.subarray(0, at), bytes, base.subarray(at + 1)]);
    }),
    text.map((head) => encodeFrame(Buffer.from(`${head};MN=${MN};CN=2011;CP=&&${head}&&`))),
  );

  it('nothing throws, numbers are finite, and what is rejected says why', () => {
    const { decode } = speaker(stack({ encrypted: false }), KEY);
    const check = (one: DecodedOne) => {
      expect(kinds).toContain(one.kind);
      if (one.kind === 'rejected') expect(one.detail.length).toBeGreaterThan(5);
      if (one.kind !== 'readings') return;
      expect(one.readings.every(({ value, time }) => Number.isFinite(value) && Number.isFinite(time))).toBe(
        true,
      );
      expect(one.readings.length + (one.rejected?.length ?? 0)).toBeGreaterThan(0);
    };
    fc.assert(
      fc.property(odd, (payload) => {
        const decoded = decode(payload);
        if (decoded.kind === 'several') for (const { decoded: one } of decoded.parts) check(one);
        else check(decoded);
      }),
      { seed: 212, numRuns: 3_000 },
    );
  });
});

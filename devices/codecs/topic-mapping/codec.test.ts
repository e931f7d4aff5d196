import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Codec, Decoded } from '../codec.ts';
import { topicMapping } from './codec.ts';
import { TopicMappings } from './config.ts';

const RECEIVED = 1_795_000_000_000;

function codecOf(...mappings: Record<string, unknown>[]): Codec {
  return topicMapping(TopicMappings.parse(mappings), 8 * 3_600_000);
}

function decode(codec: Codec, topic: string, payload: unknown): Decoded {
  const address = codec.match(topic);
  if (address === null) throw new Error('no mapping has this topic');
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return codec.decode({
    address,
    payload: bytes,
    receivedAt: RECEIVED,
    device: undefined,
    userProperties: {},
  }) as Decoded;
}

const one = (reading: Record<string, unknown>) =>
  codecOf({ name: 'm', topic: 'a/{device}', readings: [reading] });
const values = (decoded: Decoded) =>
  decoded.kind === 'readings' ? decoded.readings.map((r) => [r.property, r.value, r.quality]) : decoded;

describe('whose a message is', () => {
  it('is told by the topic, before the payload is read', () => {
    const codec = codecOf({
      name: 'm',
      topic: 'x/{org}/{eui}',
      device: 'lora:{org}/{eui}',
      readings: [{ property: 'T' }],
    });
    expect(codec.match('x/a/b')).toMatchObject({ device: 'lora:a/b', kind: 'readings', detail: '' });
    expect(codec.match('x/a')).toBeNull();
  });

  it('or by the payload', () => {
    const device = 'lora:{$.info.eui}';
    const codec = codecOf({ name: 'm', topic: 'up', device, readings: [{ property: 'T', path: 't' }] });
    expect(codec.match('up')?.device).toBeNull();
    expect(decode(codec, 'up', { info: { eui: ' 0a ' }, t: 1 })).toMatchObject({
      kind: 'several',
      parts: [{ device: 'lora:0a', decoded: { kind: 'readings', source: 'mapping:m' } }],
    });
    expect(decode(codec, 'up', { info: { eui: 7 }, t: 1 })).toMatchObject({ parts: [{ device: 'lora:7' }] });
    for (const eui of [undefined, null, '', 1.5, {}, true, 'x'.repeat(300)]) {
      expect(decode(codec, 'up', { info: { eui }, t: 1 })).toMatchObject({
        kind: 'rejected',
        reason: 'schema',
      });
    }
  });

  it('and never of a topic that has a meaning of its own', () => {
    const codec = codecOf({ name: 'all', topic: '#', ignore: true });
    for (const topic of ['v1/devices/a/observations', 'v1/frames', 'spBv1.0/g/NDATA/n', '$SYS/x']) {
      expect(codec.match(topic)).toBeNull();
    }
    expect(codec.match('anything/else')).not.toBeNull();
    expect(codecOf().match('anything/else')).toBeNull();
  });
});

describe('which mapping holds', () => {
  const codec = codecOf(
    {
      name: 'dust',
      topic: 'a/{device}',
      when: [{ path: 'type', in: ['dust', 7] }],
      readings: [{ property: 'TSP', path: 'v' }],
    },
    { name: 'empty', topic: 'a/{device}', when: [{ path: 'v', exists: false }], ignore: true },
    {
      name: 'noise',
      topic: 'a/{device}',
      when: [{ path: 'type', in: ['noise'] }],
      readings: [{ property: 'LAeq', path: 'v' }],
    },
  );

  it('is told by what the payload holds; the first that fits', () => {
    expect(values(decode(codec, 'a/x', { type: 'dust', v: 1 }))).toEqual([['TSP', 1, 'valid']]);
    expect(values(decode(codec, 'a/x', { type: 7, v: 1 }))).toEqual([['TSP', 1, 'valid']]);
    expect(values(decode(codec, 'a/x', { type: 'noise', v: 2 }))).toEqual([['LAeq', 2, 'valid']]);
    expect(decode(codec, 'a/x', { type: 'other' })).toEqual({ kind: 'nothing' });
  });

  it('or none: that is said, not dropped', () => {
    expect(decode(codec, 'a/x', { type: 'other', v: 1 })).toMatchObject({
      reason: 'schema',
      detail: expect.stringContaining('the conditions of no mapping hold (dust, empty, noise)'),
    });
    expect(decode(codec, 'a/x', 'no json')).toMatchObject({ reason: 'not-json' });
  });
});

describe('readings', () => {
  it('carry unit, statistic, scale and quality', () => {
    const codec = one({
      property: 'PM10',
      path: 'v',
      unit: 'ug/m3',
      statistic: 'minute',
      scale: 0.1,
      quality: { path: 'flag', values: { 0: 'valid', ERR: 'fault' } },
    });
    expect(decode(codec, 'a/x', { v: 3, flag: 0 })).toMatchObject({
      readings: [
        {
          property: 'PM10',
          value: 0.3,
          unit: 'ug/m3',
          statistic: 'minute',
          quality: 'valid',
          time: RECEIVED,
        },
      ],
    });
    expect(values(decode(codec, 'a/x', { v: 3, flag: 'ERR' }))).toEqual([['PM10', 0.3, 'fault']]);
    // A flag that is missing, or that nobody knows, is never `valid`.
    expect(values(decode(codec, 'a/x', { v: 3 }))).toEqual([['PM10', 0.3, 'unknown']]);
    expect(values(decode(codec, 'a/x', { v: 3, flag: '__proto__' }))).toEqual([['PM10', 0.3, 'unknown']]);
  });

  it('are taken beside others that are missing or wrong, which are named', () => {
    const readings = [
      { property: 'A', path: 'a' },
      { property: 'B', path: 'b' },
      { property: 'C', path: 'c', optional: true },
      { property: 'D', path: 'd', optional: true },
    ];
    const codec = codecOf({ name: 'm', topic: 'a/{device}', readings });
    const decoded = decode(codec, 'a/x', { a: 1, d: 'NaN' });
    expect(decoded).toMatchObject({
      readings: [{ property: 'A' }],
      rejected: [
        { reason: 'schema', detail: 'b: nothing found in an object with the keys a, d; a number is allowed' },
        { reason: 'value-not-finite', detail: 'd: "NaN" found; a finite number is allowed' },
      ],
    });
    expect(decode(codec, 'a/x', { a: 'x' })).toMatchObject({ kind: 'rejected', reason: 'schema' });
  });

  it('of every key of an object, where they are numbers', () => {
    const codec = one({ property: 'lab_{*}', path: 'values.*', rename: { lab_tsp: 'TSP' } });
    const payload = '{"values": {"tsp": 1, "no2": 2, "unit": "mg", "ok": true, "__proto__": 3}}';
    expect(values(decode(codec, 'a/x', payload))).toEqual([
      ['TSP', 1, 'valid'],
      ['lab_no2', 2, 'valid'],
      ['lab___proto__', 3, 'valid'],
    ]);
    expect(decode(codec, 'a/x', { values: {} })).toMatchObject({ kind: 'rejected', reason: 'schema' });
  });

  it('that JSON can write but no double can hold are broken', () => {
    expect(decode(one({ property: 'A', path: 'a' }), 'a/x', '{"a": 1e999}')).toMatchObject({
      reason: 'value-not-finite',
    });
  });
});

describe('whatever comes', () => {
  const codec = codecOf(
    { name: 's', topic: '{device}/status', status: { paths: ['a', '$'] } },
    {
      name: 'text',
      topic: '{device}/{property}/text',
      payload: 'text',
      readings: [{ property: '{property}' }],
    },
    {
      name: 'm',
      topic: '{device#}/json',
      device: '{$.a}',
      when: [{ path: 'b', exists: true }],
      time: { format: 'local', path: 'time', orReceived: true },
      readings: [
        { property: '{$.a}', path: 'a', values: { a: 1 }, quality: { path: 'b', values: { a: 'fault' } } },
        { property: 'b', path: 'b[0].a', scale: 0.1, optional: true },
        { property: '{*}', path: '$.*', optional: true },
      ],
    },
  );
  const topic = fc.constantFrom('x/status', 'x/T/text', 'x/y/json', 'x/json');
  const key = fc.constantFrom('a', 'b', 'time', '__proto__', 'constructor', 'toString');
  const leaf = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('online', 'a', '2026-01-10T12:00:00'),
  );
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(key, tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  const payload = fc.oneof(
    value.map((one) => Buffer.from(JSON.stringify(one))),
    fc.oneof(fc.string(), fc.double().map(String)).map((text) => Buffer.from(text)),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );

  function sound(decoded: Decoded): void {
    if (decoded.kind === 'several') for (const part of decoded.parts) sound(part.decoded);
    if (decoded.kind === 'rejected') expect(decoded.detail.length).toBeLessThan(3_000);
    if (decoded.kind !== 'readings') return;
    expect(decoded.readings.length).toBeGreaterThan(0);
    for (const reading of decoded.readings) {
      expect(Number.isFinite(reading.value) && typeof reading.time === 'number').toBe(true);
      expect(reading.property).not.toBe('');
      expect(typeof reading.quality).toBe('string');
    }
  }

  it('is decoded or rejected, and nothing throws', () => {
    let readings = 0;
    fc.assert(
      fc.property(topic, payload, (where, bytes) => {
        const decoded = decode(codec, where, bytes);
        sound(decoded);
        if (JSON.stringify(decoded).includes('"kind":"readings"')) readings += 1;
      }),
      { numRuns: 10_000, seed: 6 },
    );
    expect(readings).toBeGreaterThan(200);
  });

  it('nested a hundred thousand deep is no matter', () => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect(decode(one({ property: 'A', path: 'a' }), 'a/x', deep)).toMatchObject({
      kind: 'rejected',
      reason: 'schema',
    });
    expect(decode(one({ property: 'A', path: 'a' }), 'a/x', '['.repeat(500_000))).toMatchObject({
      reason: 'not-json',
    });
  });

  it('leaves no trace in what all objects share', () => {
    decode(
      codec,
      'x/json',
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "b": 1, "a": "x"}',
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('a property name is never longer than a topic lets it be', () => {
    const long = 'x'.repeat(300);
    expect(decode(codec, `d/${long}/text`, '1')).toMatchObject({
      kind: 'rejected',
      detail: expect.stringContaining('300 characters'),
    });
  });
});

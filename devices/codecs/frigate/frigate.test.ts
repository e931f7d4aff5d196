import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decoded } from '../codec.ts';
import { frigateCodec } from './codec.ts';
import { FrigateConfig } from './config.ts';
import { snapshotTimes } from './snapshot-times.ts';

/** What Frigate says on MQTT, as a story: what the times of its pictures become. */

const NOW = 1_795_000_000_000;
const jpeg = (mark: number) => Buffer.from([0xff, 0xd8, 0xff, 0xe0, mark]);

function frigate(config: Record<string, unknown> = {}) {
  const codec = frigateCodec(FrigateConfig.parse(config));
  return (topic: string, payload: unknown, at = NOW, sender: string | null = 'nvr-01'): Decoded => {
    const address = codec.match(topic);
    if (address === null) throw new Error(`not of Frigate: ${topic}`);
    const bytes = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
    const input = { address, payload: bytes, receivedAt: at, device: undefined, userProperties: {}, sender };
    return codec.decode(input) as Decoded;
  };
}

const event = (id: string, atS: number, more: Record<string, unknown> = {}) => ({
  type: 'update',
  before: {},
  after: { id, camera: 'gate', label: 'person', snapshot: { frame_time: atS }, ...more },
});
const timeOf = (decoded: Decoded) =>
  decoded.kind === 'picture' ? [decoded.time, decoded.timeFrom] : decoded;

describe('the time of a snapshot', () => {
  it('is that of its event, once; the next one needs an event of its own', () => {
    const say = frigate();
    say('frigate/events', event('a', 1_794_999_999.25));
    expect(timeOf(say('frigate/gate/person/snapshot', jpeg(1)))).toEqual([1_794_999_999_250, 'event']);
    expect(timeOf(say('frigate/gate/person/snapshot', jpeg(2), NOW + 500))).toEqual([NOW + 500, 'received']);
    // Frigate tells the time of the same snapshot with each update: it is not that of a further one.
    say('frigate/events', event('a', 1_794_999_999.25), NOW + 900);
    expect(timeOf(say('frigate/gate/person/snapshot', jpeg(3), NOW + 1_000))).toEqual([
      NOW + 1_000,
      'received',
    ]);
    say('frigate/events', event('a', 1_795_000_001.5), NOW + 1_600);
    expect(timeOf(say('frigate/gate/person/snapshot', jpeg(4), NOW + 1_700))).toEqual([
      1_795_000_001_500,
      'event',
    ]);
  });

  it('stays the same when the same picture comes again', () => {
    const say = frigate();
    say('frigate/events', event('a', 1_794_999_999));
    const first = say('frigate/gate/person/snapshot', jpeg(1));
    expect(say('frigate/gate/person/snapshot', jpeg(1), NOW + 60_000)).toEqual(first);
    const unannounced = say('frigate/gate/person/snapshot', jpeg(2), NOW + 61_000);
    expect(say('frigate/gate/person/snapshot', jpeg(2), NOW + 99_000)).toEqual(unannounced);
  });

  it('is never that of another picture of the camera: a person and a car of one moment differ by a millisecond', () => {
    const say = frigate();
    say('frigate/events', event('a', 1_794_999_999));
    say('frigate/events', event('b', 1_794_999_999, { label: 'car' }));
    expect(timeOf(say('frigate/gate/person/snapshot', jpeg(1)))).toEqual([1_794_999_999_000, 'event']);
    expect(timeOf(say('frigate/gate/car/snapshot', jpeg(2)))).toEqual([1_794_999_999_001, 'event']);
    say('frigate/events', event('b', 1_794_999_999, { label: 'car' }));
    expect(timeOf(say('frigate/gate/car/snapshot', jpeg(3)))).toEqual([NOW, 'received']);
  });

  it('is set by nobody but who sends the snapshot', () => {
    const say = frigate();
    say('frigate/events', event('a', 1_794_999_999), NOW, 'intruder');
    expect(timeOf(say('frigate/gate/person/snapshot', jpeg(1)))).toEqual([NOW, 'received']);
  });

  it('may be announced for as long as is configured', () => {
    const say = frigate({ eventForS: 0 });
    say('frigate/events', event('a', 1_794_999_999), NOW - 1);
    expect(timeOf(say('frigate/gate/person/snapshot', jpeg(1)))).toEqual([NOW, 'received']);
  });

  it('takes a bounded memory', () => {
    const times = snapshotTimes(10_000);
    for (let i = 0; i < 20_000; i++) {
      times.announce({ sender: null, camera: `c${i}`, label: 'x', event: 'e', time: NOW, receivedAt: NOW });
    }
    const of = (camera: string) =>
      times.of({ sender: null, camera, label: 'x', hash: camera, receivedAt: NOW + 1 });
    expect(of('c0').timeFrom).toBe('received');
    expect(of('c19999').timeFrom).toBe('event');
  });
});

describe('whose a topic is', () => {
  it('cameras of a Frigate with a prefix of its own have it in their address', () => {
    const codec = frigateCodec(FrigateConfig.parse({ topicPrefixes: ['frigate', 'nvr-2'] }));
    expect(codec.match('frigate/gate/person/snapshot')?.device).toBe('frigate:gate');
    expect(codec.match('nvr-2/gate/person/snapshot')?.device).toBe('frigate:nvr-2/gate');
    expect(codec.match('nvr-3/gate/person/snapshot')).toBeNull();
    expect(codec.match('frigate')).toBeNull();
  });

  it('its own last will is of the device that it signed in as', () => {
    const say = frigate();
    const parts = [{ device: 'nvr-01', decoded: { kind: 'status', status: 'offline' } }];
    expect(say('frigate/available', 'offline')).toEqual({ kind: 'several', parts });
    expect(say('frigate/available', 'perhaps')).toMatchObject({ kind: 'rejected', reason: 'schema' });
  });

  it('a name that no camera has is refused, and remembered nowhere', () => {
    const long = 'x'.repeat(60_000);
    for (const topic of [`frigate/${long}/person/snapshot`, `frigate/gate/${long}/snapshot`]) {
      expect(frigateCodec().match(topic)?.device).toBeNull();
      expect(frigate()(topic, jpeg(1))).toMatchObject({ kind: 'rejected', reason: 'schema' });
    }
  });

  it('an empty list of prefixes: Frigate is not listened to', () => {
    const codec = frigateCodec(FrigateConfig.parse({ topicPrefixes: [] }));
    expect(codec.match('frigate/events')).toBeNull();
  });
});

describe('whatever comes', () => {
  it('is decoded or rejected, and nothing throws', () => {
    const say = frigate();
    const level = fc.oneof(
      fc.constantFrom('gate', 'person', 'snapshot', 'events', 'available', 'status', 'detect', ''),
      fc.string(),
    );
    const topic = fc
      .array(level, { minLength: 1, maxLength: 4 })
      .map((levels) => ['frigate', ...levels].join('/'));
    const known = fc.constantFrom(
      'frigate/events',
      'frigate/gate/person/snapshot',
      'frigate/gate/status/detect',
    );
    const number = fc.oneof(fc.double(), fc.constantFrom(1_794_999_999.5, 1_795_000_003));
    const text = fc.constantFrom('a', 'b', 'gate', 'person', '', '__proto__');
    const after = fc.record(
      {
        id: text,
        camera: text,
        label: text,
        snapshot: fc.oneof(fc.record({ frame_time: number }), fc.constant(null)),
        snapshot_time: number,
      },
      { requiredKeys: [] },
    );
    const payload = fc.oneof(
      fc
        .record({ type: fc.constantFrom('new', 'update', 'end', 'x'), after })
        .map((one) => Buffer.from(JSON.stringify(one))),
      fc.uint8Array().map((bytes) => Buffer.concat([jpeg(0), bytes])),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    let pictures = 0;
    fc.assert(
      fc.property(fc.oneof(topic, known), payload, fc.nat(100_000), (where, bytes, at) => {
        const decoded = say(where, bytes, NOW + at);
        if (decoded.kind !== 'picture' || where !== 'frigate/gate/person/snapshot') return;
        pictures += 1;
        expect(Number.isSafeInteger(decoded.time)).toBe(true);
      }),
      { numRuns: 3_000, seed: 4 },
    );
    expect(pictures).toBeGreaterThan(100);
  });

  it('no two pictures of a camera have one time, and one picture has one', () => {
    const step = fc.oneof(
      fc.record({ event: fc.constantFrom('a', 'b'), label: fc.constantFrom('person', 'car'), s: fc.nat(2) }),
      fc.record({ picture: fc.nat(9), label: fc.constantFrom('person', 'car'), s: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const say = frigate();
        /** Bytes, by time. */
        const given = new Map<number, number>();
        for (const one of steps) {
          if ('event' in one) {
            say('frigate/events', event(one.event, 1_795_000_000 + one.s, { label: one.label }));
            continue;
          }
          const decoded = say(`frigate/gate/${one.label}/snapshot`, jpeg(one.picture), NOW + one.s * 1_000);
          if (decoded.kind !== 'picture') throw new Error('a picture is wanted');
          expect(given.get(decoded.time) ?? one.picture).toBe(one.picture);
          given.set(decoded.time, one.picture);
        }
        expect(new Set(given.values()).size).toBe(given.size);
      }),
      { numRuns: 300, seed: 12 },
    );
  });
});

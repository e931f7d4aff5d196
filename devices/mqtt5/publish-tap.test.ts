import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PublishTap, type TappedPublish } from './publish-tap.ts';

const V5 = { protocolVersion: 5 };
const MAX = 1_000;

function publish(changes: Record<string, unknown> = {}): Buffer {
  const base = {
    cmd: 'publish',
    topic: 'a/b',
    payload: 'x',
    qos: 1,
    messageId: 7,
    dup: false,
    retain: false,
  };
  return generate({ ...base, ...changes } as Packet, V5);
}

/** What the tap makes of bytes that come in pieces of these sizes. */
function tapped(bytes: Buffer, sizes: readonly number[] = []) {
  const found: TappedPublish[] = [];
  const passed: Buffer[] = [];
  const faults: string[] = [];
  const tap = new PublishTap(
    { maxBytes: MAX, controlBytes: MAX },
    {
      publish: (one) => found.push({ ...one, payload: Buffer.from(one.payload) }),
      fault: (message) => faults.push(message),
    },
  );
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    const rest = at < bytes.length ? tap.pass(bytes.subarray(at, at + size)) : null;
    if (rest !== null) passed.push(Buffer.from(rest));
    at += size;
  }
  return { found, passed: Buffer.concat(passed), faults };
}

describe('the tap', () => {
  it('takes publishes of QoS 0 and 1 and lets all else through', () => {
    const pong = generate({ cmd: 'pingresp' }, V5);
    const second = publish({ qos: 2, messageId: 9 });
    const bytes = Buffer.concat([publish(), pong, publish({ qos: 0, payload: 'y' }), second]);
    const { found, passed } = tapped(bytes);
    expect(found.map(({ qos, messageId, payload }) => [qos, messageId, String(payload)])).toEqual([
      [1, 7, 'x'],
      [0, 0, 'y'],
    ]);
    expect(passed).toEqual(Buffer.concat([pong, second]));
  });

  it('reads user properties and skips the others', () => {
    const properties = {
      userProperties: { camera: 'cam-01', time: '1795000000000' },
      contentType: 'image/jpeg',
      messageExpiryInterval: 60,
      subscriptionIdentifier: 300,
      payloadFormatIndicator: true,
      correlationData: Buffer.from([1, 2]),
    };
    const [one] = tapped(publish({ properties })).found;
    expect({ ...one?.userProperties }).toEqual(properties.userProperties);
    expect(String(one?.payload)).toBe('x');
  });

  it('keeps head, size and hash of a publish that is too long to be held', () => {
    const payload = Buffer.alloc(300_000, 'long ');
    const bytes = Buffer.concat([publish({ payload }), publish()]);
    const { found } = tapped(bytes, [10, 5_000, 200_000, 90_000]);
    expect(found).toHaveLength(2);
    expect(found[0]?.oversize).toEqual({
      size: payload.length,
      sha256: createHash('sha256').update(payload).digest('hex'),
    });
    expect(payload.subarray(0, found[0]?.payload.length).equals(found[0]?.payload ?? Buffer.alloc(0))).toBe(
      true,
    );
  });

  it.each<[string, number[]]>([
    ['a remaining length of five bytes', [0x30, 0xff, 0xff, 0xff, 0xff, 1]],
    ['a topic that is longer than the packet', [0x30, 4, 0, 9, 97, 98]],
    ['the packet identifier 0', [0x32, 6, 0, 1, 97, 0, 0, 0]],
    ['properties that are longer than the packet', [0x30, 5, 0, 1, 97, 9, 0]],
    ['a property that no publish has', [0x30, 6, 0, 1, 97, 2, 0x11, 0]],
  ])('faults %s, once, and then lets nothing through', (_what, bytes) => {
    const { faults, passed } = tapped(Buffer.concat([Buffer.from(bytes), Buffer.from([0xd0, 0])]));
    expect(faults).toHaveLength(1);
    expect(passed).toHaveLength(0);
  });

  it('does the same however the bytes are cut', () => {
    const packet = fc.oneof(
      fc
        .record({
          topic: fc.string({ minLength: 1, maxLength: 20 }),
          payload: fc.string({ maxLength: 1_500 }),
          qos: fc.constantFrom(0, 1),
          messageId: fc.integer({ min: 1, max: 65_535 }),
          properties: fc.oneof(fc.constant({}), fc.constant({ userProperties: { a: 'b' } })),
        })
        .map(publish),
      fc.constant(generate({ cmd: 'pingresp' }, V5)),
    );
    const input = fc.tuple(fc.array(packet, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 400 })));
    fc.assert(
      fc.property(input, ([packets, sizes]) => {
        const bytes = Buffer.concat(packets);
        expect(tapped(bytes, sizes)).toEqual(tapped(bytes));
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('neither throws nor loops on any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.integer({ min: 1, max: 50 })),
        (bytes, sizes) => {
          expect(tapped(Buffer.from(bytes), sizes).faults.length).toBeLessThanOrEqual(1);
        },
      ),
      { seed: 5, numRuns: 2_000 },
    );
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { type GateEvents, HEAD_BYTES, type OversizePublish, packetGate } from './packet-gate.ts';

const LIMITS = { bufferBytes: 2_000, packetBytes: 400_000 };

function publish(payloadBytes: number, qos: 0 | 1 | 2 = 1): Buffer {
  const payload = Buffer.alloc(payloadBytes, 'ab');
  const packet: Packet = {
    cmd: 'publish',
    topic: 'v1/devices/d/frames',
    payload,
    qos,
    dup: false,
    retain: false,
  };
  return generate(qos > 0 ? { ...packet, messageId: 7 } : packet);
}

/** A PUBLISH that was handed over. */
interface Taken {
  topic: string;
  payload: string;
  messageId: number;
}

function run(stream: Buffer, cuts: readonly number[], connected = true, taking = false) {
  const oversize: OversizePublish[] = [];
  const refused: string[] = [];
  const taken: Taken[] = [];
  const events: GateEvents = {
    publish: (topic, payload, messageId) =>
      taken.push({ topic, payload: payload.toString('latin1'), messageId }),
    oversize: (p) => oversize.push(p),
    refuse: (reason) => refused.push(reason),
  };
  const gate = packetGate(LIMITS, events);
  if (connected) gate.pass(generate({ cmd: 'pingreq' }));
  if (taking) gate.takePublishes();
  const passed: Buffer[] = [];
  const edges = [0, ...[...cuts].sort((a, b) => a - b), stream.length];
  for (let i = 1; i < edges.length; i++) {
    const chunk = stream.subarray(edges[i - 1], edges[i]);
    const part = chunk.length > 0 ? gate.pass(chunk) : null;
    if (part !== null) passed.push(part);
  }
  return { passed: Buffer.concat(passed), oversize, refused, gate, taken };
}

describe('packet gate', () => {
  it('lets ordinary packets through unchanged, and not copied', () => {
    const stream = Buffer.concat([publish(10), publish(1_900), generate({ cmd: 'pingreq' })]);
    expect(run(stream, []).passed).toEqual(stream);
  });

  it('keeps head, true size and hash of a long publish, and lets its neighbours through', () => {
    const long = publish(300_000);
    const { passed, oversize } = run(Buffer.concat([publish(10), long, publish(20, 0)]), [70_000]);
    expect(passed).toEqual(Buffer.concat([publish(10), publish(20, 0)]));
    const sha256 = createHash('sha256').update(Buffer.alloc(300_000, 'ab')).digest('hex');
    expect(oversize).toHaveLength(1);
    expect(oversize[0]).toMatchObject({
      topic: 'v1/devices/d/frames',
      qos: 1,
      messageId: 7,
      size: 300_000,
      sha256,
    });
    expect(oversize[0]?.head).toEqual(Buffer.alloc(HEAD_BYTES, 'ab'));
  });

  it('does the same however the bytes are cut into chunks', () => {
    const parts = fc.array(fc.tuple(fc.constantFrom(0, 1, 1_900, 2_500, 9_000), fc.constantFrom(0, 1, 2)), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(parts, fc.array(fc.nat(20_000), { maxLength: 12 }), (sizes, cuts) => {
        const packets = sizes.map(([size, qos]) => publish(size, qos as 0 | 1 | 2));
        const stream = Buffer.concat(packets);
        const { passed, oversize } = run(
          stream,
          cuts.map((c) => c % stream.length),
        );
        const ordinary = packets.filter((p) => p.length - 3 <= LIMITS.bufferBytes);
        expect(passed).toEqual(Buffer.concat(ordinary));
        expect(oversize.map((o) => o.size)).toEqual(sizes.map(([s]) => s).filter((s) => s >= 2_500));
      }),
      { numRuns: 300 },
    );
  });

  it('ends a connection that announces more than the limit', () => {
    expect(run(publish(400_001).subarray(0, 10), []).refused).toEqual(['packet-too-large']);
  });

  it('expects no long packet before a client has said who it is', () => {
    expect(run(publish(300_000).subarray(0, 10), [], false).refused).toEqual(['packet-too-large']);
  });

  it('refuses a length of five bytes and a topic longer than its packet', () => {
    expect(run(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff]), []).refused).toEqual(['malformed']);
    const lying = publish(3_000);
    lying.writeUInt16BE(60_000, 3);
    expect(run(lying, []).refused).toEqual(['malformed']);
  });

  it('notices a farewell', () => {
    expect(run(generate({ cmd: 'disconnect' }), []).gate.saidGoodbye).toBe(true);
  });

  it('survives any bytes in any pieces', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 5_000 }),
        fc.array(fc.nat(5_000), { maxLength: 8 }),
        (bytes, cuts) => {
          const all = Buffer.from(bytes);
          const { passed } = run(
            all,
            cuts.map((c) => (all.length === 0 ? 0 : c % all.length)),
          );
          expect(passed.length).toBeLessThanOrEqual(all.length);
        },
      ),
    );
  });
});

/** Runs with publishes taken. */
const take = (stream: Buffer, cuts: readonly number[] = []) => run(stream, cuts, true, true);

/** A PUBLISH with any topic bytes, and flags as they come. */
function rawPublish(topic: Buffer, qos: number, messageId: number, flags = 0): Buffer {
  const id = qos > 0 ? [messageId >> 8, messageId & 0xff] : [];
  const body = Buffer.concat([
    Buffer.from([topic.length >> 8, topic.length & 0xff]),
    topic,
    Buffer.from(id),
    Buffer.from('{}'),
  ]);
  return Buffer.concat([Buffer.from([0x30 | (qos << 1) | flags, body.length]), body]);
}

describe('packet gate that takes publishes', () => {
  it('hands over what the library would have parsed, however the bytes are cut, and leaves it the rest', () => {
    const topic = fc.oneof(
      fc.constantFrom('v1/devices/a/observations', 'v1/devices/b/observations', 'x/设备/y', 'a\u0000b'),
      fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !/[+#/]/.test(text)),
    );
    const publishing = fc.record({
      cmd: fc.constant('publish' as const),
      topic,
      payload: fc.uint8Array({ maxLength: 1_900 }).map((bytes) => Buffer.from(bytes)),
      qos: fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>,
      messageId: fc.integer({ min: 1, max: 65_535 }),
      dup: fc.boolean(),
      retain: fc.boolean(),
    });
    const other = fc.constantFrom<Packet>(
      { cmd: 'pingreq' },
      { cmd: 'pubrel', messageId: 3 },
      { cmd: 'puback', messageId: 4 },
      { cmd: 'subscribe', messageId: 5, subscriptions: [{ topic: 'v1/devices/a/commands/#', qos: 1 }] },
    );
    const packets = fc.array(fc.oneof({ weight: 3, arbitrary: publishing }, other), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(packets, fc.array(fc.nat(20_000), { maxLength: 20 }), (sent, cuts) => {
        const bytes = sent.map((packet) => generate(packet as Packet));
        const stream = Buffer.concat(bytes);
        const parsed: Packet[] = [];
        const library = parser();
        library.on('packet', (packet) => parsed.push(packet));
        library.parse(stream);
        const ours = (packet: Packet): packet is IPublishPacket => packet.cmd === 'publish' && packet.qos < 2;
        const expected = parsed.filter(ours).map((packet) => ({
          topic: packet.topic,
          payload: packet.payload.toString('latin1'),
          messageId: packet.messageId ?? 0,
        }));
        const { taken, passed, refused } = take(
          stream,
          cuts.map((cut) => cut % stream.length),
        );
        expect(refused).toEqual([]);
        expect(taken).toEqual(expected);
        expect(passed).toEqual(Buffer.concat(bytes.filter((_, i) => !ours(sent[i] as Packet))));
      }),
      { numRuns: 400, seed: 11 },
    );
  });

  it('copies nothing of a packet that came in one piece', () => {
    const stream = publish(10);
    let seen: Buffer | null = null;
    const gate = packetGate(LIMITS, {
      publish: (_topic, payload) => {
        seen = payload;
      },
      oversize: () => undefined,
      refuse: () => undefined,
    });
    gate.pass(generate({ cmd: 'pingreq' }));
    gate.takePublishes();
    expect(gate.pass(stream)).toBeNull();
    expect(seen).toMatchObject({ buffer: stream.buffer, length: 10 });
  });

  it('reads a length that takes more bytes than it needs', () => {
    const usual = rawPublish(Buffer.from('a/b'), 1, 9);
    const long = Buffer.concat([
      usual.subarray(0, 1),
      Buffer.from([usual[1]! | 0x80, 0x80, 0]),
      usual.subarray(2),
    ]);
    const { taken, passed } = take(Buffer.concat([long, usual, generate({ cmd: 'pingreq' })]), [2]);
    expect(taken.map(({ topic, messageId }) => [topic, messageId])).toEqual([
      ['a/b', 9],
      ['a/b', 9],
    ]);
    expect(passed).toEqual(generate({ cmd: 'pingreq' }));
  });

  it.each([
    ['an empty topic', rawPublish(Buffer.alloc(0), 0, 0)],
    ['a wildcard', rawPublish(Buffer.from('v1/+/x'), 1, 1)],
    ['another wildcard', rawPublish(Buffer.from('v1/#'), 0, 0)],
    ['more than 100 levels', rawPublish(Buffer.from('/'.repeat(100)), 1, 1)],
    ['packet identifier 0', rawPublish(Buffer.from('a'), 1, 0)],
    ['no room for its packet identifier', Buffer.from([0x32, 3, 0, 1, 97])],
    ['a topic longer than the packet', Buffer.from([0x30, 3, 0, 2, 97])],
    ['no topic length', Buffer.from([0x30, 1, 0])],
    ['no body', Buffer.from([0x30, 0])],
  ])('refuses %s', (_what, bytes) => {
    const { refused, taken } = take(Buffer.concat([bytes, publish(5)]));
    expect(refused).toEqual(['malformed']);
    expect(taken).toEqual([]);
  });

  it('hands on a topic that is not UTF-8 as the library reads it', () => {
    const { taken } = take(rawPublish(Buffer.from([0x61, 0xff, 0xc3, 0x00]), 0, 0));
    expect(taken[0]?.topic).toBe(Buffer.from([0x61, 0xff, 0xc3, 0x00]).toString('utf8'));
  });

  it('leaves QoS 3 to the library, which refuses it', () => {
    const bytes = rawPublish(Buffer.from('a'), 3, 1);
    expect(take(bytes).passed).toEqual(bytes);
  });

  it('takes nothing behind a DISCONNECT or a second CONNECT: there the library has the last word', () => {
    const farewell = Buffer.concat([publish(5), generate({ cmd: 'disconnect' }), publish(6)]);
    expect(take(farewell)).toMatchObject({ taken: [{ messageId: 7 }] });
    expect(take(farewell).taken).toHaveLength(1);
    const again = generate({
      cmd: 'connect',
      clientId: 'x',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
    });
    expect(take(Buffer.concat([again, publish(6)])).taken).toEqual([]);
  });

  it('takes nothing before it is told to', () => {
    const stream = Buffer.concat([publish(5), publish(6, 0)]);
    expect(run(stream, [4])).toMatchObject({ passed: stream, taken: [] });
  });

  it('survives any bytes in any pieces', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 5_000 }),
        fc.array(fc.nat(5_000), { maxLength: 8 }),
        (bytes, cuts) => {
          const all = Buffer.from(bytes);
          const whole = take(all);
          const pieces = take(
            all,
            cuts.map((c) => (all.length === 0 ? 0 : c % all.length)),
          );
          expect(pieces.taken).toEqual(whole.taken);
        },
      ),
    );
  });
});

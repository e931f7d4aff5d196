import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
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

function run(stream: Buffer, cuts: readonly number[], connected = true) {
  const oversize: OversizePublish[] = [];
  const refused: string[] = [];
  const events: GateEvents = {
    oversize: (p) => oversize.push(p),
    refuse: (reason) => refused.push(reason),
  };
  const gate = packetGate(LIMITS, events);
  if (connected) gate.pass(generate({ cmd: 'pingreq' }));
  const passed: Buffer[] = [];
  const edges = [0, ...[...cuts].sort((a, b) => a - b), stream.length];
  for (let i = 1; i < edges.length; i++) {
    const chunk = stream.subarray(edges[i - 1], edges[i]);
    const part = chunk.length > 0 ? gate.pass(chunk) : null;
    if (part !== null) passed.push(part);
  }
  return { passed: Buffer.concat(passed), oversize, refused, gate };
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

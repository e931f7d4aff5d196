import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lane } from './lane.ts';

const LIMITS = { messages: 4, bytes: 1_000 };

/** Message ids of the PUBACKs that a connection got. */
function ackedIds(connection: PassThrough): number[] {
  // From Node 26 on, a read gives one chunk and not all there is.
  const chunks: Buffer[] = [];
  for (let chunk = connection.read(); chunk !== null; chunk = connection.read()) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt16BE(i * 4 + 2));
}

describe('lane of a connection', () => {
  it('acknowledges in the order of arrival, whatever the order of storage', async () => {
    const connection = new PassThrough();
    const way = lane(connection, LIMITS);
    const [first, second, third] = [way.expectAck(11), way.expectAck(12), way.expectAck(13)];
    way.acknowledge(third);
    way.acknowledge(second);
    await turn();
    expect(ackedIds(connection)).toEqual([]);
    way.acknowledge(first);
    await turn();
    expect(ackedIds(connection)).toEqual([11, 12, 13]);
  });

  it('acknowledges each message once and in order, however many wait and in whatever order they become durable', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constant('comes' as const), fc.nat(1_000)), { maxLength: 200 }),
        async (steps) => {
          const connection = new PassThrough();
          const way = lane(connection, LIMITS);
          const waiting: number[] = [];
          let came = 0;
          for (const step of steps) {
            if (step === 'comes') waiting.push(way.expectAck(++came));
            else if (waiting.length > 0) way.acknowledge(waiting.splice(step % waiting.length, 1)[0] ?? 0);
            if (step === 7) await turn();
          }
          for (const number of waiting.reverse()) way.acknowledge(number);
          await turn();
          expect(ackedIds(connection)).toEqual(Array.from({ length: came }, (_, i) => i + 1));
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });

  it('holds the reading of a client with too much under way until half of it is durable', () => {
    const way = lane(new PassThrough(), LIMITS);
    let read = 0;
    for (let i = 0; i < 4; i++) way.enter(10);
    expect(way.full).toBe(false);
    way.enter(10);
    expect(way.full).toBe(true);
    way.whenRoom(() => (read += 1));
    way.leave(10);
    way.leave(10);
    expect(read).toBe(0);
    way.leave(10);
    expect(read).toBe(1);
    way.whenRoom(() => (read += 1));
    expect(read).toBe(2);
  });

  it('counts bytes as well as messages', () => {
    const way = lane(new PassThrough(), LIMITS);
    way.enter(900);
    expect(way.full).toBe(false);
    way.enter(200);
    expect(way.full).toBe(true);
    way.leave(900);
    expect(way.full).toBe(false);
  });

  it('says nothing more once the connection is closed', async () => {
    const connection = new PassThrough();
    const way = lane(connection, LIMITS);
    const due = way.expectAck(1);
    way.close();
    way.acknowledge(due);
    await turn();
    expect(ackedIds(connection)).toEqual([]);
  });
});

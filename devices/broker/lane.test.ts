import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lane } from './lane.ts';

const LIMITS = { messages: 4, bytes: 1_000 };

/** Message ids of the PUBACKs that a connection got. */
function ackedIds(connection: PassThrough): number[] {
  const bytes: Buffer = connection.read() ?? Buffer.alloc(0);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt16BE(i * 4 + 2));
}

describe('lane of a connection', () => {
  it('acknowledges in the order of arrival, whatever the order of storage', async () => {
    const connection = new PassThrough();
    const way = lane(connection, LIMITS);
    const [first, second, third] = [way.expectAck(11), way.expectAck(12), way.expectAck(13)];
    third();
    second();
    await turn();
    expect(ackedIds(connection)).toEqual([]);
    first();
    await turn();
    expect(ackedIds(connection)).toEqual([11, 12, 13]);
  });

  it('holds the reading of a client with too much under way until half of it is durable', () => {
    const way = lane(new PassThrough(), LIMITS);
    let read = 0;
    for (let i = 0; i < 5; i++) way.enter(10, () => (read += 1));
    expect(read).toBe(4);
    way.leave(10);
    way.leave(10);
    expect(read).toBe(4);
    way.leave(10);
    expect(read).toBe(5);
  });

  it('counts bytes as well as messages', () => {
    const way = lane(new PassThrough(), LIMITS);
    let read = 0;
    way.enter(900, () => (read += 1));
    way.enter(200, () => (read += 1));
    expect(read).toBe(1);
    way.leave(900);
    expect(read).toBe(2);
  });

  it('says nothing more once the connection is closed', async () => {
    const connection = new PassThrough();
    const way = lane(connection, LIMITS);
    const due = way.expectAck(1);
    way.close();
    due();
    await turn();
    expect(ackedIds(connection)).toEqual([]);
  });
});

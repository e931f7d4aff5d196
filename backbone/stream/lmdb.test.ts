import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeStreamContract } from '../../tests/contract/stream.ts';
import { rememberingLog, silentLog, temporaryFolder } from '../../tests/contract/support.ts';
import { manualClock } from '../clock.ts';
import { type LmdbStreamOptions, openLmdbStream } from './lmdb.ts';
import type { Stream } from './port.ts';

const record = (text: string, key = 'k') => ({ key, value: Buffer.from(text) });

describeStreamContract('LMDB', async ({ partitions }) => {
  const folder = await temporaryFolder();
  const options = { folder: folder.path, partitions, log: silentLog, random: () => 0 };
  let stream = await openLmdbStream(options);
  return {
    stream,
    async reopen() {
      await stream.close();
      stream = await openLmdbStream(options);
      return stream;
    },
    async dispose() {
      await stream.close();
      await folder.remove();
    },
  };
});

describe('the LMDB stream', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const opened: Stream[] = [];
  const open = async (options: Partial<LmdbStreamOptions> = {}) => {
    const stream = await openLmdbStream({ folder: folder.path, log: silentLog, ...options });
    opened.push(stream);
    return stream;
  };
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    for (const stream of opened.splice(0)) await stream.close();
    await folder.remove();
  });

  describe('on a nearly full disk', () => {
    it('refuses before anything is acknowledged, says so once, and works again when there is room', async () => {
      const clock = manualClock(1_000_000);
      const { log, lines } = rememberingLog();
      let free = 10;
      const stream = await open({ clock, log, minFreeBytes: 100, freeBytes: async () => free });
      for (let i = 0; i < 3; i++) {
        await expect(stream.append('t', [record('a')])).rejects.toMatchObject({ code: 'STORE_FULL' });
        clock.advance(2_000);
      }
      expect(await stream.read('t', 0, 0, 10)).toEqual([]);
      free = 1_000;
      await stream.append('t', [record('b')]);
      expect((await stream.read('t', 0, 0, 10)).map(({ offset }) => offset)).toEqual([0]);
      expect(lines.map((line) => line.msg)).toEqual(['stream refuses appends', 'stream has room again']);
    });

    it('still takes checkpoints, without which nothing could be trimmed', async () => {
      const stream = await open({ minFreeBytes: 100, freeBytes: async () => 10 });
      await stream.saveCheckpoint('g', 't', 0, { nextOffset: 0, state: null });
      expect(await stream.loadCheckpoint('g', 't', 0)).not.toBeNull();
    });

    it('asks the file system at most once a second', async () => {
      const clock = manualClock(1_000_000);
      let asked = 0;
      const freeBytes = async () => {
        asked++;
        return 1e12;
      };
      const stream = await open({ clock, freeBytes });
      for (let i = 0; i < 5; i++) await stream.append('t', [record('a')]);
      expect(asked).toBe(1);
      clock.advance(1_000);
      await stream.append('t', [record('a')]);
      expect(asked).toBe(2);
    });
  });

  it('refuses while it takes all that it may, and goes on when it was trimmed', async () => {
    const clock = manualClock(1_000_000);
    const stream = await open({ clock, maxBytes: 2_000_000 });
    const large = { key: 'k', value: Buffer.alloc(600_000) };
    let accepted = 0;
    const fill = async () => {
      for (let i = 0; i < 20; i++) {
        clock.advance(1_000);
        await stream.append('t', [large]);
        accepted++;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(accepted).toBeGreaterThan(2);
    await stream.trim('t', 0, accepted);
    clock.advance(1_000);
    await stream.append('t', [large]);
  });

  it('refuses to open with another number of partitions than a topic has', async () => {
    await (await open({ partitions: { t: 2 } })).append('t', [record('a')]);
    await opened.splice(0)[0]?.close();
    await expect(open({ partitions: { t: 3 } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      problems: [{ path: 'stream.partitions.t', found: 3 }],
    });
  });

  it('logs a failing consumer once when it begins and once when it is over', async () => {
    const { log, lines } = rememberingLog();
    const stream = await open({ log, random: () => 0 });
    await stream.append('t', [record('a')]);
    let failures = 3;
    await new Promise<void>((resolve) => {
      void stream.subscribe({ topic: 't', group: 'g' }, async () => {
        if (failures-- > 0) throw new Error('down');
        setImmediate(resolve);
      });
    });
    await stream.close();
    expect(lines.map((line) => line.msg)).toEqual(['handler failed; trying again', 'consumer goes on']);
  });

  it('lets callers wait while too much is pending, and loses nothing by it', async () => {
    const stream = await open({ maxPendingBytes: 1_000 });
    const value = Buffer.alloc(400);
    await Promise.all(Array.from({ length: 50 }, (_, i) => stream.append('t', [{ key: String(i), value }])));
    const records = await stream.read('t', 0, 0, 100);
    expect(records.map(({ key }) => key)).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  });

  it('trims thousands of commits in steps, and the offsets stay', async () => {
    const stream = await open();
    for (let i = 0; i < 150; i++) await stream.append('t', [record(String(i)), record(String(i))]);
    await stream.trim('t', 0, 201);
    expect(await stream.ends('t')).toEqual([{ partition: 0, first: 201, next: 300 }]);
    expect((await stream.read('t', 0, 0, 1))[0]?.value.toString()).toBe('100');
  });
});

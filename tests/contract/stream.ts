import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Stream, StreamBatch } from '../../backbone/stream/port.ts';

/** What every adapter of the stream port must do. Run unchanged against each of them. */

export interface StreamUnderTest {
  stream: Stream;
  /** Closes the stream and opens it on the same data. */
  reopen(): Promise<Stream>;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const texts = (records: readonly { value: Uint8Array }[]) => records.map(({ value }) => decode(value));

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error(`did not happen: ${what}`);
}

/** @param open makes an empty stream whose topics get so many partitions */
export function describeStreamContract(
  name: string,
  open: (options: { partitions: number }) => Promise<StreamUnderTest>,
): void {
  describe(`stream contract: ${name}`, () => {
    let one: StreamUnderTest;
    let stream: Stream;
    beforeEach(async () => {
      one = await open({ partitions: 1 });
      stream = one.stream;
    });
    afterEach(() => one.dispose());

    const append = (topic: string, ...values: string[]) =>
      stream.append(
        topic,
        values.map((value) => ({ key: 'k', value: encode(value) })),
      );

    describe('append and read', () => {
      it('gives offsets that grow by one, over all appends', async () => {
        await append('t', 'a', 'b');
        await append('t', 'c');
        const records = await stream.read('t', 0, 0, 10);
        expect(records.map((record) => record.offset)).toEqual([0, 1, 2]);
        expect(texts(records)).toEqual(['a', 'b', 'c']);
        expect(records[0]?.key).toBe('k');
        expect(await stream.ends('t')).toEqual([{ partition: 0, first: 0, next: 3 }]);
      });

      it('reads from the middle of what was appended together', async () => {
        await append('t', 'a', 'b', 'c', 'd', 'e');
        expect(texts(await stream.read('t', 0, 2, 2))).toEqual(['c', 'd']);
      });

      it('is empty at the end, and for a topic that nobody wrote', async () => {
        await append('t', 'a');
        expect(await stream.read('t', 0, 1, 10)).toEqual([]);
        expect(await stream.read('unknown', 0, 0, 10)).toEqual([]);
        expect(await stream.ends('unknown')).toEqual([{ partition: 0, first: 0, next: 0 }]);
      });

      it('keeps keys and values as they are: empty, binary, Chinese, large', async () => {
        const large = Buffer.alloc(3_000_000, 7);
        const records = [
          { key: '', value: new Uint8Array(0) },
          { key: '青石街道', value: Uint8Array.from([0, 255, 10, 13]) },
          { key: 'large', value: large },
        ];
        await stream.append('t', records);
        const stored = await stream.read('t', 0, 0, 10);
        expect(stored.map((record) => record.key)).toEqual(['', '青石街道', 'large']);
        expect([...(stored[1]?.value ?? [])]).toEqual([0, 255, 10, 13]);
        expect(large.equals(stored[2]?.value ?? Buffer.alloc(0))).toBe(true);
      });

      it('keeps the order of appends that were not awaited', async () => {
        const appends = Array.from({ length: 200 }, (_, i) => append('t', String(i)));
        await Promise.all(appends);
        expect(texts(await stream.read('t', 0, 0, 500))).toEqual(
          Array.from({ length: 200 }, (_, i) => String(i)),
        );
      });

      it('has everything after it was closed and opened again, and goes on behind it', async () => {
        await append('t', 'a', 'b');
        stream = await one.reopen();
        await append('t', 'c');
        expect(texts(await stream.read('t', 0, 0, 10))).toEqual(['a', 'b', 'c']);
      });

      it('refuses after it was closed', async () => {
        await stream.close();
        await expect(append('t', 'a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      });
    });

    describe('consumers', () => {
      it('get what was there before them and what comes after', async () => {
        await append('t', 'a', 'b');
        const seen: string[] = [];
        const subscription = await stream.subscribe({ topic: 't', group: 'g' }, async ({ records }) => {
          seen.push(...texts(records));
        });
        await until(() => seen.length === 2, 'two records');
        await append('t', 'c');
        await until(() => seen.length === 3, 'three records');
        expect(seen).toEqual(['a', 'b', 'c']);
        await subscription.stop();
        await expect(subscription.ended).resolves.toBeUndefined();
      });

      it('never get more than maxRecords, and nextOffset is behind the last record', async () => {
        await append('t', 'a', 'b', 'c', 'd', 'e');
        const batches: StreamBatch[] = [];
        await stream.subscribe({ topic: 't', group: 'g', maxRecords: 2 }, async (batch) => {
          batches.push(batch);
        });
        await until(() => batches.flatMap((batch) => batch.records).length === 5, 'five records');
        expect(batches.every((batch) => batch.records.length <= 2)).toBe(true);
        for (const batch of batches) expect(batch.nextOffset).toBe((batch.records.at(-1)?.offset ?? -2) + 1);
      });

      it('get a batch again when they fail, and never the next one before', async () => {
        await append('t', 'a', 'b', 'c');
        const calls: string[] = [];
        let failures = 2;
        await stream.subscribe({ topic: 't', group: 'g', maxRecords: 1 }, async ({ records }) => {
          calls.push(...texts(records));
          if (calls.at(-1) === 'b' && failures-- > 0) throw new Error('not yet');
        });
        await until(() => calls.at(-1) === 'c', 'the last record');
        expect(calls).toEqual(['a', 'b', 'b', 'b', 'c']);
      });

      it('go on behind their checkpoint after a restart', async () => {
        await append('t', 'a', 'b');
        await stream.subscribe({ topic: 't', group: 'g' }, async () => undefined);
        await until(async () => (await stream.loadCheckpoint('g', 't', 0))?.nextOffset === 2, 'a checkpoint');
        stream = await one.reopen();
        await append('t', 'c');
        const seen: string[] = [];
        await stream.subscribe({ topic: 't', group: 'g' }, async ({ records }) => {
          seen.push(...texts(records));
        });
        await until(() => seen.length > 0, 'a record');
        expect(seen).toEqual(['c']);
      });

      it('commit by themselves only when asked to', async () => {
        await append('t', 'a', 'b');
        let seen = 0;
        const subscription = await stream.subscribe(
          { topic: 't', group: 'g', commit: 'manual' },
          async (batch) => {
            seen += batch.records.length;
          },
        );
        await until(() => seen === 2, 'two records');
        await subscription.stop();
        expect(await stream.loadCheckpoint('g', 't', 0)).toBeNull();
      });

      it('begin where startAt says, in the middle of a batch too', async () => {
        await append('t', 'a', 'b', 'c', 'd');
        const seen: string[] = [];
        await stream.subscribe({ topic: 't', group: 'g', startAt: async () => 2 }, async ({ records }) => {
          seen.push(...texts(records));
        });
        await until(() => seen.length === 2, 'two records');
        expect(seen).toEqual(['c', 'd']);
      });

      it('refuse to begin behind the end: what comes next would be passed over in silence', async () => {
        await append('t', 'a');
        const options = { topic: 't', group: 'g', startAt: async () => 7 };
        await expect(stream.subscribe(options, async () => undefined)).rejects.toMatchObject({
          code: 'STORE_UNAVAILABLE',
        });
      });

      it('of different groups each see every record', async () => {
        await append('t', 'a', 'b');
        const seen: Record<string, string[]> = { g1: [], g2: [] };
        for (const group of ['g1', 'g2']) {
          await stream.subscribe({ topic: 't', group }, async ({ records }) => {
            seen[group]?.push(...texts(records));
          });
        }
        await until(() => seen.g1?.length === 2 && seen.g2?.length === 2, 'both groups');
        expect(seen).toEqual({ g1: ['a', 'b'], g2: ['a', 'b'] });
      });

      it('finish the batch in hand before stop resolves, and begin no other', async () => {
        await append('t', 'a', 'b');
        const done: string[] = [];
        let begun = 0;
        const subscription = await stream.subscribe(
          { topic: 't', group: 'g', maxRecords: 1 },
          async ({ records }) => {
            begun++;
            await sleep(50);
            done.push(...texts(records));
          },
        );
        await until(() => begun === 1, 'the first batch');
        await subscription.stop();
        expect(done).toEqual(['a']);
        expect(begun).toBe(1);
      });
    });

    describe('checkpoints', () => {
      it('keep offset and state together, the last one, over a restart', async () => {
        await append('t', 'a', 'b');
        expect(await stream.loadCheckpoint('g', 't', 0)).toBeNull();
        await stream.saveCheckpoint('g', 't', 0, { nextOffset: 1, state: encode('one') });
        await stream.saveCheckpoint('g', 't', 0, { nextOffset: 2, state: encode('two') });
        stream = await one.reopen();
        const checkpoint = await stream.loadCheckpoint('g', 't', 0);
        expect(checkpoint?.nextOffset).toBe(2);
        expect(decode(checkpoint?.state ?? new Uint8Array(0))).toBe('two');
        expect(await stream.loadCheckpoint('other', 't', 0)).toBeNull();
      });

      it('may have no state, which is not an empty state', async () => {
        await append('t', 'a');
        await stream.saveCheckpoint('g', 't', 0, { nextOffset: 1, state: null });
        expect((await stream.loadCheckpoint('g', 't', 0))?.state).toBeNull();
        await stream.saveCheckpoint('g', 't', 0, { nextOffset: 1, state: new Uint8Array(0) });
        expect((await stream.loadCheckpoint('g', 't', 0))?.state?.byteLength).toBe(0);
      });
    });

    describe('trim', () => {
      it('forgets what lies below, to the record, and keeps the offsets of the rest', async () => {
        await append('t', 'a', 'b', 'c', 'd');
        await append('t', 'e');
        await stream.trim('t', 0, 3);
        expect(await stream.ends('t')).toEqual([{ partition: 0, first: 3, next: 5 }]);
        const records = await stream.read('t', 0, 0, 10);
        expect(records.map((record) => record.offset)).toEqual([3, 4]);
        expect(texts(records)).toEqual(['d', 'e']);
      });

      it('never takes what a known group still has to read', async () => {
        await append('t', 'a', 'b', 'c');
        await stream.saveCheckpoint('slow', 't', 0, { nextOffset: 1, state: null });
        await stream.saveCheckpoint('fast', 't', 0, { nextOffset: 3, state: null });
        await stream.trim('t', 0, 3);
        expect((await stream.ends('t'))[0]?.first).toBe(1);
      });

      it('knows a group that has subscribed but not finished its first batch', async () => {
        await append('t', 'a', 'b', 'c');
        let release: () => void = () => undefined;
        const held = new Promise<void>((resolve) => {
          release = resolve;
        });
        await stream.subscribe({ topic: 't', group: 'g' }, () => held);
        await stream.trim('t', 0, 3);
        expect((await stream.ends('t'))[0]?.first).toBe(0);
        release();
      });

      it('does not go beyond the end', async () => {
        await append('t', 'a');
        await stream.trim('t', 0, 100);
        expect(await stream.ends('t')).toEqual([{ partition: 0, first: 1, next: 1 }]);
        await append('t', 'b');
        expect(texts(await stream.read('t', 0, 0, 10))).toEqual(['b']);
      });
    });

    describe('partitions', () => {
      let several: StreamUnderTest;
      beforeEach(async () => {
        several = await open({ partitions: 3 });
      });
      afterEach(() => several.dispose());

      const readAll = async () => {
        const ends = await several.stream.ends('t');
        return Promise.all(
          ends.map(({ partition, next }) => several.stream.read('t', partition, 0, next + 1)),
        );
      };

      it('hold all records of a key in one, in order', async () => {
        const keys = Array.from({ length: 30 }, (_, i) => `device-${i}`);
        for (const round of ['1', '2']) {
          await several.stream.append(
            't',
            keys.map((key) => ({ key, value: encode(round) })),
          );
        }
        const partitions = await readAll();
        expect(partitions.filter((records) => records.length > 0).length).toBeGreaterThan(1);
        for (const key of keys) {
          const holding = partitions.map((records) => records.filter((record) => record.key === key));
          expect(holding.filter((records) => records.length > 0).map(texts)).toEqual([['1', '2']]);
        }
      });

      it('all get what is broadcast', async () => {
        await several.stream.broadcast('t', encode('tick'));
        expect((await readAll()).map(texts)).toEqual([['tick'], ['tick'], ['tick']]);
      });

      it('are shared by the members of a group, and taken over from one that leaves', async () => {
        const owners: Record<string, Set<number>> = { a: new Set(), b: new Set() };
        const member = (who: string) =>
          several.stream.subscribe({ topic: 't', group: 'g' }, async ({ partition }) => {
            owners[who]?.add(partition);
          });
        const a = await member('a');
        await member('b');
        await several.stream.broadcast('t', encode('1'));
        await until(() => (owners.a?.size ?? 0) + (owners.b?.size ?? 0) === 3, 'three partitions');
        expect(owners.a?.size).toBeGreaterThan(0);
        expect(owners.b?.size).toBeGreaterThan(0);
        await a.stop();
        await several.stream.broadcast('t', encode('2'));
        await until(() => owners.b?.size === 3, 'the other member has all');
      });

      it('never go to two members at once, nor lose or repeat a batch when a member joins', async () => {
        const seen: string[] = [];
        const busy = new Set<number>();
        let overlaps = 0;
        const handler = async ({ partition, records }: StreamBatch) => {
          if (busy.has(partition)) overlaps++;
          busy.add(partition);
          await sleep(3);
          seen.push(...texts(records));
          busy.delete(partition);
        };
        const values = Array.from({ length: 90 }, (_, i) => String(i));
        await several.stream.append(
          't',
          values.map((value) => ({ key: `device-${value}`, value: encode(value) })),
        );
        await several.stream.subscribe({ topic: 't', group: 'g', maxRecords: 2 }, handler);
        await sleep(15);
        await several.stream.subscribe({ topic: 't', group: 'g', maxRecords: 2 }, handler);
        await until(() => seen.length >= 90, 'all records');
        expect(overlaps).toBe(0);
        expect(seen.toSorted()).toEqual(values.toSorted());
      });
    });

    it('behaves like a list, whatever is asked of it', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
          const topic = `model-${topics++}`;
          const model = new Model();
          for (const apply of operations) await apply(stream, topic, model);
          expect((await stream.ends(topic))[0]).toEqual({
            partition: 0,
            first: model.first,
            next: model.values.length,
          });
          const records = await stream.read(topic, 0, 0, 10_000);
          expect(texts(records)).toEqual(model.values.slice(model.first));
        }),
        { seed: 20261122, numRuns: 25 },
      );
    });
  });
}

let topics = 0;

/** The stream as it ought to be: a list, of which the front may be forgotten. */
class Model {
  values: string[] = [];
  first = 0;
  checkpoint: number | null = null;
}

type Operation = (stream: Stream, topic: string, model: Model) => Promise<void>;

const appends: fc.Arbitrary<Operation> = fc
  .array(fc.string({ maxLength: 8 }), { maxLength: 12 })
  .map((values) => async (stream, topic, model) => {
    await stream.append(
      topic,
      values.map((value) => ({ key: value, value: encode(value) })),
    );
    model.values.push(...values.map((value) => decode(encode(value))));
  });

const reads: fc.Arbitrary<Operation> = fc
  .tuple(fc.nat(60), fc.integer({ min: 1, max: 20 }))
  .map(([from, max]) => async (stream, topic, model) => {
    const start = Math.max(from, model.first);
    expect(texts(await stream.read(topic, 0, from, max))).toEqual(model.values.slice(start, start + max));
  });

const trims: fc.Arbitrary<Operation> = fc.nat(60).map((before) => async (stream, topic, model) => {
  await stream.trim(topic, 0, before);
  const limit = Math.min(before, model.values.length, model.checkpoint ?? Number.POSITIVE_INFINITY);
  model.first = Math.max(model.first, limit);
});

const checkpoints: fc.Arbitrary<Operation> = fc.nat(1_000).map((at) => async (stream, topic, model) => {
  const nextOffset = at % (model.values.length + 1);
  if (nextOffset < model.first) return;
  await stream.saveCheckpoint('g', topic, 0, { nextOffset, state: null });
  expect((await stream.loadCheckpoint('g', topic, 0))?.nextOffset).toBe(nextOffset);
  model.checkpoint = nextOffset;
});

const operation = fc.oneof(appends, reads, trims, checkpoints);

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { type Blobs, manualClock, type Records, type Stream, type StreamRecord } from '../backbone/index.ts';
import { openSqliteRecords } from '../backbone/records/sqlite.ts';
import type { ObservationRecord } from '../contracts/index.ts';
import { IngestConfig } from './config.ts';
import { line } from './line.ts';
import { pictures } from './pictures.ts';
import { openQuarantine, type Suspect } from './quarantine.ts';
import { rateLimit } from './rate-limit.ts';
import { recent } from './recent.ts';
import { ingestMigrations } from './tables.ts';
import { startTicker } from './ticker.ts';

const START = 1_795_000_000_000;
const log = pino({ level: 'silent' });

/** A stream whose appends the test lets through, or fails, one by one. */
function heldStream() {
  const written: string[] = [];
  const held: { release(): void; fail(): void }[] = [];
  const hold = (names: string[]) =>
    new Promise<void>((resolve, reject) => {
      written.push(...names);
      held.push({ release: resolve, fail: () => reject(new Error('full')) });
    });
  const stream = {
    append: (_topic: string, records: readonly StreamRecord[]) => hold(records.map((r) => r.key)),
    broadcast: (_topic: string, value: Uint8Array) => hold([decodeRecord<ObservationRecord>(value).type]),
  } as unknown as Stream;
  return { stream, written, held };
}
const record = (key: string): StreamRecord => ({ key, value: new Uint8Array() });

describe('the line to the stream', () => {
  it('keeps a tick behind the readings that came before it, and before those that come after', async () => {
    const { stream, written } = heldStream();
    const way = line(stream);
    const ticker = startTicker(10, manualClock(START), way);
    void way.append(record('a'), () => undefined);
    void ticker.tick();
    void way.append(record('b'), () => undefined);
    await turn();
    ticker.stop();
    expect(written).toEqual(['a', 'tick', 'b']);
  });

  it('answers a repeat only once what it repeats is durable, and undoes what is not', async () => {
    const { stream, held } = heldStream();
    const way = line(stream);
    let undone = 0;
    const first = way.append(record('a'), () => (undone += 1)).catch(() => 'not durable');
    await turn();
    let settled = false;
    const repeat = way.settled().then(
      () => (settled = true),
      () => 'not durable either',
    );
    await turn();
    expect(settled).toBe(false);
    held[0]?.fail();
    expect(await first).toBe('not durable');
    expect(await repeat).toBe('not durable either');
    expect(undone).toBe(1);
  });
});

describe('ticks', () => {
  it('do not pass a message that is still being decoded, and never go back', async () => {
    const times: number[] = [];
    const way = {
      broadcast: async (v: Uint8Array) => void times.push(decodeRecord<{ time: number }>(v).time),
    };
    const clock = manualClock(START);
    const ticker = startTicker(10, clock, way as unknown as ReturnType<typeof line>);
    await ticker.tick();
    ticker.add(START + 5);
    clock.advance(10_000);
    await ticker.tick();
    ticker.remove(START + 5);
    await ticker.tick();
    clock.advance(-5_000);
    await ticker.tick();
    ticker.stop();
    expect(times).toEqual([START, START + 5, START + 10_000]);
  });
});

describe('what came lately', () => {
  it('is known again, told apart, and forgotten on demand', () => {
    const ring = recent();
    expect(ring.see(START, 1, 'valid')).toBe('new');
    expect(ring.see(START, 1, 'valid')).toBe('same');
    expect(ring.see(START, 2, 'valid')).toBe('other');
    expect(ring.see(START, 1, 'fault')).toBe('other');
    expect(ring.see(START - 1_000, 2, 'valid')).toBe('new');
    ring.forget();
    expect(ring.see(START, 2, 'valid')).toBe('new');
  });

  it('never calls something known that did not come', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(2))), (events) => {
        const ring = recent();
        const all = new Map<number, Set<number>>();
        for (const [t, value] of events) {
          const said = ring.see(START + t, value, 'valid');
          if (said === 'same') expect(all.get(t)?.has(value)).toBe(true);
          if (said === 'other') expect(all.has(t)).toBe(true);
          all.set(t, (all.get(t) ?? new Set()).add(value));
        }
      }),
    );
  });
});

describe('the rate limit', () => {
  it('lets a burst through, then the long-run rate, for each source by itself', () => {
    const clock = manualClock(START);
    const rate = rateLimit({ perS: 10, burst: 5 }, clock);
    const many = (source: string, n: number) =>
      Array.from({ length: n }, () => rate.allows(source)).filter(Boolean).length;
    expect(many('a', 20)).toBe(5);
    expect(many('b', 2)).toBe(2);
    clock.advance(300);
    expect(many('a', 20)).toBe(3);
    clock.advance(3_600_000);
    expect(many('a', 20)).toBe(5);
  });

  it('goes by the wall clock where the product is faster', () => {
    const clock = { ...manualClock(START), speed: 100 };
    let now = START;
    clock.now = () => now;
    const rate = rateLimit({ perS: 10, burst: 1 }, clock);
    expect(rate.allows('a')).toBe(true);
    now += 1_000;
    expect(rate.allows('a')).toBe(false);
    now += 10_000;
    expect(rate.allows('a')).toBe(true);
  });
});

describe('pictures', () => {
  const picture = (background: string) =>
    sharp({ create: { width: 16, height: 16, channels: 3, background } })
      .png()
      .toBuffer();

  it('are told of only when their bytes are durable; a repeat waits; a failed one may come again', async () => {
    let fail = true;
    const steps: string[] = [];
    const blobs = {
      put: async () => {
        steps.push('blob');
        if (fail) throw new Error('away');
        return 'a'.repeat(64);
      },
    } as unknown as Blobs;
    const stream = { append: async () => void steps.push('frame') } as unknown as Stream;
    const gate = pictures(IngestConfig.parse({}), { blobs, stream });
    const one = { camera: 'c', time: START, receivedAt: START, bytes: await picture('red') };
    await expect(gate.take(one)).rejects.toThrow('away');
    fail = false;
    expect(await gate.take(one)).toBe('stored');
    expect(await gate.take(one)).toBe('duplicate');
    expect(await gate.take({ ...one, bytes: await picture('blue') })).toMatchObject({
      reason: 'duplicate-conflict',
    });
    expect(steps).toEqual(['blob', 'blob', 'frame']);
  });
});

describe('the quarantine', () => {
  let folder: string;
  let records: Records;
  const limits = { maxEntries: 10, maxBytes: 1_048_576, maxRawBytes: 100 };
  const open = () => openQuarantine(limits, { records, log, metrics: new Metrics() });
  const suspect = (device: string, n: number): Suspect => ({
    reason: 'schema',
    detail: `${n}`,
    receivedAt: START + n,
    topic: 't',
    client: null,
    device,
    payload: Buffer.alloc(300, n),
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qianliyan-quarantine-'));
    records = await openSqliteRecords({
      file: join(folder, 'r.sqlite'),
      migrations: [ingestMigrations],
      log,
    });
  });
  afterEach(async () => {
    await records.close();
    await rm(folder, { recursive: true });
  });

  it('keeps size and hash of the whole and the first bytes, over a restart', async () => {
    await (await open()).put(suspect('a', 1));
    const again = await open();
    const [entry] = await again.list({ limit: 5 });
    expect(entry).toMatchObject({ reason: 'schema', size: 300, truncated: true, device: 'a' });
    expect((await again.raw(entry!.id))?.length).toBe(100);
    expect(again.total()).toBe(1);
  });

  it('makes room at the cost of whoever holds most, oldest first, and goes on counting', async () => {
    const quarantine = await open();
    await quarantine.put(suspect('quiet', 0));
    await Promise.all(Array.from({ length: 40 }, (_, n) => quarantine.put(suspect('babbler', n + 1))));
    const entries = await quarantine.list({ limit: 100 });
    expect(entries).toHaveLength(10);
    expect(entries.map((e) => e.device)).toContain('quiet');
    expect(entries.filter((e) => e.device === 'babbler').map((e) => Number(e.detail))).toEqual([
      40, 39, 38, 37, 36, 35, 34, 33, 32,
    ]);
    expect(quarantine.total()).toBe(41);
    expect((await open()).total()).toBe(41);
  });

  it('refuses, rather than lose an entry, when the store is away', async () => {
    const quarantine = await open();
    await records.db.schema.dropTable('quarantine_totals').execute();
    await expect(quarantine.put(suspect('a', 1))).rejects.toThrow();
    expect(await quarantine.list({ limit: 1 })).toEqual([]);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRecord } from '../backbone/codec.ts';
import type { PointTable, Series, SeriesPoint, SeriesPosition, Stream } from '../backbone/index.ts';
import { encodeObservations } from '../backbone/observation-bytes.ts';
import { openLmdbStream } from '../backbone/stream/lmdb.ts';
import { type ObservationBatch, TOPICS } from '../contracts/index.ts';
import { countStream } from './count.ts';
import type { Quarantine, Suspect } from './quarantine.ts';
import { startSeriesWriter } from './series-writer.ts';

const START = 1_795_000_000_000;
const log = pino({ level: 'silent' });

/** A series store with the port's promises, in memory, that can be away. */
function fakeSeries() {
  const points = new Map<string, SeriesPoint>();
  const positions = new Map<number, number>();
  const state = { away: false, tries: 0 };
  const series = {
    async write(table: PointTable, position: SeriesPosition) {
      const batch = Array.from({ length: table.length }, (_, row) => table.at(row));
      state.tries += 1;
      if (state.away) throw new Error('away');
      if ((positions.get(position.partition) ?? 0) >= position.nextOffset)
        return { written: 0, duplicates: 0, conflicts: [] };
      positions.set(position.partition, position.nextOffset);
      const fresh = batch.filter((p) => !points.has(`${p.datastream} ${p.time}`));
      const conflicts = batch.filter(
        (p) => (points.get(`${p.datastream} ${p.time}`)?.value ?? p.value) !== p.value,
      );
      for (const p of fresh) points.set(`${p.datastream} ${p.time}`, p);
      return { written: fresh.length, duplicates: batch.length - fresh.length, conflicts };
    },
    position: async (_topic: string, partition: number) => positions.get(partition) ?? null,
  };
  return { series: series as unknown as Series, points, positions, state };
}

let folder: string;
let stream: Stream;
let suspects: Suspect[];
const quarantine = { put: async (s: Suspect) => void suspects.push(s) } as unknown as Quarantine;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-writer-'));
  stream = await openLmdbStream({ folder, log });
  suspects = [];
});
afterEach(async () => {
  await stream.close();
  await rm(folder, { recursive: true });
});

function append(
  time: number,
  value = 1,
  encode: (batch: ObservationBatch) => Uint8Array = encodeObservations,
) {
  const observations = [{ datastream: 'd/x', time, value, quality: 'valid' as const }];
  const batch = {
    type: 'observations' as const,
    device: 'd',
    receivedAt: START,
    source: 'senml',
    observations,
  };
  return stream.append(TOPICS.observations, [{ key: 'd', value: encode(batch) }]);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500 && !(await holds()); i++) await pause(10);
  expect(await holds()).toBe(true);
}

describe('the series writer', () => {
  it('carries what an earlier version wrote as JSON, among what is written now, with its source', async () => {
    const { series, points } = fakeSeries();
    await append(START, 1, encodeRecord);
    await append(START + 1, 2);
    await append(START + 2, 3, encodeRecord);
    const writer = await startSeriesWriter({ stream, series, quarantine, log });
    await until(() => points.size === 3);
    const stored = { datastream: 'd/x', quality: 'valid', receivedAt: START, source: 'senml' };
    expect([...points.values()]).toEqual(
      [1, 2, 3].map((value, i) => ({ ...stored, time: START + i, value })),
    );
    await until(async () => (await writer.lag()) === 0);
    await writer.stop();
  });

  it('carries everything once the store is back, and says meanwhile that it is not well', async () => {
    const { series, points, state } = fakeSeries();
    state.away = true;
    const writer = await startSeriesWriter({ stream, series, quarantine, log });
    for (let i = 0; i < 50; i++) await append(START + i);
    await until(() => state.tries >= 2);
    expect(writer.healthy).toBe(false);
    expect(await writer.lag()).toBe(50);
    state.away = false;
    await until(() => points.size === 50);
    await until(async () => writer.healthy && (await writer.lag()) === 0);
    await writer.stop();
  });

  it('goes on where the store is, not where its own checkpoint is; the count stays exact', async () => {
    const { series, points, positions } = fakeSeries();
    const first = await startSeriesWriter({ stream, series, quarantine, log });
    for (let i = 0; i < 10; i++) await append(START + i);
    await first.drain(5_000);
    await first.stop();
    // As after a crash: the store took five more records than the checkpoint on the stream knows of.
    for (let i = 10; i < 20; i++) await append(START + i);
    positions.set(0, 15);
    for (let i = 10; i < 15; i++)
      points.set(`d/x ${START + i}`, {
        datastream: 'd/x',
        time: START + i,
        value: 1,
        quality: 'valid',
        receivedAt: START,
      });
    const count = () => countStream(stream, (p) => series.position(TOPICS.observations, p));
    expect(await count()).toEqual({ acknowledged: 20, pending: 5 });
    const second = await startSeriesWriter({ stream, series, quarantine, log });
    await second.drain(5_000);
    expect(second.written).toBe(5);
    await second.stop();
    expect(points.size).toBe(20);
    expect(await count()).toEqual({ acknowledged: 20, pending: 0 });
    // Trimming what was read changes no number.
    await stream.trim(TOPICS.observations, 0, 20);
    expect((await stream.ends(TOPICS.observations))[0]?.first).toBeGreaterThan(0);
    expect(await count()).toEqual({ acknowledged: 20, pending: 0 });
  });

  it('quarantines a value that meets another one under its key', async () => {
    const { series } = fakeSeries();
    const writer = await startSeriesWriter({ stream, series, quarantine, log });
    await append(START, 1);
    await append(START, 2);
    await writer.drain(5_000);
    await until(() => suspects.length === 1);
    expect(suspects[0]).toMatchObject({ reason: 'duplicate-conflict', device: 'd' });
    expect(suspects[0]?.detail).toContain('d/x: 2 at');
    await writer.stop();
  });
});

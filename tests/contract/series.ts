import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { QUALITY_CODES } from '../../backbone/quality-codes.ts';
import { PointTable } from '../../backbone/series/point-table.ts';
import type { Series, SeriesPoint } from '../../backbone/series/port.ts';

/** What every adapter of the series port must do. Run unchanged against each of them. */

export interface SeriesUnderTest {
  series: Series;
  /** Closes the series and opens it on the same data. */
  reopen(): Promise<Series>;
  dispose(): Promise<void>;
}

/** 2026-11-22T00:00:00Z */
const T0 = 1_795_305_600_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** One store serves all tests of an adapter, as a server would: each test has datastreams and a topic of its own. */
let prefix = '';
let tests = 0;

function point(
  datastream: string,
  time: number,
  value: number,
  quality: SeriesPoint['quality'] = 'valid',
): SeriesPoint {
  return {
    datastream: `${prefix}${datastream}`,
    time: T0 + time,
    value,
    quality,
    receivedAt: T0 + time + 500,
  };
}

/** @param open makes an empty series */
export function describeSeriesContract(name: string, open: () => Promise<SeriesUnderTest>): void {
  describe(`series contract: ${name}`, () => {
    let one: SeriesUnderTest;
    let series: Series;
    /** Before each test: totals are counted from there. */
    let before = { points: 0, duplicates: 0 };
    beforeAll(async () => {
      one = await open();
      series = one.series;
    });
    afterAll(() => one.dispose());
    beforeEach(async () => {
      prefix = `t${tests++}-`;
      before = await series.totals();
    });

    const id = (datastream: string) => `${prefix}${datastream}`;
    const all = (datastream: string) =>
      series.range({ datastream: id(datastream), from: T0 - 100 * HOUR, to: T0 + 1_000 * HOUR });
    const totals = async () => {
      const { points, duplicates } = await series.totals();
      return { points: points - before.points, duplicates: duplicates - before.duplicates };
    };

    describe('write', () => {
      it('keeps a point with all that it says', async () => {
        const points = [point('dust-01/TSP', 0, 0.512), point('设备-1/COD@hour', 1, -3e-7, 'calibration')];
        expect(await series.write(points)).toEqual({ written: 2, duplicates: 0, conflicts: [] });
        expect(await all('dust-01/TSP')).toEqual([points[0]]);
        expect(await all('设备-1/COD@hour')).toEqual([points[1]]);
      });

      it('keeps how a point came, over a restart, and nothing where it came as native JSON', async () => {
        const points = [
          { ...point('a', 0, 1), source: 'hj212-2017+modbus' },
          point('a', 1, 2),
          { ...point('b', 0, 3), source: 'sparkplug' },
        ];
        await series.write(points);
        series = await one.reopen();
        const more = { ...point('b', 1, 4), source: '水质' };
        await series.write([more]);
        expect(await all('a')).toEqual(points.slice(0, 2));
        expect(await all('b')).toEqual([points[2], more]);
        series = await one.reopen();
        expect([...(await series.latest([id('a'), id('b')])).values()]).toEqual([points[1], more]);
      });

      it('takes points as a table too, with the same outcome', async () => {
        const table = new PointTable(1);
        const add = ({ datastream, time, value, quality, receivedAt, source }: SeriesPoint) =>
          table.add(datastream, time, value, QUALITY_CODES[quality], receivedAt, source ?? null);
        const first = [
          point('a', 0, 1, 'fault'),
          { ...point('a', 1, -0.5), source: 'senml' },
          point('b', 0, 2),
        ];
        for (const one of first) add(one);
        expect(await series.write(table)).toEqual({ written: 3, duplicates: 0, conflicts: [] });
        table.clear();
        const second = [{ ...point('a', 1, 7), source: 'senml' }, point('a', 2, 8)];
        for (const one of second) add(one);
        expect(await series.write(table)).toEqual({ written: 1, duplicates: 1, conflicts: [second[0]] });
        expect(await all('a')).toEqual([first[0], first[1], second[1]]);
      });

      it('keeps times to the millisecond, also where their bits carry over', async () => {
        const round = 419 * 2 ** 32;
        const times = [round - 1, round, round + 1, round + 2 ** 31, 4_102_444_800_000];
        const points = times.map((time) => ({ ...point('a', 0, 1), time, receivedAt: time }));
        await series.write(points);
        const query = { datastream: id('a'), from: T0, to: 5_000_000_000_000 };
        expect(await series.range(query)).toEqual(points);
      });

      it('takes the same batch again without a change, and counts the duplicates', async () => {
        const points = [point('a', 0, 1), point('a', 1, 2), point('b', 0, 3)];
        await series.write(points);
        expect(await series.write(points)).toEqual({ written: 0, duplicates: 3, conflicts: [] });
        expect(await totals()).toEqual({ points: 3, duplicates: 3 });
      });

      it('keeps the first of two values for one time, and names the other', async () => {
        await series.write([point('a', 0, 1)]);
        const result = await series.write([point('a', 0, 2), point('a', 1, 5)]);
        expect(result).toEqual({ written: 1, duplicates: 1, conflicts: [point('a', 0, 2)] });
        expect((await all('a')).map(({ value }) => value)).toEqual([1, 5]);
      });

      it('does so within one batch too', async () => {
        const result = await series.write([
          point('a', 5, 1),
          point('a', 0, 7),
          point('a', 5, 1),
          point('a', 0, 8),
        ]);
        expect(result).toEqual({ written: 2, duplicates: 2, conflicts: [point('a', 0, 8)] });
        expect((await all('a')).map(({ value }) => value)).toEqual([7, 1]);
      });

      it('compares with what is stored, not with an earlier repeat in the same batch', async () => {
        await series.write([point('a', 0, 1)]);
        const result = await series.write([point('a', 0, 2), point('a', 0, 1)]);
        expect(result).toEqual({ written: 0, duplicates: 2, conflicts: [point('a', 0, 2)] });
      });

      it('takes late points, near and very far back, once', async () => {
        await series.write(Array.from({ length: 50 }, (_, i) => point('a', 900 * HOUR + i * MINUTE, i)));
        const late = [0, 300, 600, 899].map((hour) => point('a', hour * HOUR, hour));
        expect((await series.write(late)).written).toBe(4);
        expect(await series.write(late)).toEqual({ written: 0, duplicates: 4, conflicts: [] });
        expect((await all('a')).length).toBe(54);
      });

      it('names at most 100 conflicts but counts them all', async () => {
        await series.write(Array.from({ length: 150 }, (_, i) => point('a', i, 0)));
        const result = await series.write(Array.from({ length: 150 }, (_, i) => point('a', i, 1)));
        expect(result.duplicates).toBe(150);
        expect(result.conflicts.length).toBe(100);
      });

      it('takes batches larger than any chunk inside', async () => {
        const points = Array.from({ length: 7_001 }, (_, i) => point(`d-${i % 13}`, i, i));
        expect((await series.write(points)).written).toBe(7_001);
        expect((await totals()).points).toBe(7_001);
      });

      it('does nothing with an empty batch', async () => {
        expect(await series.write([])).toEqual({ written: 0, duplicates: 0, conflicts: [] });
      });
    });

    describe('position', () => {
      const at = (nextOffset: number, partition = 0) => ({
        topic: id('observations'),
        partition,
        nextOffset,
      });

      it('is unknown at first, then that of the last write, over a restart', async () => {
        expect(await series.position(id('observations'), 0)).toBeNull();
        await series.write([point('a', 0, 1)], at(10));
        await series.write([], at(12));
        series = await one.reopen();
        expect(await series.position(id('observations'), 0)).toBe(12);
        expect(await series.position(id('observations'), 1)).toBeNull();
      });

      it('makes a batch that was written already do nothing at all', async () => {
        await series.write([point('a', 0, 1)], at(10));
        expect(await series.write([point('a', 0, 1), point('a', 1, 2)], at(10))).toEqual({
          written: 0,
          duplicates: 0,
          conflicts: [],
        });
        expect(await totals()).toEqual({ points: 1, duplicates: 0 });
      });

      it('is kept for each partition by itself', async () => {
        await series.write([point('a', 0, 1)], at(10, 0));
        await series.write([point('b', 0, 1)], at(3, 1));
        expect(await series.position(id('observations'), 0)).toBe(10);
        expect(await series.position(id('observations'), 1)).toBe(3);
      });
    });

    describe('range', () => {
      beforeEach(() =>
        series.write([3, 1, 2, 0].map((i) => point('a', i * MINUTE, i))).then(() => undefined),
      );
      const values = (points: SeriesPoint[]) => points.map(({ value }) => value);

      it('is ordered by time, from ≤ time < to', async () => {
        const points = await series.range({ datastream: id('a'), from: T0 + MINUTE, to: T0 + 3 * MINUTE });
        expect(values(points)).toEqual([1, 2]);
      });

      it('gives the newest first when asked, and no more than the limit', async () => {
        const query = { datastream: id('a'), from: T0, to: T0 + HOUR, limit: 2 };
        expect(values(await series.range(query))).toEqual([0, 1]);
        expect(values(await series.range({ ...query, order: 'desc' }))).toEqual([3, 2]);
      });

      it('is empty for a datastream that nobody wrote', async () => {
        expect(await all("x'; DROP TABLE points; --")).toEqual([]);
      });
    });

    describe('latest', () => {
      it('is the newest by time, not by arrival, over a restart', async () => {
        await series.write([point('a', 5, 1), point('b', 1, 2)]);
        await series.write([point('a', 3, 9)]);
        series = await one.reopen();
        const latest = await series.latest([id('a'), id('b'), 'unknown']);
        expect([...latest.values()]).toEqual([point('a', 5, 1), point('b', 1, 2)]);
      });

      it('answers for very many datastreams at once', async () => {
        const names = Array.from({ length: 20_000 }, (_, i) => `d-${i}/X`);
        await series.write(names.map((datastream, i) => point(datastream, i, i)));
        const latest = await series.latest(names.map(id));
        expect(latest.size).toBe(20_000);
        expect(latest.get(id('d-777/X'))?.value).toBe(777);
      });
    });

    describe('windows', () => {
      it('tell count, mean, min, max and the energy mean of levels', async () => {
        await series.write([point('n', 0, 50), point('n', 1, 60), point('n', 5 * MINUTE, 70)]);
        const rows = await series.windows({
          datastream: id('n'),
          from: T0,
          to: T0 + HOUR,
          windowMs: 5 * MINUTE,
        });
        expect(rows.map(({ from, count, mean, min, max }) => ({ from, count, mean, min, max }))).toEqual([
          { from: T0, count: 2, mean: 55, min: 50, max: 60 },
          { from: T0 + 5 * MINUTE, count: 1, mean: 70, min: 70, max: 70 },
        ]);
        expect(rows[0]?.leq).toBeCloseTo(10 * Math.log10((10 ** 5 + 10 ** 6) / 2), 9);
        expect(rows[1]?.leq).toBeCloseTo(70, 9);
      });

      it('count only the qualities asked for', async () => {
        await series.write([point('n', 0, 50), point('n', 1, 90, 'fault')]);
        const query = { datastream: id('n'), from: T0, to: T0 + HOUR, windowMs: HOUR };
        expect((await series.windows({ ...query, qualities: ['valid'] }))[0]?.max).toBe(50);
        expect((await series.windows(query))[0]?.max).toBe(90);
        expect(await series.windows({ ...query, qualities: [] })).toEqual([]);
      });

      it('are days of Beijing with an offset of eight hours', async () => {
        // T0 is 08:00 in Beijing; its day begins eight hours before, at 16:00 UTC of the day before.
        await series.write([point('n', 15 * HOUR, 1), point('n', 16 * HOUR, 2)]);
        const query = {
          datastream: id('n'),
          from: T0,
          to: T0 + 48 * HOUR,
          windowMs: 24 * HOUR,
          offsetMs: 8 * HOUR,
        };
        const rows = await series.windows(query);
        expect(rows.map(({ from, mean }) => [from, mean])).toEqual([
          [T0 - 8 * HOUR, 1],
          [T0 + 16 * HOUR, 2],
        ]);
      });

      it('survive values whose energy is beyond every number', async () => {
        await series.write([point('n', 0, 5_000), point('n', 1, -5_000)]);
        const rows = await series.windows({ datastream: id('n'), from: T0, to: T0 + HOUR, windowMs: HOUR });
        expect(rows[0]?.leq).toBeCloseTo(5_000 - 10 * Math.log10(2), 6);
      });
    });

    describe('retention', () => {
      it('takes what is older, tells how much, and leaves the totals of what was written', async () => {
        // Older than what the other tests wrote.
        await series.write([point('a', -20 * HOUR, 1), point('a', -10 * HOUR, 2), point('b', -20 * HOUR, 3)]);
        expect(await series.deleteBefore(T0 - 10 * HOUR)).toBe(2);
        expect(await all('a')).toEqual([point('a', -10 * HOUR, 2)]);
        expect([...(await series.latest([id('a'), id('b')])).keys()]).toEqual([id('a')]);
        expect(await totals()).toEqual({ points: 3, duplicates: 0 });
      });
    });

    it('takes writes that were not awaited, with new datastreams in each', async () => {
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => series.write([point(`d-${i}`, i, i), point('all', i, i)])),
      );
      expect((await all('all')).length).toBe(20);
      expect((await all('d-19')).map(({ value }) => value)).toEqual([19]);
    });

    it('behaves like a map from (datastream, time) to the first value, whatever is written', async () => {
      const cell = fc.record({ d: fc.constantFrom('a', 'b'), t: fc.nat(12), v: fc.nat(2) });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(cell, { maxLength: 12 }), { maxLength: 4 }), async (batches) => {
          const run = `m${runs++}`;
          const model = new Map<string, number>();
          for (const batch of batches) {
            // Times an hour apart, so that late points fall into different spans.
            const points = batch.map(({ d, t, v }) => point(`${run}-${d}`, t * HOUR, v));
            const fresh = points.filter(({ datastream, time, value }) => {
              const key = `${datastream}@${time}`;
              return !model.has(key) && model.set(key, value);
            });
            const conflicts = points.filter((p) => model.get(`${p.datastream}@${p.time}`) !== p.value);
            const result = await series.write(points);
            expect(result.written).toBe(fresh.length);
            expect(result.duplicates).toBe(points.length - fresh.length);
            expect(result.conflicts.length).toBe(conflicts.length);
          }
          const stored = [...(await all(`${run}-a`)), ...(await all(`${run}-b`))];
          expect(new Map(stored.map((p) => [`${p.datastream}@${p.time}`, p.value]))).toEqual(model);
        }),
        { seed: 20261122, numRuns: 25 },
      );
    });

    it('refuses after it was closed', async () => {
      await series.close();
      await expect(series.write([point('a', 0, 1)])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
  });
}

let runs = 0;

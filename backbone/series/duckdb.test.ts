import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { describeSeriesContract } from '../../tests/contract/series.ts';
import { silentLog, temporaryFolder } from '../../tests/contract/support.ts';
import { projectRoot } from '../project-root.ts';
import { openDuckDbSeries } from './duckdb.ts';

describeSeriesContract('DuckDB', async () => {
  const folder = await temporaryFolder();
  const options = { file: join(folder.path, 'series.duckdb'), log: silentLog };
  let series = await openDuckDbSeries(options);
  return {
    series,
    async reopen() {
      await series.close();
      series = await openDuckDbSeries(options);
      return series;
    },
    async dispose() {
      await series.close();
      await folder.remove();
    },
  };
});

describe('the DuckDB series', () => {
  it('says that it cannot be opened', async () => {
    const file = join('does', 'not', 'exist', 'series.duckdb');
    await expect(openDuckDbSeries({ file, log: silentLog })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('opens a file of an earlier version, whose points have no source', async () => {
    const folder = await temporaryFolder();
    const file = join(folder.path, 'series.duckdb');
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    await connection.run(`
      CREATE TABLE datastreams (id INTEGER NOT NULL, name VARCHAR NOT NULL);
      CREATE TABLE points (series INTEGER NOT NULL, time BIGINT NOT NULL, value DOUBLE NOT NULL,
        quality UTINYINT NOT NULL, received_at BIGINT NOT NULL);
      INSERT INTO datastreams VALUES (0, 'dust-01/TSP');
      INSERT INTO points VALUES (0, 1795305600000, 0.5, 0, 1795305600500);`);
    connection.closeSync();
    instance.closeSync();
    const series = await openDuckDbSeries({ file, log: silentLog });
    const old = {
      time: 1_795_305_600_000,
      value: 0.5,
      quality: 'valid' as const,
      receivedAt: 1_795_305_600_500,
    };
    const next = { ...old, datastream: 'dust-01/TSP', time: old.time + 1, source: 'senml' };
    await series.write([next]);
    const query = { datastream: 'dust-01/TSP', from: 0, to: 4e12 };
    expect(await series.range(query)).toEqual([{ ...old, datastream: 'dust-01/TSP' }, next]);
    await series.close();
    await folder.remove();
  });

  it('has each point once after it was killed twice: points and position are one', async () => {
    const folder = await temporaryFolder();
    const file = join(folder.path, 'series.duckdb');
    let acknowledged = 0;
    for (const killAfter of [7, 13]) {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', 'tests/contract/children/write-series.ts', file],
        {
          cwd: projectRoot,
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        if (++lines <= killAfter) acknowledged = Number(line);
        if (lines === killAfter) child.kill('SIGKILL');
      }
    }
    const series = await openDuckDbSeries({ file, log: silentLog });
    const position = (await series.position('t', 0)) ?? 0;
    expect(position).toBeGreaterThanOrEqual(acknowledged);
    expect(await series.totals()).toEqual({ points: position, duplicates: 0 });
    const times = (await series.range({ datastream: 'd-3', from: 0, to: 4e12 })).map(({ time }) => time);
    expect(new Set(times).size).toBe(position / 10);
    await series.close();
    await folder.remove();
  }, 90_000);
});

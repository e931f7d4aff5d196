import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uniform } from '../sensors/anomaly/testing.ts';
import { scoreCsv, scoreSeries } from './index.ts';

const START = Date.parse('2026-03-01T00:00:00Z');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-scoring-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('score series', () => {
  it('finds the leaps of a generated corpus and prints the agreed figures', async () => {
    await writeCorpus(folder);
    const figures = await scoreSeries(folder);
    expect(figures.profiles.standard).toBeGreaterThan(80);
    expect(Object.keys(figures.profiles)).toEqual(['standard', 'lowFp', 'lowFn']);
    expect(figures.series.map((s) => [s.file, s.windows])).toEqual([
      ['deep/leap.csv', 1],
      ['healthy.csv', 0],
    ]);
    expect(figures.series[0]?.hit).toBe(1);
    expect(figures.alarmsPerDay).toBeGreaterThan(0);
    expect(figures.best.standard.threshold).toBe(figures.threshold);
  });

  it('keeps a frozen threshold, and lets several folders share one', async () => {
    await writeCorpus(folder);
    const one = await scoreSeries([folder, folder], { threshold: 0.3 });
    expect(one.threshold).toBe(0.3);
    expect(one.sets).toHaveLength(2);
    expect(one.sets[0]?.profiles).toEqual(one.sets[1]?.profiles);
    expect((await scoreSeries(folder, { threshold: 1.01 })).profiles).toEqual({
      standard: 0,
      lowFp: 0,
      lowFn: 0,
    });
  });

  it('sweeps for the profile that it is asked to serve', async () => {
    await writeCorpus(folder);
    for (const profile of ['standard', 'lowFp', 'lowFn'] as const) {
      const figures = await scoreSeries(folder, { profile });
      expect(figures.profiles[profile]).toBeCloseTo(figures.best[profile].score, 9);
    }
  });

  it('writes a score for every row that reads back as the same number, and a report with every series', async () => {
    await writeCorpus(folder);
    const out = join(folder, 'scores');
    const html = join(folder, 'report.html');
    await scoreSeries(folder, { out, html });
    const written = (await readFile(join(out, 'deep/leap.csv'), 'utf8')).trim().split('\n');
    const data = (await readFile(join(folder, 'data/deep/leap.csv'), 'utf8')).trim().split('\n');
    expect(written[0]).toBe('timestamp,value,anomaly_score');
    expect(written.length).toBe(data.length);
    expect(written[5]?.startsWith(`${data[5]},`)).toBe(true);
    const scores = written.slice(1).map((line) => Number(line.split(',')[2]));
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
    expect(scores.findIndex((score) => score > 0.3)).toBe(900);
    expect(await readFile(html, 'utf8')).toMatch(/deep\/leap\.csv: 1 of 1 windows found/);
  });

  it('gives the scores of a series no matter what stands beside it, before or behind', async () => {
    await writeCorpus(folder);
    const long = join(folder, 'long');
    await scoreSeries(folder, { out: long });
    const short = join(folder, 'short');
    const cut = join(folder, 'cut');
    const lines = (await readFile(join(folder, 'data/deep/leap.csv'), 'utf8')).trim().split('\n');
    await mkdir(join(cut, 'data'), { recursive: true });
    await writeFile(join(cut, 'data/other-name.csv'), lines.slice(0, 801).join('\n'));
    await writeFile(join(cut, 'windows.json'), JSON.stringify({ 'other-name.csv': [] }));
    await scoreSeries(cut, { out: short });
    const whole = (await readFile(join(long, 'deep/leap.csv'), 'utf8')).split('\n').slice(0, 801);
    const part = (await readFile(join(short, 'other-name.csv'), 'utf8')).trim().split('\n');
    expect(part).toEqual(whole);
  });

  it.each([
    ['no windows.json', async () => rm(join(folder, 'windows.json'))],
    ['windows.json of another shape', async () => writeFile(join(folder, 'windows.json'), '{"a.csv": [1]}')],
    [
      'a window off the rows',
      async () => writeFile(join(folder, 'windows.json'), '{"healthy.csv": [["2020-01-01", "2020-01-02"]]}'),
    ],
    ['a file that is missing', async () => rm(join(folder, 'data/healthy.csv'))],
    [
      'a file without values',
      async () => writeFile(join(folder, 'data/healthy.csv'), 'timestamp\n2026-01-01'),
    ],
    [
      'a stamp that is none',
      async () => writeFile(join(folder, 'data/healthy.csv'), 'timestamp,value\nnoon,1'),
    ],
  ])('refuses %s as wrong use', async (_, spoil) => {
    await writeCorpus(folder);
    await spoil();
    await expect(scoreSeries(folder)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('score csv', () => {
  it('counts events, delays and false alarms', async () => {
    const labels = { 900: 1, 901: 1, 905: 1, 1200: 1 };
    await writeCsv(join(folder, 'a.csv'), 1500, { 901: 60, 1050: 900 }, labels);
    const figures = await scoreCsv(folder, { threshold: 0.35 });
    expect(figures).toMatchObject({
      threshold: 0.35,
      precision: 0.5,
      recall: 0.5,
      f1: 0.5,
      medianDelayS: 300,
      series: [{ file: 'a.csv', events: 2, found: 1, falseAlarms: 1 }],
    });
    expect(figures.falseAlarmsPerDay).toBeCloseTo(1 / ((1499 - 60) / 288), 9);
  });

  it('says null, not zero, where there is nothing to divide by', async () => {
    await writeCsv(join(folder, 'a.csv'), 100, {}, {});
    expect(await scoreCsv(folder)).toMatchObject({
      precision: null,
      recall: null,
      f1: null,
      medianDelayS: null,
    });
  });

  it('skips rows without a value', async () => {
    await writeCsv(join(folder, 'a.csv'), 1000, { 500: Number.NaN }, {});
    expect((await scoreCsv(folder, { threshold: 0.5 })).series[0]?.falseAlarms).toBe(0);
  });

  it('refuses a folder without CSVs, and a CSV without labels', async () => {
    await expect(scoreCsv(folder)).rejects.toMatchObject({ code: 'USAGE' });
    await writeCsv(join(folder, 'a.csv'), 10, {}, {});
    await expect(scoreCsv(folder, { labelColumn: 'truth' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

/** Two series of five-minute noise: one leaps at row 900, within its window 890 … 950. */
async function writeCorpus(dir: string): Promise<void> {
  await mkdir(join(dir, 'data/deep'), { recursive: true });
  await writeCsv(join(dir, 'data/deep/leap.csv'), 1500, { 900: 60 });
  await writeCsv(join(dir, 'data/healthy.csv'), 1500, {});
  const windows = { 'healthy.csv': [], 'deep/leap.csv': [[`${stamp(890)}.000000`, `${stamp(950)}.000000`]] };
  await writeFile(join(dir, 'windows.json'), JSON.stringify(windows));
}

async function writeCsv(
  file: string,
  rows: number,
  leaps: Record<number, number>,
  labels?: Record<number, number>,
): Promise<void> {
  const noise = uniform(rows);
  const lines = Array.from({ length: rows }, (_, i) => {
    const healthy = 10 + noise();
    const value = leaps[i] ?? healthy;
    const label = labels === undefined ? '' : `,${labels[i] ?? 0}`;
    return `${stamp(i)},${Number.isNaN(value) ? '' : value}${label}`;
  });
  const head = labels === undefined ? 'timestamp,value' : 'timestamp,value,label';
  await writeFile(file, `${head}\n${lines.join('\n')}\n`);
}

function stamp(row: number): string {
  return new Date(START + row * 300_000).toISOString().slice(0, 19).replace('T', ' ');
}

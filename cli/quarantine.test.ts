import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { QuarantineEntry } from '../contracts/index.ts';
import { IngestConfig, openQuarantine } from '../ingest/index.ts';
import { registerQuarantine } from './commands/quarantine.ts';
import { startControl } from './control.ts';
import { quarantineAnswers } from './quarantine-answers.ts';
import { openRecords } from './stores.ts';

/** `qianliyan quarantine …` on a data folder. */

const T = Date.parse('2026-11-22T10:00:00Z');
const log = pino({ level: 'silent' });
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-quarantine-'));
  const records = await openRecords(folder, log);
  const { quarantine: limits } = IngestConfig.parse({});
  const quarantine = await openQuarantine(limits, { records, log, metrics: new Metrics() });
  const suspect = { topic: 't', client: 'c', device: 'dust-09', payload: Buffer.from([0, 1, 255]) };
  await quarantine.put({ ...suspect, reason: 'device-unknown', detail: 'first', receivedAt: T });
  await quarantine.put({ ...suspect, reason: 'not-json', detail: 'second', receivedAt: T + 60_000 });
  await quarantine.close();
  await records.close();
});
afterAll(() => rm(folder, { recursive: true }));

/** What the command writes to standard output. */
async function run(...words: string[]): Promise<Buffer> {
  const written: Buffer[] = [];
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(Buffer.from(text));
    return true;
  });
  try {
    const program = new Command().exitOverride();
    registerQuarantine(program);
    await program.parseAsync(['quarantine', ...words, '--data', folder], { from: 'user' });
  } finally {
    out.mockRestore();
  }
  return Buffer.concat(written);
}
const entries = async (...filter: string[]) =>
  JSON.parse((await run('list', '--json', ...filter)).toString()) as QuarantineEntry[];

describe('qianliyan quarantine', () => {
  it('lists newest first, by what is asked', async () => {
    expect((await entries()).map((e) => e.detail)).toEqual(['second', 'first']);
    expect((await entries('--reason', 'not-json')).map((e) => e.detail)).toEqual(['second']);
    expect((await entries('--until', '2026-11-22T18:00:30+08:00')).map((e) => e.detail)).toEqual(['first']);
    expect((await entries('--text', 'FIRST')).map((e) => e.detail)).toEqual(['first']);
    const text = (await run('list')).toString();
    expect(text).toContain('2026-11-22T10:00:00.000Z open        device-unknown       dust-09');
    await expect(run('list', '--since', 'yesterday')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(run('list', '--reason', 'bad')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('shows one, and gives its bytes untouched', async () => {
    const [, first] = await entries();
    expect(JSON.parse((await run('show', first!.id)).toString())).toEqual(first);
    expect(await run('raw', first!.id)).toEqual(Buffer.from([0, 1, 255]));
    await expect(run('show', 'q0')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('runs again in the running product only, and never everything by mistake', async () => {
    await expect(run('rerun')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(run('rerun', '--all')).rejects.toThrow('no product runs');
    const asked: unknown[] = [];
    const report = {
      looked: 1,
      taken: 1,
      duplicates: 0,
      stillRefused: 0,
      notRun: 0,
      readings: 1,
      stays: [],
      next: null,
    };
    const rerun = async (request: unknown, by: string) => {
      asked.push(request, by);
      return report;
    };
    const control = await startControl(folder, quarantineAnswers({ rerun }));
    try {
      const said = await run('rerun', 'q1', 'q2', '--device', 'dust-09');
      expect(JSON.parse(said.toString())).toEqual(report);
      const request = { ids: ['q1', 'q2'], device: 'dust-09', limit: 1_000 };
      expect(asked).toEqual([request, 'command line']);
    } finally {
      await control.stop();
    }
  });

  it('dismisses with a reason, and sums up', async () => {
    const [second] = await entries();
    const dismissed = JSON.parse((await run('dismiss', second!.id, '--reason', 'a test')).toString());
    expect(dismissed).toMatchObject({ state: 'dismissed', note: 'a test', resolvedBy: 'command line' });
    const summary = (await run('summary')).toString();
    expect(summary).toContain('2 entered, 1 open, 0 run again and taken, 1 dismissed, 0 evicted');
  });
});

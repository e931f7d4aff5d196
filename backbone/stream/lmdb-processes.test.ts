import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, temporaryFolder } from '../../tests/contract/support.ts';
import { projectRoot } from '../project-root.ts';
import { openLmdbStream } from './lmdb.ts';
import type { Stream } from './port.ts';

const CHILD = 'tests/contract/children/append.ts';
const record = (text: string) => ({ key: 'k', value: Buffer.from(text) });

// Starting Node with tsx takes seconds on a busy machine.
describe('the LMDB stream beside another process', { timeout: 90_000 }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let stream: Stream | null = null;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await stream?.close();
    await folder.remove();
  });

  const open = async () => {
    stream = await openLmdbStream({ folder: folder.path, log: silentLog });
    return stream;
  };
  const child = (mode: string, count: number) =>
    spawn(process.execPath, ['--import', 'tsx', CHILD, folder.path, mode, String(count)], {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  it('sees its appends, and shares the offsets with it', async () => {
    const stream = await open();
    const seen: string[] = [];
    await stream.subscribe({ topic: 't', group: 'g' }, async ({ records }) => {
      seen.push(...records.map(({ value }) => Buffer.from(value).toString()));
    });
    const other = child('one', 40);
    const exit = once(other, 'exit');
    for (let i = 0; i < 40; i++) await stream.append('t', [record(`here-${i}`)]);
    expect((await exit)[0]).toBe(0);
    while (seen.length < 80) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(new Set(seen).size).toBe(80);
    expect((await stream.ends('t'))[0]?.next).toBe(80);
  });

  it.each([11, 22])('keeps every acknowledged record of one killed in the middle (seed %i)', async (seed) => {
    const other = child('many', 1_000_000);
    const acknowledged: string[] = [];
    const killAfter = 200 + ((seed * 2_654_435_761) % 900);
    for await (const line of createInterface({ input: other.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === killAfter) other.kill('SIGKILL');
    }
    const stream = await open();
    const next = (await stream.ends('t'))[0]?.next ?? 0;
    const stored: string[] = [];
    while (stored.length < next) {
      const records = await stream.read('t', 0, stored.length, 1_000);
      expect(records[0]?.offset).toBe(stored.length);
      stored.push(...records.map(({ value }) => Buffer.from(value).toString()));
    }
    const known = new Set(stored);
    expect(known.size).toBe(stored.length);
    // The last line may have been cut by the kill.
    expect(acknowledged.slice(0, -1).filter((value) => !known.has(value))).toEqual([]);
    await stream.append('t', [record('after')]);
    expect((await stream.read('t', 0, next, 1))[0]?.value.toString()).toBe('after');
  });
});

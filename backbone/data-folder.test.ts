import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../tests/contract/support.ts';
import { lockDataFolder } from './data-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let data: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  data = join(folder.path, 'data');
});
afterEach(() => folder.remove());

const holder = () => JSON.parse(readFileSync(join(data, 'lock'), 'utf8'));

it('makes the folder and holds it against a second one until it is released', () => {
  const lock = lockDataFolder(data);
  expect(() => lockDataFolder(data)).toThrow(expect.objectContaining({ code: 'DATA_FOLDER_LOCKED' }));
  lock.release();
  lockDataFolder(data).release();
});

it('names the process that holds it', () => {
  const lock = lockDataFolder(data);
  expect(() => lockDataFolder(data)).toThrow(`process ${process.pid}`);
  lock.release();
});

it('takes over from a process that is gone', () => {
  lockDataFolder(data);
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(join(data, 'lock'), JSON.stringify({ ...holder(), pid }));
  lockDataFolder(data).release();
  expect(readdirSync(data)).toEqual([]);
});

it.runIf(process.platform === 'linux')('takes over when the id belongs to a later process', () => {
  lockDataFolder(data);
  writeFileSync(join(data, 'lock'), JSON.stringify({ ...holder(), started: 'another-boot/1' }));
  lockDataFolder(data).release();
});

it('takes over a lock that says nothing', () => {
  lockDataFolder(data);
  writeFileSync(join(data, 'lock'), '');
  lockDataFolder(data).release();
});

it('does not release what another has taken over', () => {
  const lost = lockDataFolder(data);
  writeFileSync(join(data, 'lock'), '');
  const now = lockDataFolder(data);
  lost.release();
  expect(existsSync(join(data, 'lock'))).toBe(true);
  now.release();
});

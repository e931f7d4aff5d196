import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { QianliyanError } from '../contracts/index.ts';

/**
 * One data folder, one process.
 *
 * `lockDataFolder` puts a file `lock` into the folder that says who holds it. A lock whose process is gone (kill -9,
 * power loss) is taken over: the process is known by its id, the time it started and the boot it ran in, since ids
 * come round again, in containers even at once (always 1). Guards against mistakes, not against ill will.
 */

export interface DataFolderLock {
  /** Gives the folder back. Doing so twice does no harm. */
  release(): void;
}

const Holder = z.strictObject({ pid: z.number().int().positive(), started: z.string(), nonce: z.string() });
type Holder = z.infer<typeof Holder>;

/**
 * Makes the folder if need be, and locks it.
 * @throws QianliyanError DATA_FOLDER_LOCKED when a living process holds it
 */
export function lockDataFolder(folder: string): DataFolderLock {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'lock');
  const mine: Holder = { pid: process.pid, started: startOf(process.pid) ?? '', nonce: randomUUID() };
  // Each round either gets the lock, finds it held, or clears one stale lock away; others may come between.
  for (let round = 0; round < 10; round++) {
    if (tryTake(path, mine)) return { release: () => release(path, mine) };
    const holder = read(path);
    if (holder !== null && isAlive(holder)) break;
    clearStale(path, holder);
  }
  throw new QianliyanError(
    'DATA_FOLDER_LOCKED',
    `${folder} is held by process ${read(path)?.pid ?? 'unknown'}`,
    {
      problems: [
        {
          path: 'data',
          found: folder,
          allowed: 'a folder that no other qianliyan uses; stop the other one, or set data',
        },
      ],
    },
  );
}

/** The lock appears with its whole content or not at all: a link to a finished file fails when the name is taken. */
function tryTake(path: string, mine: Holder): boolean {
  const draft = `${path}.${mine.nonce}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves the stale lock aside; if another process renewed it in between, puts that one back. */
function clearStale(path: string, seen: Holder | null): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (read(aside)?.nonce !== seen?.nonce) linkSync(aside, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function release(path: string, mine: Holder): void {
  if (read(path)?.nonce === mine.nonce) rmSync(path, { force: true });
}

/** Null when there is none, or when it is not one of ours: that cannot name a living holder either. */
function read(path: string): Holder | null {
  try {
    return Holder.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, but belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const started = startOf(holder.pid);
  return started === null || holder.started === '' || started === holder.started;
}

/** What tells a process from a later one with the same id; null where the system does not say. */
function startOf(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // Field 22 (proc(5)), counted behind the command's closing bracket, which is field 2.
      const ticks = status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
      return `${boot}/${ticks}`;
    }
    if (process.platform === 'win32') return null;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

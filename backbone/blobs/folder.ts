import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { QianliyanError } from '../../contracts/index.ts';
import type { Blobs } from './port.ts';

/**
 * Blobs as files, named by their SHA-256: `ab/cd/abcd…`.
 *
 * Promises: a blob is whole or absent whatever happens (temporary file, fsync, rename, fsync of the folder); two
 * writers of the same bytes do not disturb each other; bytes that no longer match their name are never handed out.
 * Does not count references: who deletes knows that nobody needs it.
 */

const UNFINISHED = 'unfinished';

export async function openFolderBlobs(options: { folder: string }): Promise<Blobs> {
  const { folder } = options;
  const unfinished = join(folder, UNFINISHED);
  // What a killed process left half-written was never acknowledged.
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const pathOf = (sha256: string) => join(folder, sha256.slice(0, 2), sha256.slice(2, 4), sha256);

  return {
    async put(bytes) {
      const sha256 = hashOf(bytes);
      const path = pathOf(sha256);
      if (await isWhole(path, bytes.byteLength)) return sha256;
      await writeDurably(path, join(unfinished, `${sha256}.${randomUUID()}`), bytes, folder);
      return sha256;
    },
    async get(sha256) {
      const bytes = await orNull(readFile(pathOf(checked(sha256))));
      if (bytes !== null && hashOf(bytes) !== sha256) {
        throw new QianliyanError('STORE_UNAVAILABLE', `the stored bytes of blob ${sha256} have changed`);
      }
      return bytes;
    },
    has: async (sha256) => (await orNull(stat(pathOf(checked(sha256))))) !== null,
    delete: (sha256) => rm(pathOf(checked(sha256)), { force: true }),
    close: () => Promise.resolve(),
  };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A name becomes part of a path: nothing but 64 hex digits may. */
function checked(sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new QianliyanError('NOT_FOUND', 'a blob is named by its SHA-256');
  return sha256;
}

/** A file that a broken disk cut short is written again. */
async function isWhole(path: string, size: number): Promise<boolean> {
  return (await orNull(stat(path)))?.size === size;
}

async function writeDurably(path: string, temporary: string, bytes: Uint8Array, root: string): Promise<void> {
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await makeFolderDurably(dirname(path), root);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new QianliyanError(full ? 'STORE_FULL' : 'STORE_UNAVAILABLE', 'a blob could not be written', {
      cause,
    });
  }
}

/** A new folder is itself an entry of its parent, which has to reach the disk as well. */
async function makeFolderDurably(path: string, root: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made !== root; made = dirname(made)) await syncFolder(dirname(made));
}

async function syncFolder(path: string): Promise<void> {
  // Windows can neither open nor sync a folder; its file system journals the rename by itself.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new QianliyanError('STORE_UNAVAILABLE', 'a blob could not be read', { cause: error });
  }
}

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeBlobsContract } from '../../tests/contract/blobs.ts';
import { temporaryFolder } from '../../tests/contract/support.ts';
import { openFolderBlobs } from './folder.ts';

describeBlobsContract('folder', async () => {
  const folder = await temporaryFolder();
  return {
    blobs: await openFolderBlobs({ folder: folder.path }),
    reopen: () => openFolderBlobs({ folder: folder.path }),
    damage: (sha256) => writeFile(join(folder.path, sha256.slice(0, 2), sha256.slice(2, 4), sha256), 'other'),
    dispose: () => folder.remove(),
  };
});

it('clears away what a killed process left half-written', async () => {
  const folder = await temporaryFolder();
  const unfinished = join(folder.path, 'unfinished');
  await mkdir(unfinished, { recursive: true });
  await writeFile(join(unfinished, 'left-over'), 'half');
  const blobs = await openFolderBlobs({ folder: folder.path });
  await blobs.put(Buffer.from('x'));
  expect(await readdir(unfinished)).toEqual([]);
  await folder.remove();
});

it('says that it cannot write, and leaves nothing half-written', async () => {
  const folder = await temporaryFolder();
  const blobs = await openFolderBlobs({ folder: folder.path });
  // A file where the folder of this blob would have to be (SHA-256 of "x" begins with 2d).
  await writeFile(join(folder.path, '2d'), 'in the way');
  await expect(blobs.put(Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await readdir(join(folder.path, 'unfinished'))).toEqual([]);
  await folder.remove();
});

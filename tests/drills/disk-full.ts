import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { closeBooks, type DrillRound, NO_DETECTORS } from './books.ts';
import { freePort, startChild } from './child.ts';
import { startSender } from './sender.ts';

/**
 * A small file system of its own fills up, until less is free than the stream wants (`nearly`), or until nothing is
 * (`full`). From then on nothing may be acknowledged, with a clear error, and the process must live; when there is room
 * again, acknowledgements go on without a restart, and nothing that was acknowledged is lost. Needs the right to mount.
 */
export interface DiskFullOptions {
  publishers: number;
  how: 'nearly' | 'full';
  /** How long it stays so. */
  seconds?: number;
  progress?: (line: string) => void;
}

const DISK_BYTES = 420 * 1_048_576;
/** As the stream has it. */
const MIN_FREE_BYTES = 256 * 1_048_576;
/** The stream looks at the disk once a second. */
const NOTICED_MS = 1_500;

/** Null when this user may not mount: then the drill cannot run here. */
export async function diskFullDrill(options: DiskFullOptions): Promise<DrillRound | null> {
  const { publishers, how, seconds = 3, progress = () => undefined } = options;
  const disk = await mountDisk();
  if (disk === null) return null;
  const port = await freePort();
  const child = await startChild(disk, port, publishers);
  const senders = Array.from({ length: publishers }, (_, i) => startSender(`d-${i}`, port, 10));
  const acknowledged = () => senders.reduce((sum, s) => sum + s.acknowledged.size, 0);
  try {
    while (acknowledged() < publishers * 20) await pause(20);
    await fill(disk, how === 'full' ? 0 : MIN_FREE_BYTES - 8 * 1_048_576);
    await pause(NOTICED_MS);
    const before = acknowledged();
    await pause(seconds * 1_000);
    const during = acknowledged() - before;
    progress(`${how} for ${seconds} s: ${during} acknowledged meanwhile`);
    const said = child.errors.some((line) => line.includes('STORE_FULL') || line.includes('store-full'));
    const lived = child.running;
    const freedAt = performance.now();
    await rm(join(disk, 'ballast'));
    while (acknowledged() === before + during && performance.now() - freedAt < 60_000) await pause(20);
    const recoveredMs = Math.round(performance.now() - freedAt);
    const recovered = acknowledged() > before + during;
    progress(`room again: acknowledged after ${recoveredMs} ms`);
    if (recovered) await Promise.all(senders.map((s) => s.finish()));
    await child.stop();
    const {
      acknowledged: all,
      lost,
      altered,
      stored,
      missing,
      holds: booksHold,
    } = await closeBooks(disk, senders);
    const holds = booksHold && during === 0 && said && lived && recovered;
    const also = {
      seconds,
      acknowledgedMeanwhile: during,
      saidStoreFull: said,
      lived,
      recovered,
      altered,
      missing,
    };
    const fault = how === 'full' ? 'disk full' : 'disk nearly full';
    return { fault, acknowledged: all, stored, lost, ...NO_DETECTORS, recoveredMs, holds, also };
  } finally {
    await child.kill();
    for (const { abandon } of senders) abandon();
    await run('umount', ['-l', disk]);
    await rm(disk, { recursive: true, force: true });
  }
}

const run = promisify(execFile);

async function mountDisk(): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder]);
    return folder;
  } catch {
    await rm(folder, { recursive: true });
    return null;
  }
}

/** Writes a file that leaves so much free. */
async function fill(disk: string, leave: number): Promise<void> {
  const file = await open(join(disk, 'ballast'), 'w');
  const piece = Buffer.alloc(1_048_576);
  try {
    for (;;) {
      const { bavail, bsize } = await statfs(disk);
      const size = Math.min(piece.length, bavail * bsize - leave);
      if (size <= 0) return;
      await file.write(piece.subarray(0, size));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await file.close();
  }
}

import { statfs } from 'node:fs/promises';
import { QianliyanError } from '../../contracts/index.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/**
 * Watches the room on the disk, so that the stream refuses before the disk is full: what is refused was never
 * acknowledged, and a device sends it again. A full disk would also stop the stores that could make room.
 */

export interface RoomOptions {
  folder: string;
  clock: Clock;
  log: Log;
  minFreeBytes: number;
  maxBytes: number;
  /** Bytes that the stream's records take now. */
  usedBytes: () => number;
  /** For tests; default: what the file system says. */
  freeBytes?: (folder: string) => Promise<number>;
}

const CHECK_EVERY_MS = 1_000;

export class Room {
  readonly #options: RoomOptions;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #refusal: QianliyanError | null = null;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Null when there is room, else why not. Asks the file system at most once a second of real time. */
  async refusal(): Promise<QianliyanError | null> {
    const { clock } = this.#options;
    if (clock.now() - this.#checkedAt < CHECK_EVERY_MS * clock.speed) return this.#refusal;
    this.#checkedAt = clock.now();
    const before = this.#refusal;
    this.#refusal = await this.#check();
    this.#report(before);
    return this.#refusal;
  }

  async #check(): Promise<QianliyanError | null> {
    const { folder, minFreeBytes, maxBytes, usedBytes, freeBytes = freeOnDisk } = this.#options;
    const free = await freeBytes(folder);
    if (free < minFreeBytes) {
      return new QianliyanError('STORE_FULL', `${mebi(free)} free, at least ${mebi(minFreeBytes)} wanted`);
    }
    const used = usedBytes();
    if (used < maxBytes) return null;
    return new QianliyanError('STORE_FULL', `the stream takes ${mebi(used)} of the ${mebi(maxBytes)} it may`);
  }

  #report(before: QianliyanError | null): void {
    if (before === null && this.#refusal !== null) {
      this.#options.log.error(
        { reason: 'store-full', detail: this.#refusal.message },
        'stream refuses appends',
      );
    } else if (before !== null && this.#refusal === null) {
      this.#options.log.info('stream has room again');
    }
  }
}

async function freeOnDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function mebi(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576)} MiB`;
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import type { Log } from '../../backbone/index.ts';
import type { DeviceTables } from './tables.ts';

/** What it takes that several processes, and several callers, write one registry. */

export function listeners(log: Log) {
  const all = new Set<(id: string) => void>();
  return {
    add(listener: (id: string) => void): () => void {
      all.add(listener);
      return () => all.delete(listener);
    },
    tell(id: string): void {
      for (const listener of all) {
        try {
          listener(id);
        } catch (error) {
          log.error({ err: error, device: id }, 'a listener of the registry failed');
        }
      }
    },
  };
}

/** Writes one after the other: versions are counted in memory. */
export function oneAtATime() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

/**
 * Waits for other processes before the first read. SQLite lets a transaction that has read and then wants to write only
 * fail at once when another one wrote in between; one that begins with a write waits for its turn.
 */
export async function takeWriteLock(tx: Transaction<DeviceTables>): Promise<void> {
  await tx.updateTable('device_versions').set({ who: null }).where('seq', '=', -1).execute();
}

const TRIES = 10;

/**
 * Does the work on the newest state. When another process wrote in between, the work's transaction fails as a whole (a
 * version or sequence number is taken): then it is done again on what that one wrote.
 */
export async function untilNoneInterferes<T>(load: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left--) {
    await load();
    try {
      return await work();
    } catch (error) {
      if (left === 1 || !isCollision(error)) throw error;
      await pause(20 * (TRIES - left + 1));
    }
  }
}

/** SQLite's and PostgreSQL's words for it. */
function isCollision(error: unknown): boolean {
  const { code = '', message = '' } = Object(error) as { code?: unknown; message?: unknown };
  if (['40001', '23505'].includes(String(code))) return true;
  return (
    /SQLITE_(CONSTRAINT|BUSY)/.test(String(code)) ||
    /UNIQUE constraint|database is locked/.test(String(message))
  );
}

export function refreshRegularly(refresh: () => Promise<void>, everyMs: number, log: Log): () => void {
  if (everyMs === 0) return () => undefined;
  let failing = false;
  const timer = setInterval(() => {
    refresh().then(
      () => {
        failing = false;
      },
      (error: unknown) => {
        if (!failing) log.error({ err: error }, 'the registry cannot look for changes');
        failing = true;
      },
    );
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

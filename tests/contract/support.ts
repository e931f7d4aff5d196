import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';

/** What the contract tests and the tests of the adapters share. */

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'qianliyan-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A log that keeps its lines, so that a test can see what an operator would. */
export function rememberingLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { log, lines };
}

export const silentLog: Logger = pino({ level: 'silent' });

import { pino } from 'pino';
import type { Log } from '../backbone/index.ts';

/** The product's log: JSON lines on standard error, so that standard output stays free for what a command prints. */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: false }),
  );
}

import { pino } from 'pino';
import { openLmdbStream } from '../../../backbone/stream/lmdb.ts';

/**
 * For the crash tests: appends from a process of its own, and prints each value once it was acknowledged.
 * Arguments: folder, `one` caller or `many`, how many records.
 */

const [folder = '', mode = 'one', count = '0'] = process.argv.slice(2);
const stream = await openLmdbStream({ folder, log: pino({ level: 'silent' }) });
let next = 0;

async function caller(): Promise<void> {
  while (next < Number(count)) {
    const value = `${process.pid}-${next++}`;
    await stream.append('t', [{ key: 'child', value: Buffer.from(value) }]);
    process.stdout.write(`${value}\n`);
  }
}

await Promise.all(Array.from({ length: mode === 'many' ? 20 : 1 }, caller));
await stream.close();

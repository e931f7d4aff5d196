import { pino } from 'pino';
import { openDuckDbSeries } from '../../../backbone/series/duckdb.ts';

/**
 * For the crash tests: writes batches of ten points, one after the other, and prints the position of each once it was
 * acknowledged. Begins where the stored position says. Argument: file.
 */

const [file = ''] = process.argv.slice(2);
const series = await openDuckDbSeries({ file, log: pino({ level: 'silent' }) });
for (let at = (await series.position('t', 0)) ?? 0; ; at += 10) {
  const points = Array.from({ length: 10 }, (_, i) => ({
    datastream: `d-${i}`,
    time: 1_795_305_600_000 + at,
    value: at,
    quality: 'valid' as const,
    receivedAt: 1_795_305_600_000,
  }));
  await series.write(points, { topic: 't', partition: 0, nextOffset: at + 10 });
  process.stdout.write(`${at + 10}\n`);
}

import type { Command } from 'commander';
import type { Counts } from '../../ingest/index.ts';
import { ask } from '../ask.ts';
import { dataOption } from '../data-folder.ts';

export function registerCount(program: Command): void {
  program
    .command('count')
    .addOption(dataOption())
    .addHelpText(
      'after',
      '\nWorks on a running product’s folder and on a stopped one. Exit code 1: something is missing.',
    )
    .action(async ({ data }: { data: string }) => {
      const counts = await ask<Counts>(data, 'count');
      process.stdout.write(`${JSON.stringify(counts)}\n`);
      if (counts.missing !== 0) process.exitCode = 1;
    });
}

import type { Command } from 'commander';
import type { Explanation } from '../../detectors/explain.ts';
import { ask } from '../ask.ts';
import { dataOption } from '../data-folder.ts';

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .argument('<finding>', 'id of the finding, f_…')
    .addOption(dataOption())
    .addHelpText('after', '\nExit code 1: the finding does not come out the same.')
    .action(async (finding: string, { data }: { data: string }) => {
      const explanation = await ask<Explanation>(data, 'explain', finding);
      process.stdout.write(`${JSON.stringify(explanation, null, 2)}\n`);
      if (!explanation.equal) process.exitCode = 1;
    });
}

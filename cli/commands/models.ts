import { resolve } from 'node:path';
import type { Command } from 'commander';
import { addModel, checkModel, listModels } from '../../detectors/images/index.ts';
import { dataOption } from '../data-folder.ts';

export function registerModels(program: Command): void {
  const models = program.command('models');
  models
    .command('list')
    .option('--json', 'print JSON')
    .addOption(dataOption())
    .action(async ({ data, json }: { data: string; json?: boolean }) => {
      const all = await listModels(resolve(data));
      const lines = all.map((m) =>
        [m.name.padEnd(20), m.where.padEnd(10), `${m.classes} classes`.padEnd(12), m.licence].join(' '),
      );
      process.stdout.write(json ? `${JSON.stringify(all, null, 2)}\n` : `${lines.join('\n')}\n`);
    });
  models
    .command('add')
    .description(
      'add a model of the catalogue: fetched from its origin or copied from a file, verified by SHA-256',
    )
    .argument('<name>')
    .option('--from <file|url>', 'where to take it from instead of its origin')
    .addOption(dataOption())
    .action(async (name: string, { data, from }: { data: string; from?: string }) => {
      const folder = await addModel(name, {
        dataFolder: resolve(data),
        ...(from === undefined ? {} : { from }),
      });
      process.stdout.write(`${name} added: ${folder}\n`);
    });
  models
    .command('check')
    .description('load a model and hold it against its manifest')
    .argument('<model>', 'name, or folder with manifest.yaml')
    .addOption(dataOption())
    .action(async (model: string, { data }: { data: string }) => {
      const manifest = await checkModel(model, resolve(data));
      process.stdout.write(`${manifest.name}: good\n`);
    });
}

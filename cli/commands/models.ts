import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  addModel,
  checkModel,
  type Inspected,
  type InspectOptions,
  inspectImages,
  listModels,
} from '../../detectors/images/index.ts';
import { dataOption } from '../ask.ts';
import { numberOption } from '../options.ts';

export function registerModels(program: Command): void {
  const models = program
    .command('models')
    .description('the image models: built in, added, and those of the catalogue');
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

interface InspectFlags {
  model?: string;
  minScore?: number;
  draw?: string;
  json?: boolean;
  data: string;
}

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('look at pictures with an image model')
    .argument('<image...>')
    .option('--model <name|folder>', 'default: the one that comes with the product (rendered scenes only)')
    .addOption(
      new Option('--min-score <score>', 'least score, 0 to 1').argParser(numberOption('--min-score', 0, 1)),
    )
    .option('--draw <folder>', 'write drawn copies')
    .option('--json', 'one JSON line an image')
    .addOption(dataOption())
    .action(async (images: string[], { json, data, ...flags }: InspectFlags) => {
      const options: InspectOptions = { ...flags, dataFolder: resolve(data) };
      for await (const seen of inspectImages(images, options)) {
        process.stdout.write(`${json ? JSON.stringify(seen) : describe(seen)}\n`);
        if (seen.error) process.exitCode = 1;
      }
    });
}

function describe({ image, width, height, model, detections, error }: Inspected): string {
  if (error) return `${image}: ${error.reason}: ${error.message}`;
  const things = detections.map(
    (d) => `  ${d.class.padEnd(12)} ${d.score.toFixed(2)}  at ${d.box.map((n) => Math.round(n)).join(', ')}`,
  );
  return [`${image} (${width} × ${height}, ${model})`, ...(things.length > 0 ? things : ['  nothing'])].join(
    '\n',
  );
}

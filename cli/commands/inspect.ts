import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type Inspected, type InspectOptions, inspectImages } from '../../detectors/images/index.ts';
import { dataOption } from '../data-folder.ts';
import { numberOption } from '../options.ts';

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

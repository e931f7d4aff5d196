import { type Command, Option } from 'commander';
import type { BenchReport } from '../../bench/report.ts';
import { formatBench } from '../../bench/table.ts';
import { numberOption } from '../options.ts';

/** Benches by name; loaded on demand, since each brings the servers that it measures against. */
const BENCHES: Record<string, (options: BenchFlags) => Promise<BenchReport>> = {
  ingest: async () => (await import('../../bench/ingest.ts')).benchIngest(),
  'ingest-sustained': async (options) =>
    (await import('../../bench/ingest-sustained.ts')).benchIngestSustained(options),
  detectors: async () => (await import('../../bench/detectors.ts')).benchDetectors(),
  images: async () => (await import('../../bench/images.ts')).benchImages(),
  alerting: async () => (await import('../../bench/alerting.ts')).benchAlerting(),
  backbone: async () => (await import('../../bench/backbone.ts')).benchBackbone(),
  registry: async () => (await import('../../bench/registry.ts')).benchRegistry(),
  fuzz: async ({ frames }) =>
    (await import('../../bench/fuzz.ts')).benchFuzz({ frames, seed: 1, progress: sayOnStderr }),
};

interface BenchFlags {
  json?: boolean;
  frames: number;
  devices: number;
  rate: number;
  seconds: number;
}

/** Takes as long as one says, so that it is run by its name only. */
const BY_NAME_ONLY = 'ingest-sustained';

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function registerBench(program: Command): void {
  program
    .command('bench')
    .argument('[name]', `what to measure: ${Object.keys(BENCHES).join(', ')}; all when left out`)
    .addOption(new Option('--json', 'print JSON, one report a line'))
    .option(
      '--devices <n>',
      'ingest-sustained: registered devices',
      numberOption('--devices', 1, 1e6, true),
      100_000,
    )
    .option('--rate <n>', 'ingest-sustained: messages a second', numberOption('--rate', 1, 1e6, true), 10_000)
    .option('--seconds <n>', 'ingest-sustained: how long', numberOption('--seconds', 3, 86_400, true), 600)
    .option('--frames <n>', 'fuzz: so many broken frames', numberOption('--frames', 1, 1e9, true), 1_000_000)
    .action(async (name: string | undefined, options: BenchFlags, command: Command) => {
      if (name !== undefined && !(name in BENCHES)) {
        command.error(`error: no bench is called '${name}'; there are: ${Object.keys(BENCHES).join(', ')}`);
      }
      for (const [key, run] of Object.entries(BENCHES)) {
        if (name === undefined ? key === BY_NAME_ONLY : key !== name) continue;
        const report = await run(options);
        process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${formatBench(report)}\n\n`);
      }
    });
}

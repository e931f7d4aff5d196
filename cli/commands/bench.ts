import { type Command, Option } from 'commander';
import type { BenchReport } from '../../bench/report.ts';
import { formatBench } from '../../bench/table.ts';
import { numberOption } from '../options.ts';

/** Benches by name; loaded on demand, since each brings the servers that it measures against. */
const BENCHES: Record<string, (options: { frames: number }) => Promise<BenchReport>> = {
  ingest: async () => (await import('../../bench/ingest.ts')).benchIngest(),
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
}

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function registerBench(program: Command): void {
  program
    .command('bench')
    .argument('[name]', `what to measure: ${Object.keys(BENCHES).join(', ')}; all when left out`)
    .addOption(new Option('--json', 'print JSON, one report a line'))
    .option('--frames <n>', 'fuzz: so many broken frames', numberOption('--frames', 1, 1e9, true), 1_000_000)
    .action(async (name: string | undefined, options: BenchFlags, command: Command) => {
      if (name !== undefined && !(name in BENCHES)) {
        command.error(`error: no bench is called '${name}'; there are: ${Object.keys(BENCHES).join(', ')}`);
      }
      for (const [key, run] of Object.entries(BENCHES)) {
        if (name !== undefined && key !== name) continue;
        const report = await run(options);
        process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${formatBench(report)}\n\n`);
      }
    });
}

import { type Command, Option } from 'commander';
import type { BenchReport } from '../../bench/report.ts';
import { formatBench } from '../../bench/table.ts';

/** Benches by name; loaded on demand, since each brings the servers that it measures against. */
const BENCHES: Record<string, () => Promise<BenchReport>> = {
  ingest: async () => (await import('../../bench/ingest.ts')).benchIngest(),
  detectors: async () => (await import('../../bench/detectors.ts')).benchDetectors(),
  images: async () => (await import('../../bench/images.ts')).benchImages(),
  alerting: async () => (await import('../../bench/alerting.ts')).benchAlerting(),
  backbone: async () => (await import('../../bench/backbone.ts')).benchBackbone(),
};

export function registerBench(program: Command): void {
  program
    .command('bench')
    .argument('[name]', `what to measure: ${Object.keys(BENCHES).join(', ')}; all when left out`)
    .addOption(new Option('--json', 'print JSON, one report a line'))
    .action(async (name: string | undefined, options: { json?: boolean }, command: Command) => {
      if (name !== undefined && !(name in BENCHES)) {
        command.error(`error: no bench is called '${name}'; there are: ${Object.keys(BENCHES).join(', ')}`);
      }
      for (const [key, run] of Object.entries(BENCHES)) {
        if (name !== undefined && key !== name) continue;
        const report = await run();
        process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${formatBench(report)}\n\n`);
      }
    });
}

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type Demo, startDemo } from '../demo/run.ts';
import { showSummary } from '../demo/summary.ts';
import { untilSignal } from '../lifetime.ts';
import { createLog } from '../logger.ts';
import { numberOption } from '../options.ts';

interface DemoFlags {
  seconds?: number;
  report?: string;
  data?: string;
  httpPort: number;
  mqttPort: number;
  seed: number;
}

const number = (flags: string, text: string, min: number, max: number) =>
  new Option(flags, text).argParser(numberOption(flags.split(' ')[0] ?? '', min, max, true));

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .addOption(number('--seconds <n>', 'end by itself after so many seconds', 5, 86_400))
    .option('--report <file>', 'write what came of it as JSON when it ends')
    .option('--data <folder>', 'keep the data there; default: a temporary folder')
    .addOption(number('--http-port <n>', 'port of the console', 0, 65_535).default(8080))
    .addOption(number('--mqtt-port <n>', 'port of the MQTT broker', 0, 65_535).default(1883))
    .addOption(number('--seed <n>', 'same seed, same messages', 0, 2 ** 31).default(1))
    .action(async (flags: DemoFlags) => {
      const summary = showSummary(process.stdout);
      const demo = await startDemo({
        ...flags,
        dataFolder: flags.data === undefined ? null : resolve(flags.data),
        log: createLog('warn'),
        now: Date.now,
        onAlert: summary.onAlert,
      });
      summary.begin(demo, flags.seconds ?? null);
      const begun = performance.now();
      await ending(flags.seconds);
      const seconds = Math.round((performance.now() - begun) / 100) / 10;
      summary.end();
      await finish(demo, flags.report, seconds);
    });
}

async function finish(demo: Demo, file: string | undefined, seconds: number): Promise<void> {
  try {
    const report = await demo.report(seconds);
    if (file !== undefined) await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
    const { truth, latencyMs: l } = report;
    process.stdout.write(
      `${truth.found} of ${truth.violations} violations found, ${truth.falseAlarms.length} false alarms` +
        `${truth.odd.length === 0 ? '' : `, ${truth.odd.length} of something odd but lawful`}` +
        `${truth.repeats.length === 0 ? '' : `, ${truth.repeats.length} repeats`}; ` +
        `published → alert p50 ${l.p50 ?? '–'} ms, p99 ${l.p99 ?? '–'} ms${file === undefined ? '' : `; report: ${file}`}\n`,
    );
  } finally {
    await demo.stop();
  }
}

/** After so many seconds, or when a person ends it. */
async function ending(seconds: number | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<void>((done) => {
    if (seconds !== undefined) timer = setTimeout(done, seconds * 1000);
  });
  await Promise.race([time, untilSignal()]);
  clearTimeout(timer);
}

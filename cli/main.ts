import { Command, CommanderError } from 'commander';
import { version } from './about.ts';
import { describeFailure } from './failure.ts';

type Register = (program: Command) => void;

/**
 * The commands. Only the one that is asked for is loaded: stores, models and servers of the others would make every
 * `--help` slow.
 */
const COMMANDS: Record<string, { summary: string; load: () => Promise<Register> }> = {
  up: {
    summary: 'run the product: broker, ingest, detectors, alerting and console in one process',
    load: async () => (await import('./commands/up.ts')).registerUp,
  },
  demo: {
    summary:
      'the product with a simulated district around it: violations, alerts and draft cases within a minute',
    load: async () => (await import('./commands/demo.ts')).registerDemo,
  },
  devices: {
    summary: 'the device registry of a data folder; a running product notices changes within seconds',
    load: async () => (await import('./commands/devices.ts')).registerDevices,
  },
  count: {
    summary: 'count in against out: acknowledged, stored, duplicates, missing, quarantined',
    load: async () => (await import('./commands/count.ts')).registerCount,
  },
  quarantine: {
    summary: 'messages that were not taken: list, look, run again once the registry is put right, dismiss',
    load: async () => (await import('./commands/quarantine.ts')).registerQuarantine,
  },
  explain: {
    summary: 'compute a finding again from stored data and compare',
    load: async () => (await import('./commands/explain.ts')).registerExplain,
  },
  decode: {
    summary: 'take raw messages of devices apart',
    load: async () => (await import('./commands/decode.ts')).registerDecode,
  },
  route: {
    summary: 'whose matter is it: matter × place × time → responsible unit',
    load: async () => (await import('./commands/route.ts')).registerRoute,
  },
  models: {
    summary: 'the image models: built in, added, and those of the catalogue',
    load: async () => (await import('./commands/models.ts')).registerModels,
  },
  inspect: {
    summary: 'look at pictures with an image model',
    load: async () => (await import('./commands/inspect.ts')).registerInspect,
  },
  score: {
    summary: 'how good the detectors are, on labelled data',
    load: async () => (await import('./commands/score.ts')).registerScore,
  },
  simulate: {
    summary: 'play devices against a running product',
    load: async () => (await import('./commands/simulate.ts')).registerSimulate,
  },
  schema: {
    summary: 'what devices may send, as JSON Schema',
    load: async () => (await import('./commands/schema.ts')).registerSchema,
  },
  config: {
    summary: 'the configuration file: check one, or print every setting',
    load: async () => (await import('./commands/config.ts')).registerConfig,
  },
  bench: {
    summary: 'measure a part against its limit in the same run',
    load: async () => (await import('./commands/bench.ts')).registerBench,
  },
};

/** The `qianliyan` command. Exit code 0: done; 1: what it checks does not hold; 2: wrong use or configuration. */
export async function main(argv: string[]): Promise<void> {
  process.stdout.on('error', endWithReader);
  try {
    const program = await createProgram(argv[0]);
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its sentence already; help and --version end with 0, wrong use with 2.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    const failure = describeFailure(error);
    process.stderr.write(`${failure.text}\n`);
    process.exitCode = failure.exitCode;
  }
}

/** `qianliyan … | head` is no fault: whoever read has read enough. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

async function createProgram(wanted: string | undefined): Promise<Command> {
  const program = new Command('qianliyan')
    .description(
      'Qianliyan (千里眼): sees violations in sensor readings and pictures, and puts draft cases on the right desk.',
    )
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what is allowed)');
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (name === wanted) (await load())(program);
    else program.command(name);
    program.commands.at(-1)?.description(summary);
  }
  return program;
}

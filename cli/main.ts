import { Command, CommanderError } from 'commander';
import { version } from './about.ts';
import { registerBench } from './commands/bench.ts';
import { registerConfig } from './commands/config.ts';
import { registerCount } from './commands/count.ts';
import { registerDecode } from './commands/decode.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDevices } from './commands/devices.ts';
import { registerExplain } from './commands/explain.ts';
import { registerInspect, registerModels } from './commands/models.ts';
import { registerRoute } from './commands/route.ts';
import { registerScore } from './commands/score.ts';
import { registerSimulate } from './commands/simulate.ts';
import { registerUp } from './commands/up.ts';
import { describeFailure } from './failure.ts';

/** The `qianliyan` command. Exit code 0: done; 1: what it checks does not hold; 2: wrong use or configuration. */
export async function main(argv: string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv, { from: 'user' });
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

function createProgram(): Command {
  const program = new Command('qianliyan')
    .description(
      'Qianliyan (千里眼): sees violations in sensor readings and pictures, and puts draft cases on the right desk.',
    )
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what is allowed)');
  registerUp(program);
  registerDemo(program);
  registerDecode(program);
  registerDevices(program);
  registerCount(program);
  registerExplain(program);
  registerRoute(program);
  registerScore(program);
  registerModels(program);
  registerInspect(program);
  registerSimulate(program);
  registerConfig(program);
  registerBench(program);
  return program;
}

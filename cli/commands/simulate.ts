import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type LoadResult, loadDevices, runLoad } from '../../simulator/load.ts';
import { numberOption } from '../options.ts';

interface LoadFlags {
  broker: string;
  devices: number;
  rate: number;
  seconds: number;
  connections: number;
  registry?: string;
}

const number = (flags: string, text: string, min: number, max: number, standard: number) =>
  new Option(flags, text)
    .argParser(numberOption(flags.split(' ')[0] ?? '', min, max, true))
    .default(standard);

export function registerSimulate(program: Command): void {
  const simulate = program.command('simulate');
  simulate
    .command('load')
    .description(
      'many devices, 200-byte readings of three values, QoS 1; prints what was acknowledged as JSON',
    )
    .option('--broker <url>', 'MQTT address', 'mqtt://127.0.0.1:1883')
    .addOption(number('--devices <n>', 'devices load-00001 …', 1, 1_000_000, 1000))
    .addOption(number('--rate <n>', 'messages a second over all', 1, 1_000_000, 1000))
    .addOption(number('--seconds <n>', 'how long', 1, 86_400, 10))
    .addOption(number('--connections <n>', 'MQTT connections that the devices share', 1, 10_000, 50))
    .option('--registry <file>', 'only write the list of these devices, for qianliyan devices import')
    .addHelpText(
      'after',
      '\nThe broker must take anonymous clients (mqtt.allowAnonymous: true, loopback only).',
    )
    .action(async ({ broker, registry, ...load }: LoadFlags) => {
      if (registry !== undefined) {
        await writeFile(registry, JSON.stringify(loadDevices(load.devices)));
        process.stdout.write(`${registry}: ${load.devices} devices\n`);
        return;
      }
      const result = await runLoad({
        brokerUrl: broker,
        ...load,
        onProgress: (p) => showProgress(p, load.seconds),
      });
      process.stderr.write('\n');
      process.stdout.write(`${JSON.stringify(result)}\n`);
      if (result.failed > 0) process.exitCode = 1;
    });
}

function showProgress(p: LoadResult, total: number): void {
  const line = `${Math.round(p.seconds)} / ${total} s   published ${p.published}   acknowledged ${p.acknowledged}   ${p.ratePerS} a second`;
  process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line}\n`);
}

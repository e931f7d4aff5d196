import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Config, defaultConfig, readConfig } from '../config.ts';
import { untilSignal } from '../lifetime.ts';
import { createLog } from '../logger.ts';
import { type Product, startProduct } from '../product.ts';

interface UpOptions {
  data: string;
  config?: string;
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .option('--data <folder>', 'where everything is kept', './data')
    .option('--config <file>', 'YAML configuration (see: qianliyan config reference)')
    .action(async (options: UpOptions) => {
      const config = options.config === undefined ? defaultConfig() : readConfig(options.config);
      const product = await startProduct({
        config,
        dataFolder: resolve(options.data),
        log: createLog(config.log.level),
      });
      const lines = [
        `console   ${product.url}`,
        ...entrancesOf(config, product),
        `devices   ${product.registry.size} registered`,
        `data      ${resolve(options.data)}`,
        ...(product.signInLink === null
          ? []
          : [`sign in   ${product.signInLink}   (once, to set the first password)`]),
        'Ctrl-C stops.',
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
      await untilSignal();
      await product.stop();
    });
}

function entrancesOf(config: Config, { mqttPort, hj212Port }: Product): string[] {
  const external = config.externalBrokers.map(({ url }) => `mqtt      ${url}   (external, read as a client)`);
  const own = mqttPort === null ? [] : [`mqtt      ${config.mqtt.host}:${mqttPort}`];
  const gateway = hj212Port === null ? [] : [`hj212     ${config.hj212.host}:${hj212Port}`];
  return [...own, ...external, ...gateway];
}

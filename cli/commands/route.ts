import type { Command } from 'commander';
import { routeTest } from '../../alerting/index.ts';
import { loadCatalog } from '../../backbone/catalog-load.ts';
import { catalogFolder, defaultConfig } from '../config.ts';

export function registerRoute(program: Command): void {
  const route = program.command('route');
  route
    .command('test')
    .description('run a table of routing cases against a catalog; prints JSON')
    .argument('<file>', 'YAML, e.g. catalog/route-cases.yaml')
    .option('--catalog <folder>', 'default: the one that comes with the product')
    .addHelpText('after', '\nExit code 1: a case was routed otherwise.')
    .action(async (file: string, { catalog }: { catalog?: string }) => {
      const report = routeTest(file, await loadCatalog(catalog ?? catalogFolder(defaultConfig())));
      process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      if (report.failed.length > 0) process.exitCode = 1;
    });
}

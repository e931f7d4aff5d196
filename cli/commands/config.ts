import type { Command } from 'commander';
import { loadCatalog } from '../../backbone/catalog-load.ts';
import { checkModel } from '../../detectors/images/index.ts';
import { Config, catalogFolder, readConfig } from '../config.ts';
import { settingsOf } from '../config-reference.ts';

export function registerConfig(program: Command): void {
  const config = program.command('config');
  config
    .command('check')
    .description(
      'read a configuration file, its catalog and its image model, and say what is wrong with them',
    )
    .argument('<file>')
    .action(async (file: string) => {
      const config = readConfig(file);
      await loadCatalog(catalogFolder(config));
      await checkModel(config.detectors.images.model);
      process.stdout.write(`${file}: good\n`);
    });
  config
    .command('reference')
    .description('every setting with what is allowed, its default and its meaning, as Markdown')
    .action(() => {
      process.stdout.write(reference());
    });
}

/** docs/configuration.md is this text; a test holds them together. */
export function reference(): string {
  const rows = settingsOf(Config).map(
    (s) =>
      `| \`${s.path}\` | ${cell(s.allowed)} | ${s.default === undefined ? '' : cell(`\`${JSON.stringify(s.default)}\``)} | ${cell(s.description)} |`,
  );
  return [
    '# Configuration',
    '',
    'One YAML file, handed over with `--config`. Every field may be left out. An unknown or wrong field is refused, with all',
    'problems at once; `npx qianliyan config check FILE` only looks. This page is printed by `npx qianliyan config reference`.',
    '',
    '| setting | allowed | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

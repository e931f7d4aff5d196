import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { loadCatalog } from '../backbone/catalog-load.ts';
import { wallClock } from '../backbone/index.ts';
import { QianliyanError } from '../contracts/index.ts';
import { openRegistry } from '../devices/index.ts';
import { defaultConfig } from './config.ts';
import { askRunning } from './control.ts';
import { createLog } from './logger.ts';
import { questions } from './questions.ts';
import { withStores } from './stores.ts';

export const dataOption = () => new Option('--data <folder>', 'data folder of the product').default('./data');

/** Puts a question to the product that runs on a data folder, or, when none does, to the stores in it. */
export async function ask<T>(data: string, question: keyof typeof questions, argument = ''): Promise<T> {
  const folder = resolve(data);
  requireDataFolder(folder);
  const answer = await askRunning<T>(folder, question, argument);
  if (answer !== null) return answer;
  const log = createLog('warn');
  return withStores(folder, log, async (stores) => {
    const registry = await openRegistry({ ...stores, clock: wallClock, log, refreshMs: 0 });
    const catalog = await loadCatalog(defaultConfig().catalog);
    try {
      return (await questions[question]({ ...stores, directory: registry, catalog }, argument)) as T;
    } finally {
      await registry.close();
    }
  });
}

/** A question must not make an empty data folder where somebody mistyped its name. */
export function requireDataFolder(folder: string): void {
  if (existsSync(join(folder, 'records.sqlite'))) return;
  const problems = [{ path: '--data', found: folder, allowed: 'the data folder of a product that has run' }];
  throw new QianliyanError('USAGE', `there is no data in ${folder}`, { problems });
}

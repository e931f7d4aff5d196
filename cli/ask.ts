import { resolve } from 'node:path';
import { loadCatalog } from '../backbone/catalog-load.ts';
import { wallClock } from '../backbone/index.ts';
import { openRegistry } from '../devices/index.ts';
import { defaultConfig } from './config.ts';
import { askRunning } from './control.ts';
import { requireDataFolder } from './data-folder.ts';
import { createLog } from './logger.ts';
import { questions } from './questions.ts';
import { withStores } from './stores.ts';

/** Puts a question to the product that runs on a data folder, or, when none does, to the stores in it. */
export async function ask<T>(data: string, question: keyof typeof questions, argument = ''): Promise<T> {
  const folder = resolve(data);
  requireDataFolder(folder);
  const answer = await askRunning<T>(folder, question, argument);
  if (answer !== null) return answer;
  const log = createLog('warn');
  return withStores(folder, log, async (stores) => {
    const registry = await openRegistry({ ...stores, clock: wallClock, log, refreshMs: 0 });
    const config = defaultConfig();
    const catalog = await loadCatalog(config.catalog);
    const utcOffsetMs = config.utcOffsetMinutes * 60_000;
    try {
      return (await questions[question](
        { ...stores, directory: registry, catalog, utcOffsetMs },
        argument,
      )) as T;
    } finally {
      await registry.close();
    }
  });
}

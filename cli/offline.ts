import { loadCatalog } from '../backbone/catalog-load.ts';
import { wallClock } from '../backbone/index.ts';
import { openRegistry } from '../devices/index.ts';
import { catalogFolder, defaultConfig } from './config.ts';
import { createLog } from './logger.ts';
import { type Question, questions } from './questions.ts';
import { withStores } from './stores.ts';

/** Answers a question from the data folder of a stopped product. */
export async function answerOffline(folder: string, question: Question, argument: string): Promise<unknown> {
  const log = createLog('warn');
  const config = defaultConfig();
  return withStores(folder, log, async (stores) => {
    const directory = await openRegistry({ ...stores, clock: wallClock, log, refreshMs: 0 });
    try {
      const catalog = await loadCatalog(catalogFolder(config));
      const parts = { ...stores, directory, catalog, utcOffsetMs: config.utcOffsetMinutes * 60_000 };
      return await questions[question](parts, argument);
    } finally {
      await directory.close();
    }
  });
}

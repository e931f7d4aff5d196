import { alertingTables } from '../alerting/index.ts';
import type { Catalog } from '../backbone/catalog.ts';
import type { DeviceDirectory } from '../backbone/index.ts';
import { Finding, QianliyanError } from '../contracts/index.ts';
import { type Explanation, explainFinding } from '../detectors/explain.ts';
import { type Counts, countAll } from '../ingest/index.ts';
import type { Stores } from './stores.ts';

/** What commands ask of a data folder, running or stopped. */
export interface Parts extends Stores {
  directory: DeviceDirectory;
  catalog: Catalog;
  utcOffsetMs: number;
}

export const questions = {
  count: (parts: Parts): Promise<Counts> => countAll(parts),
  explain: async (parts: Parts, id: string): Promise<Explanation> =>
    explainFinding(await findingOf(parts, id), parts),
};

export type Question = keyof typeof questions;

async function findingOf({ records }: Parts, id: string): Promise<Finding> {
  const row = await alertingTables(records)
    .selectFrom('alerting_findings')
    .select('body')
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw new QianliyanError('NOT_FOUND', `finding ${id}`);
  return Finding.parse(JSON.parse(row.body));
}

import { alertingTables } from '../alerting/index.ts';
import type { Catalog } from '../backbone/catalog.ts';
import type { DeviceDirectory } from '../backbone/index.ts';
import { Finding, QianliyanError } from '../contracts/index.ts';
import { type Explanation, explainFinding } from '../detectors/explain.ts';
import { type Counts, countAll } from '../ingest/index.ts';
import type { Stores } from './stores.ts';

const IMAGES =
  'findings of sensors are computed again; one of pictures names its model, the hash of it and its frames, which qianliyan inspect looks at';

/** What commands ask of a data folder, running or stopped. */
export interface Parts extends Stores {
  directory: DeviceDirectory;
  catalog: Catalog;
  utcOffsetMs: number;
}

export const questions = {
  count: (parts: Parts): Promise<Counts> => countAll(parts),
  explain: async (parts: Parts, id: string): Promise<Explanation> => {
    const finding = await findingOf(parts, id);
    if (finding.kind === 'image') throw new QianliyanError('USAGE', IMAGES);
    return explainFinding(finding, parts);
  },
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

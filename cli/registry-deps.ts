import { join } from 'node:path';
import { type AlertingTables, appendAudit } from '../alerting/index.ts';
import type { Records } from '../backbone/index.ts';
import type { Hj212RequestStep } from '../devices/hj212-gateway/index.ts';
import type { RegistryDeps } from '../devices/index.ts';

/** Steps of the registry go into the same chain as all others, in the transaction of the change itself. */
export const auditRegistry: NonNullable<RegistryDeps['audit']> = (tx, at, steps) =>
  appendAudit(tx.withTables<AlertingTables>(), at, steps);

/** Beside the records, readable by the product's user only. */
export const secretKeyFile = (dataFolder: string): string => join(dataFolder, 'device-secrets.key');

/** What a person asked of a monitor, and what came of it. */
export function auditHj212(records: Records): (step: Hj212RequestStep) => Promise<void> {
  const db = records.db.withTables<AlertingTables>();
  return ({ at, who, via, device, request, outcome }) =>
    db
      .transaction()
      .execute((tx) =>
        appendAudit(tx, at, [
          { who, action: 'device.hj212-request', subject: device, via, after: { request, outcome } },
        ]),
      );
}

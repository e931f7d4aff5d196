import { join } from 'node:path';
import { type AlertingTables, appendAudit } from '../alerting/index.ts';
import type { RegistryDeps } from '../devices/index.ts';

/** Steps of the registry go into the same chain as all others, in the transaction of the change itself. */
export const auditRegistry: NonNullable<RegistryDeps['audit']> = (tx, at, steps) =>
  appendAudit(tx.withTables<AlertingTables>(), at, steps);

/** Beside the records, readable by the product's user only. */
export const secretKeyFile = (dataFolder: string): string => join(dataFolder, 'device-secrets.key');

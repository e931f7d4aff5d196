import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The name of this data folder among others: made once, so that brokers know us again after a restart. */
export function instanceId(dataFolder: string): string {
  const file = join(dataFolder, 'instance-id');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const id = randomBytes(6).toString('hex');
  // Whole or not at all: half an id would be another one.
  writeFileSync(`${file}.new`, `${id}\n`);
  renameSync(`${file}.new`, file);
  return id;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { QianliyanError } from '../contracts/index.ts';

export const dataOption = () => new Option('--data <folder>', 'data folder of the product').default('./data');

/** A question must not make an empty data folder where somebody mistyped its name. */
export function requireDataFolder(folder: string): void {
  if (existsSync(join(folder, 'records.sqlite'))) return;
  const problems = [{ path: '--data', found: folder, allowed: 'the data folder of a product that has run' }];
  throw new QianliyanError('USAGE', `there is no data in ${folder}`, { problems });
}

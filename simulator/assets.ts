import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Text of a data file of the simulator, from source and from dist alike (dist holds code only). The simulator knows
 * nothing of the product but contracts/, so it finds the package by itself.
 */
export function assetText(path: string): string {
  return readFileSync(join(packageRoot(dirname(fileURLToPath(import.meta.url))), 'simulator', path), 'utf8');
}

function packageRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json of qianliyan not found above the simulator');
  return packageRoot(parent);
}

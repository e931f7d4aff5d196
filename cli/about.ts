import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../backbone/project-root.ts';

const { version: packageVersion } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  version: string;
};

/** The product's version, as package.json states it. */
export const version = packageVersion;

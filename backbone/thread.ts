import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { projectRoot } from './project-root.ts';

/**
 * Starts a worker thread from a source file named beside its caller:
 * `startThread('./worker.ts', import.meta.url, {...})`. Built, it runs the .js. From source (tests) its code is first made
 * into one file of JavaScript, because teaching a thread TypeScript takes half a second each time.
 */
export function startThread(file: `./${string}.ts`, importer: string, options: WorkerOptions = {}): Worker {
  if (importer.endsWith('.js')) {
    return new Worker(fileURLToPath(new URL(file.replace(/\.ts$/, '.js'), importer)), options);
  }
  return new Worker(bundled(fileURLToPath(new URL(file, importer))), { ...options, execArgv: [] });
}

/** Bundle by source file, of this process. */
const bundles = new Map<string, string>();

function bundled(source: string): string {
  const known = bundles.get(source);
  if (known !== undefined) return known;
  // Only here: built, the product does without it.
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  const { outputFiles } = buildSync({
    entryPoints: [source],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const folder = join(projectRoot, '.cache', 'threads');
  const name = `${basename(source, '.ts')}-${createHash('sha256').update(code).digest('hex').slice(0, 16)}.mjs`;
  const file = join(folder, name);
  if (!existsSync(file)) write(folder, file, code);
  bundles.set(source, file);
  return file;
}

/** Appears whole or not at all: several test processes make the same file at once. */
function write(folder: string, file: string, code: Uint8Array): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, code);
  renameSync(`${file}.${process.pid}`, file);
}

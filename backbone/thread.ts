import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread from a source file named beside its caller:
 * `startThread('./worker.ts', import.meta.url, {...})`. Built, it runs the .js; from source (tests), the .ts through tsx.
 */
export function startThread(file: `./${string}.ts`, importer: string, options: WorkerOptions = {}): Worker {
  if (importer.endsWith('.js')) {
    return new Worker(fileURLToPath(new URL(file.replace(/\.ts$/, '.js'), importer)), options);
  }
  const first = fileURLToPath(new URL('./thread-from-source.mjs', import.meta.url));
  return new Worker(first, { ...options, argv: [new URL(file, importer).href], execArgv: [] });
}

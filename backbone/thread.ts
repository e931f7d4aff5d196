import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread from a source file named beside its caller:
 * `startThread('./worker.ts', import.meta.url, {...})`. Built, it runs the .js; from source (tests), the .ts through tsx.
 */
export function startThread(file: `./${string}.ts`, importer: string, options: WorkerOptions = {}): Worker {
  const built = importer.endsWith('.js');
  const url = new URL(built ? file.replace(/\.ts$/, '.js') : file, importer);
  return new Worker(fileURLToPath(url), built ? options : { ...options, execArgv: ['--import', 'tsx'] });
}

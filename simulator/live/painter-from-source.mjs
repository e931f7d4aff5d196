// Runs painter-worker.ts in a worker thread of tests: `--import tsx` does not reach the loader of a worker on Node 20,
// registering tsx inside the worker does. Not part of the build.
import { register } from 'tsx/esm/api';

register();
await import(new URL('./painter-worker.ts', import.meta.url).href);

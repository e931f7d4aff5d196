// First file of a thread that is run from source: teaches it TypeScript, then runs the file named in its arguments.
// `--import tsx` does not do it: tsx registers itself in the main thread only.
import { register } from 'tsx/esm/api';

register();
await import(process.argv[2]);

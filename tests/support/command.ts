/** Runs the built `qianliyan` command as a person would: a process of its own, on a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { projectRoot } from '../../backbone/project-root.ts';

const COMMAND = join(projectRoot, 'cli', 'qianliyan.mjs');

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs to the end. */
export async function run(...args: string[]): Promise<Finished> {
  const child = start(args);
  const output = collect(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

export interface Running {
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts and waits until standard output says `ready`. */
export async function runUntil(ready: RegExp, ...args: string[]): Promise<Running> {
  const child = start(args);
  const output = collect(child);
  const gone = once(child, 'close');
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', () => ready.test(output.stdout) && resolve());
    child.on('close', (code) =>
      reject(new Error(`ended with ${code} before it was ready: ${output.stderr}`)),
    );
  });
  return {
    child,
    output,
    async kill(signal) {
      child.kill(signal);
      await gone;
    },
  };
}

/** A port that nobody uses at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

function start(args: string[]): ChildProcess {
  return spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return output;
}

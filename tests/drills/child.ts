import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The process under a drill, from its parent's side. */
export type ChildOrder = { type: 'series'; away: boolean } | { type: 'look' };

export interface ChildAnswer {
  /** Heap and what it holds outside of it; without the files that are mapped. */
  heldMb: number;
  rssMb: number;
  /** Observations on the stream that the series store does not have yet. */
  pending: number;
}

export interface Child {
  /** Its error lines, the newest thousand. */
  readonly errors: readonly string[];
  readonly running: boolean;
  ask(order: ChildOrder): Promise<ChildAnswer>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when it has ended by itself. */
  stop(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('./ingest-child.ts', import.meta.url));
const ERROR_LINES = 1_000;

/** Resolves when it takes messages. */
export async function startChild(folder: string, port: number, devices: number): Promise<Child> {
  const args = ['--import', 'tsx', SCRIPT, folder, String(port), String(devices)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const errors: string[] = [];
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line);
    if (errors.length > ERROR_LINES) errors.shift();
  });
  const ready = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit'),
  ]);
  if (ready[0] !== 'ready') throw new Error(`the child ended instead of starting: ${errors.join('\n')}`);
  return {
    errors,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    async ask(order) {
      child.send(order);
      const [answer] = (await once(child, 'message')) as [ChildAnswer];
      return answer;
    },
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  };
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

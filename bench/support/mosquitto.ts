import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** A real Mosquitto on a free port of this machine, with a folder of its own: for benches and whole tests. */
export interface Mosquitto {
  readonly port: number;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it had persisted. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const run = promisify(execFile);

/** Debian puts servers where an ordinary user's PATH does not look. */
function find(program: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
  if (found === undefined)
    throw new Error(`${program} is missing. Install it: apt-get install mosquitto mosquitto-clients`);
  return found;
}

export async function startMosquitto(
  lines: readonly string[] = ['allow_anonymous true'],
): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-mosquitto-'));
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  const fixed = [
    `listener ${port} 127.0.0.1`,
    'persistence true',
    `persistence_location ${folder}/`,
    'autosave_interval 1',
  ];
  // Mosquitto's own default drops beyond 1,000 waiting messages, although it has acknowledged them.
  const config = [...fixed, 'max_queued_messages 0', 'max_inflight_messages 0', 'user root', ...lines];
  await writeFile(file, `${config.join('\n')}\n`);
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    child = spawn(find('mosquitto'), ['-c', file], { stdio: 'ignore' });
    await listening(port);
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null) return;
    const gone = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(signal);
    await gone;
  }

  await start();
  return {
    port,
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      await rm(folder, { recursive: true });
    },
  };
}

/** mosquitto_pub against a port. */
export function mosquittoPub(port: number, ...rest: string[]) {
  return run(find('mosquitto_pub'), ['-h', '127.0.0.1', '-p', String(port), ...rest]);
}

/** Makes entries of a password file. */
export function mosquittoPasswd(...rest: string[]) {
  return run(find('mosquitto_passwd'), rest);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port}`);
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../backbone/project-root.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { runLoad } from '../simulator/load/index.ts';

const DEVICES = 50;

/** Ingest and gateway in a process of its own. */
async function startServer(data: string, port: number): Promise<{ process: ChildProcess; port: number }> {
  const file = join(projectRoot, 'tests', 'support', 'hj212-server.ts');
  const process = fork(file, [data, String(port), String(DEVICES)], { execArgv: ['--import', 'tsx'] });
  const [bound] = await once(process, 'message');
  return { process, port: bound };
}

async function eventually<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const value = await read();
    if (wanted(value)) return value;
    await pause(25);
  }
  return read();
}

describe('kill -9 while 50 monitors send over HJ 212', () => {
  it('loses nothing that was answered, and stores nothing twice', async () => {
    const own = await mkdtemp(join(tmpdir(), 'qianliyan-hj212-kill-'));
    let server = await startServer(own, 0);
    const { port } = server;
    const load = runLoad({
      protocol: 'hj212',
      devices: DEVICES,
      rate: 45,
      seconds: 5,
      connections: 5,
      patienceS: 60,
      address: `127.0.0.1:${port}`,
    });
    await pause(1_500);
    server.process.kill('SIGKILL');
    await once(server.process, 'exit');
    server = await startServer(own, port);
    const result = await load;
    server.process.kill('SIGKILL');
    await once(server.process, 'exit');
    expect(result.failed).toBe(0);
    expect(result.reconnects).toBeGreaterThanOrEqual(5);
    expect(result.acknowledged).toBe(result.published);
    const again = await startIngestNode({ folder: own });
    const counts = await eventually(
      () => again.count(),
      (c) => c.missing === 0 && c.stored >= 3 * result.acknowledged,
    );
    expect(counts).toMatchObject({ stored: 3 * result.acknowledged, missing: 0 });
    await again.stop();
    await rm(own, { recursive: true });
  }, 120_000);
});

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort, type Running, run, runUntil } from './support/command.ts';

// The built command as its users run it: `npm run build` first (npm test does).
const exec = promisify(execFile);
// A dozen processes one after the other, each of which loads the whole product.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let running: Running | undefined;
let ports: { http: number; mqtt: number };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-up-'));
  ports = { http: await freePort(), mqtt: await freePort() };
  await writeFile(
    join(folder, 'config.yaml'),
    `http: { port: ${ports.http} }\nmqtt: { port: ${ports.mqtt} }\n`,
  );
});

afterEach(async () => {
  if (running?.child.exitCode === null && running.child.signalCode === null) await running.kill('SIGKILL');
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

const data = () => join(folder, 'data');
const up = async () => {
  running = await runUntil(/Ctrl-C/, 'up', '--data', data(), '--config', join(folder, 'config.yaml'));
  return running;
};
const count = async () => JSON.parse((await run('count', '--data', data())).stdout);

/** Debian's mosquitto_pub: a client that is not ours. Resolves once the broker has acknowledged. */
const publish = (user: string, password: string, ...rest: string[]) =>
  exec('mosquitto_pub', ['-p', `${ports.mqtt}`, '-u', user, '-P', password, '-q', '1', ...rest]);

async function addDevice(id: string): Promise<string> {
  const added = await run(
    ...[
      'devices',
      'add',
      id,
      '--template',
      'dust',
      '--site',
      'my-site',
      '--location',
      '123.41,41.80',
      '--data',
      data(),
    ],
  );
  expect(added.stderr).toBe('');
  return /password\s+(\S+)/.exec(added.stdout)?.[1] ?? '';
}

describe('qianliyan up', () => {
  it('takes readings from a foreign client, survives kill -9, and nothing acknowledged is lost', async () => {
    const password = await addDevice('my-dust-1');
    await up();
    const topic = 'v1/devices/my-dust-1/observations';
    const begun = Date.now() - 60_000;
    for (let i = 0; i < 5; i += 1) {
      const message = JSON.stringify({ time: begun + i * 1000, readings: { PM10: 80 + i } });
      await publish('my-dust-1', password, '-t', topic, '-m', message);
    }
    await running?.kill('SIGKILL');

    await up();
    await publish('my-dust-1', password, '-t', topic, '-m', 'not json');
    await publish(
      'my-dust-1',
      password,
      '-t',
      topic,
      '-m',
      JSON.stringify({ time: begun + 9000, readings: { PM10: 1 } }),
    );
    await expect
      .poll(count, { timeout: 10_000 })
      .toMatchObject({ acknowledged: 6, stored: 6, missing: 0, quarantined: 1 });

    // Stopped in good order, the folder tells the same.
    await running?.kill('SIGTERM');
    expect(running?.child.exitCode).toBe(0);
    expect(await count()).toMatchObject({
      acknowledged: 6,
      stored: 6,
      pending: 0,
      missing: 0,
      quarantined: 1,
    });
  });

  it('refuses a client with a wrong password, and a device that speaks for another', async () => {
    const password = await addDevice('my-dust-1');
    await addDevice('my-dust-2');
    await up();
    const message = ['-m', '{"time": 1, "readings": {}}'];
    await expect(
      publish('my-dust-1', 'wrong', '-t', 'v1/devices/my-dust-1/observations', ...message),
    ).rejects.toThrow();
    await publish('my-dust-1', password, '-t', 'v1/devices/my-dust-2/observations', ...message).catch(
      () => undefined,
    );
    expect(await count()).toMatchObject({ acknowledged: 0, stored: 0 });
  });

  it('prints a one-time link for the first account, and serves the console', async () => {
    await up();
    const link = /sign in\s+(\S+)/.exec(running?.output.stdout ?? '')?.[1] ?? '';
    expect(link).toContain(`:${ports.http}/sign-in?token=`);
    expect((await fetch(link)).status).toBe(200);
    const page = await fetch(`http://127.0.0.1:${ports.http}/`);
    expect(await page.text()).toContain('<div id="app"');
    expect((await fetch(`http://127.0.0.1:${ports.http}/api/alerts`)).status).toBe(401);
    expect((await fetch(`http://127.0.0.1:${ports.http}/readyz`)).status).toBe(200);
  });

  it('says every mistake in the configuration at once, with path, value and what is allowed', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(
      file,
      'http:\n  port: 99999\n  hots: x\nmqtt:\n  allowAnonymous: true\n  host: 0.0.0.0\n',
    );
    const { code, stderr } = await run('up', '--data', data(), '--config', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/CONFIG_INVALID/);
    expect(stderr).toMatch(/http\.port.*99999.*65535/);
    expect(stderr).toMatch(/http\.hots/);
    expect(stderr).toMatch(/mqtt\.allowAnonymous/);
  });

  it('names the port that is in use and the setting that changes it', async () => {
    const server = createServer().listen(ports.mqtt, '127.0.0.1');
    await once(server, 'listening');
    const { code, stderr } = await run('up', '--data', data(), '--config', join(folder, 'config.yaml'));
    server.close();
    expect(code).toBe(2);
    expect(stderr).toContain('PORT_IN_USE');
    expect(stderr).toContain(`${ports.mqtt}`);
    expect(stderr).toContain('mqtt.port');
  });

  it('does not start twice on one data folder', async () => {
    await up();
    const { code, stderr } = await run('up', '--data', data());
    expect(code).toBe(2);
    expect(stderr).toContain('DATA_FOLDER_LOCKED');
  });
});

describe('wrong use of the command', () => {
  it('ends with 2 and says what is allowed', async () => {
    expect((await run('upp')).code).toBe(2);
    expect((await run('upp')).stderr).toContain('Did you mean up?');
    expect((await run('demo', '--seconds', 'x')).stderr).toMatch(/number from 5 to/);
    expect((await run('count', '--data', join(folder, 'nothing'))).code).toBe(2);
    expect((await run('--help')).code).toBe(0);
  });
});

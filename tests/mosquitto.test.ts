import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRecord } from '../backbone/codec.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { type Frame, TOPICS } from '../contracts/index.ts';
import { addDevice } from '../devices/index.ts';

/** A stranger feeds the product: Debian's mosquitto_pub (package mosquitto-clients). */

const run = promisify(execFile);
let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;
let password: string;
let cameraPassword: string;

beforeAll(async () => {
  const there = (process.env.PATH ?? '')
    .split(delimiter)
    .some((dir) => existsSync(join(dir, 'mosquitto_pub')));
  if (!there) throw new Error('mosquitto_pub is missing. Install it: apt-get install mosquitto-clients');
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-mosquitto-'));
  node = await startIngestNode({ folder, broker: { allowAnonymous: false } });
  const where = { site: 'my-site', location: '123.41,41.80' };
  ({ password } = await addDevice(node.registry, { id: 'my-dust-1', template: 'dust', ...where }));
  ({ password: cameraPassword } = await addDevice(node.registry, {
    id: 'my-cam-1',
    template: 'camera',
    ...where,
  }));
});

afterAll(async () => {
  await node?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

function publish(user: string, secret: string, ...rest: string[]) {
  return run('mosquitto_pub', [
    '-h',
    '127.0.0.1',
    '-p',
    String(node.broker.port),
    '-u',
    user,
    '-P',
    secret,
    ...rest,
  ]);
}

async function points(from: number) {
  for (let i = 0; i < 200; i++) {
    const found = await node.series.range({ datastream: 'my-dust-1/TSP', from, to: from + 1 });
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return [];
}

describe('mosquitto_pub', () => {
  it.each(['0', '1', '2'])('feeds a reading with QoS %s', async (qos) => {
    const time = Math.floor(Date.now() / 1_000) * 1_000 - Number(qos) * 1_000;
    const message = JSON.stringify({ time: new Date(time).toISOString(), readings: { TSP: 0.25 } });
    await publish('my-dust-1', password, '-q', qos, '-t', 'v1/devices/my-dust-1/observations', '-m', message);
    expect(await points(time)).toMatchObject([{ value: 0.25, quality: 'valid' }]);
  });

  it('feeds a picture from a file', async () => {
    const file = join(folder, 'picture.jpg');
    const picture = await sharp({ create: { width: 32, height: 24, channels: 3, background: 'green' } })
      .jpeg()
      .toBuffer();
    await writeFile(file, picture);
    await publish('my-cam-1', cameraPassword, '-q', '1', '-t', 'v1/devices/my-cam-1/frames', '-f', file);
    const [record] = await node.stream.read(TOPICS.frames, 0, 0, 1);
    expect(decodeRecord<Frame>(record!.value)).toMatchObject({ camera: 'my-cam-1', width: 32, height: 24 });
  });

  it('is told when it may not come in', async () => {
    await expect(publish('my-dust-1', 'guess', '-t', 'x', '-m', 'x')).rejects.toThrow(
      /bad user name or password|not authori[sz]ed/i,
    );
  });

  it('cannot speak for another device: the message goes to quarantine', async () => {
    const message = JSON.stringify({ time: Date.now(), readings: { TSP: 1 } });
    await publish(
      'my-cam-1',
      cameraPassword,
      '-q',
      '1',
      '-t',
      'v1/devices/my-dust-1/observations',
      '-m',
      message,
    );
    const [entry] = await node.ingest.quarantine.list({ reason: 'device-mismatch', limit: 1 });
    expect(entry).toMatchObject({ device: 'my-cam-1', topic: 'v1/devices/my-dust-1/observations' });
  });
});

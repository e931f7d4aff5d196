import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { loadDevices, runLoad } from '../simulator/load/index.ts';

/** The load generator against the real broker and stores: what it counts as acknowledged is what is stored. */

const PASSWORD = 'load-secret-1';
const DEVICES = 20;
const CONNECTIONS = 4;
let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-load-'));
  const devices = loadDevices(DEVICES, { signIn: { password: PASSWORD, connections: CONNECTIONS } });
  node = await startIngestNode({ folder, devices, broker: { allowAnonymous: false } });
});
afterEach(async () => {
  await node.stop();
  await rm(folder, { recursive: true });
});

const load = (more: object) =>
  runLoad({
    address: `mqtt://127.0.0.1:${node.broker.port}`,
    devices: DEVICES,
    rate: 400,
    seconds: 1.5,
    connections: CONNECTIONS,
    ...more,
  });

describe('a load whose connections sign in as gateways', () => {
  it('is stored to the last value', async () => {
    const result = await load({ credentials: { password: PASSWORD } });
    expect(result).toMatchObject({ failed: 0, resent: 0 });
    expect(result.acknowledged).toBeGreaterThan(100);
    for (let i = 0; i < 200 && (await node.count()).pending > 0; i++) await pause(25);
    expect(await node.count()).toMatchObject({
      stored: 3 * result.acknowledged,
      pending: 0,
      missing: 0,
      quarantined: 0,
    });
  });

  it('is not let in with a wrong password, nor without one', async () => {
    await expect(load({ credentials: { password: 'wrong-secret' } })).rejects.toThrow(
      'wrong user name or password',
    );
    await expect(load({})).rejects.toThrow('allowAnonymous');
  });
});

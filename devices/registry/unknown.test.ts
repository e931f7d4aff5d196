import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sighting } from '../message.ts';
import { START, type TestRegistry, testRegistry } from '../testing/registry.ts';
import { adopt } from './adopt.ts';
import { openStrangers, propertiesSeen, type Strangers, type StrangersDeps } from './unknown.ts';

const li = { who: 'li', via: null };
const PLACE = { template: 'dust', site: 's', location: [123, 41] };
let test: TestRegistry;
let strangers: Strangers;

const open = (limits: Partial<StrangersDeps> = {}) =>
  openStrangers({ records: test.records, registry: test.registry, log: test.log, flushMs: 0, ...limits });
const sighting = (name: string, more: Partial<Sighting> = {}): Sighting => ({
  name,
  kind: 'readings',
  topic: `v1/devices/${name}/observations`,
  clientId: 'logger',
  at: START,
  payload: Buffer.from('{"readings": {"PM10": 80}}'),
  ...more,
});
const names = () => strangers.list().map((s) => s.name);

beforeEach(async () => {
  test = await testRegistry();
  strangers = await open();
});
afterEach(async () => {
  await strangers.close();
  await test.close();
});

describe('unknown devices', () => {
  it('are gathered by name: how often, since when, where, and what they said last; over a restart too', async () => {
    strangers.saw(sighting('new-1'));
    strangers.saw(sighting('other'));
    strangers.saw(
      sighting('new-1', {
        at: START + 5_000,
        topic: 'v1/devices/new-1/frames',
        payload: Buffer.alloc(9_000, 'x'),
      }),
    );
    await strangers.close();
    strangers = await open();
    expect(names()).toEqual(['new-1', 'other']);
    expect(strangers.get('new-1')).toMatchObject({
      firstSeen: START,
      lastSeen: START + 5_000,
      count: 2,
      topics: ['v1/devices/new-1/observations', 'v1/devices/new-1/frames'],
      client: 'logger',
      payloadBytes: 9_000,
    });
    expect(strangers.get('new-1')?.payload).toHaveLength(2_048);
  });

  it('do not keep the buffer alive that their message was a window on', () => {
    const big = Buffer.alloc(1_000_000);
    strangers.saw(sighting('new-1', { payload: big.subarray(10, 20) }));
    expect(strangers.get('new-1')?.payload.buffer.byteLength).toBeLessThan(100_000);
  });

  it('are bounded in memory and on disk under a flood of made-up names; who keeps speaking stays', async () => {
    strangers = await open({ names: 100, rowsAFlush: 50 });
    for (let i = 0; i < 5_000; i++) {
      strangers.saw(sighting(`flood-${i}`));
      if (i % 50 === 0) strangers.saw(sighting('real'));
      if (i % 500 === 0) await strangers.flush();
    }
    expect(strangers.list()).toHaveLength(100);
    expect(strangers.get('real')?.count).toBe(100);
    await strangers.close();
    const again = await open();
    expect(again.list()).toHaveLength(100);
    await again.close();
    strangers = await open();
  });

  it('that are dismissed stay hidden, however much they go on, and can be shown again', async () => {
    strangers.saw(sighting('noise'));
    await strangers.dismiss('noise');
    strangers.saw(sighting('noise'));
    expect(names()).toEqual([]);
    expect(strangers.list({ dismissed: true })).toMatchObject([{ name: 'noise', count: 2 }]);
    await strangers.dismiss('noise', false);
    expect(names()).toEqual(['noise']);
    await expect(strangers.dismiss('never seen')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are no strangers any more once they are registered, by whatever way', async () => {
    for (const name of ['new-1', 'hj212:4711', 'other']) strangers.saw(sighting(name));
    await test.registry.import([{ ...PLACE, id: 'new-1', addresses: ['hj212:4711'] }]);
    expect(names()).toEqual(['other']);
    await strangers.flush();
    const again = await open();
    expect(again.list().map((s) => s.name)).toEqual(['other']);
    await again.close();
  });

  it('go on being seen while the records are away', async () => {
    const failing = await open();
    await test.records.db
      .withTables<{ device_strangers: object }>()
      .schema.dropTable('device_strangers')
      .execute();
    failing.saw(sighting('new-1'));
    await failing.flush();
    expect(failing.get('new-1')?.count).toBe(1);
    await failing.close();
  });
});

describe('adopting', () => {
  it('makes a device of the name and runs again what it said', async () => {
    strangers.saw(sighting('new-1'));
    const reruns: string[][] = [];
    const rerun = async (...asked: string[]) => {
      reruns.push(asked);
      expect(test.registry.get('new-1')).toBeDefined();
      return { taken: 3 };
    };
    const adopted = await adopt({ registry: test.registry, strangers, rerun }, 'new-1', PLACE, li);
    expect(adopted).toMatchObject({ device: { id: 'new-1', version: 1 }, rerun: { taken: 3 } });
    expect(reruns).toEqual([['new-1', 'new-1']]);
    expect(names()).toEqual([]);
  });

  it('gives the device the address under which it spoke', async () => {
    for (const name of ['hj212:MN/1', 'senml:urn:dev:ow:1;']) strangers.saw(sighting(name));
    const deps = { registry: test.registry, strangers };
    expect((await adopt(deps, 'hj212:MN/1', PLACE, li)).device).toMatchObject({
      id: 'MN-1',
      addresses: ['hj212:MN/1'],
    });
    const named = await adopt(
      deps,
      'senml:urn:dev:ow:1;',
      { ...PLACE, id: 'ow-1', addresses: ['hj212:9'] },
      li,
    );
    expect(named.device).toMatchObject({ id: 'ow-1', addresses: ['senml:urn:dev:ow:1;', 'hj212:9'] });
  });

  it('refuses what nobody said, another id than the topics have, and a device that does not hold together', async () => {
    const deps = { registry: test.registry, strangers };
    await expect(adopt(deps, 'never-seen', PLACE, li)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    strangers.saw(sighting('new-1'));
    await expect(adopt(deps, 'new-1', { ...PLACE, id: 'x' }, li)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    await expect(adopt(deps, 'new-1', { template: 'dust' }, li)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    expect(names()).toEqual(['new-1']);
  });
});

describe('what to propose', () => {
  it.each([
    ['{"time": 1, "readings": {"PM10": 80, "RH": {"value": 40}}}', { PM10: 80, RH: 40 }],
    ['[{"readings": {"A": 1}}, {"readings": {"B": 2}}]', { A: 1, B: 2 }],
    ['not json', {}],
    ['null', {}],
    ['{"readings": 7}', {}],
  ])('of %s is %j', (payload, seen) => {
    expect(propertiesSeen(Buffer.from(payload))).toEqual(seen);
  });
});

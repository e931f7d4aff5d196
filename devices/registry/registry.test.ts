import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock, type Records } from '../../backbone/index.ts';
import { openSqliteRecords } from '../../backbone/records/sqlite.ts';
import { addDevice, importDevices } from '../commands.ts';
import { readDeviceList } from './device-list.ts';
import { openRegistry, type Registry } from './registry.ts';
import { deviceMigrations } from './tables.ts';

const log = pino({ level: 'silent' });
const START = Date.parse('2026-11-22T00:00:00+08:00');
const DUST = { id: 'dust-01', template: 'dust', site: 'site-01', location: [123.41, 41.8] };

let folder: string;
let records: Records;
let registry: Registry;
let clock: ReturnType<typeof manualClock>;

const open = () => openRegistry({ records, clock, log, refreshMs: 0 });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-registry-'));
  clock = manualClock(START);
  records = await openSqliteRecords({ file: join(folder, 'r.sqlite'), migrations: [deviceMigrations], log });
  registry = await open();
});
afterEach(async () => {
  await registry.close();
  await records.close();
  await rm(folder, { recursive: true });
});

describe('the registry', () => {
  it('tells which version held at a past time', async () => {
    const first = await registry.upsert(DUST);
    clock.advance(1_000);
    const second = await registry.upsert({ ...DUST, model: 'newer' });
    expect([first.version, second.version]).toEqual([1, 2]);
    expect(registry.at('dust-01', START - 1)).toBeUndefined();
    expect(registry.at('dust-01', START + 999)?.model).toBe('generic dust monitor');
    expect(registry.at('dust-01', START + 1_000)?.model).toBe('newer');
    expect(registry.versions('dust-01')).toHaveLength(2);
  });

  it('makes no new version of what did not change', async () => {
    await registry.upsert(DUST);
    const report = await registry.import([DUST]);
    expect(report.unchanged).toEqual(['dust-01']);
    expect(registry.get('dust-01')?.version).toBe(1);
  });

  it('is the same after it was opened again', async () => {
    await registry.upsert(DUST);
    await registry.upsert({ ...DUST, site: 'site-02' });
    const password = await registry.setPassword('dust-01');
    const before = registry.versions('dust-01');
    await registry.close();
    registry = await open();
    expect(registry.versions('dust-01')).toEqual(before);
    expect(await registry.signIn('dust-01', Buffer.from(password))).toBe('accepted');
    expect(await registry.signIn('dust-01', Buffer.from('guess'))).toBe('password-wrong');
    expect(await registry.signIn('nobody', Buffer.from(password))).toBe('device-unknown');
  });

  it('notices what another process wrote, and tells its listeners', async () => {
    const other = await open();
    const heard: string[] = [];
    registry.onChange((id) => heard.push(id));
    registry.onCredentialChange((id) => heard.push(`password of ${id}`));
    await other.upsert(DUST);
    await other.setPassword('dust-01');
    expect(registry.get('dust-01')).toBeUndefined();
    await registry.refresh();
    expect(heard).toEqual(['dust-01', 'password of dust-01']);
    expect(registry.get('dust-01')).toEqual(other.get('dust-01'));
    await other.close();
  });
});

describe('a device list', () => {
  it('with bad rows changes nothing, and names every fault at once', async () => {
    const rows = [
      DUST,
      { ...DUST, id: 'dust 02', location: [500, 41] },
      { ...DUST, id: 'dust-03', template: 'toaster' },
      { ...DUST, id: 'dust-04', regulatedParty: { name: 'X', uscc: '91350100M000100Y44' } },
      DUST,
    ];
    const failure = await registry.import(rows).catch((e) => e);
    expect(failure.code).toBe('REQUEST_INVALID');
    const paths = failure.problems.map((p: { path: string }) => p.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        '[1].id',
        '[1].location.0',
        '[2].template',
        '[3].regulatedParty.uscc',
        '[4].id',
      ]),
    );
    expect(registry.size).toBe(0);
  });

  it('gives its good rows when it may be taken in part', async () => {
    const report = await registry.import([DUST, { id: 'x' }, 7], { partial: true });
    expect(report.added).toEqual(['dust-01']);
    expect(report.refused.map((r) => r.row)).toEqual([1, 2]);
    expect(registry.size).toBe(1);
  });

  it('is a thousand equal devices in a table, from one template', async () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => `n-${i},noise,site-${i % 10},123.4${i % 10},41.8`);
    const file = join(folder, 'list.csv');
    await writeFile(file, ['id,template,site,lon,lat', ...rows].join('\n'));
    const report = await importDevices(registry, file);
    expect(report.text).toContain('1000 added');
    expect(registry.get('n-7')?.datastreams[0]?.property).toBe('LAeq');
    expect(registry.get('n-7')?.name.en).toBe('Noise meter n-7');
  });

  it('may be YAML with devices below a key, or JSON', () => {
    expect(readDeviceList('devices: [{id: a}]', 'yaml').rows).toEqual([{ id: 'a' }]);
    expect(readDeviceList('[{"id":"a"}]', 'json').rows).toEqual([{ id: 'a' }]);
    expect(() => readDeviceList('just text', 'yaml')).toThrow('a device list is an array');
    expect(() => readDeviceList('{', 'json')).toThrow('not JSON');
  });

  it('refuses a device whose record contradicts itself', async () => {
    const stream = { property: 'PM10', unit: 'ug/m3', range: [10, 0], intervalS: 60 };
    const at = {
      ...DUST,
      datastreams: [stream, { ...stream, range: [0, 1] }, { ...stream, property: 'a@b' }],
    };
    const failure = await registry.upsert(at).catch((e) => e);
    const paths = failure.problems.map((p: { path: string }) => p.path);
    expect(paths).toEqual(
      expect.arrayContaining(['[0].datastreams.0.range', '[0].datastreams.1', '[0].datastreams.2.property']),
    );
  });
});

describe('devices add', () => {
  it('makes a device from a template, with a password that it shows once and a command to try', async () => {
    const added = await addDevice(registry, { ...DUST, id: 'my-dust-1', location: '123.41, 41.80' });
    expect(added.device.location).toEqual([123.41, 41.8]);
    expect(added.text).toContain(`mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -u my-dust-1 -P ${added.password}`);
    expect(await registry.signIn('my-dust-1', Buffer.from(added.password))).toBe('accepted');
    await expect(addDevice(registry, { ...DUST, id: 'my-dust-1', location: '1,2' })).rejects.toThrow(
      'already',
    );
  });

  it.each(['', '123', '123,x', '1,2,3', ','])('refuses %j as a location', async (location) => {
    await expect(addDevice(registry, { ...DUST, location })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

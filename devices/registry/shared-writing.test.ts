import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { START, type TestRegistry, testRegistry } from '../testing/registry.ts';
import { untilNoneInterferes } from './sharing.ts';

const DUST = { id: 'dust-01', template: 'dust', site: 'site-01', location: [123.41, 41.8] };
const li = { who: 'li', via: '10.0.0.7' };
let test: TestRegistry;

beforeEach(async () => {
  test = await testRegistry();
});
afterEach(() => test.close());

describe('a change', () => {
  it('says who made it, from where, when, and what it changed', async () => {
    const { registry, clock, steps } = test;
    await registry.upsert(DUST);
    clock.advance(1_000);
    await registry.upsert(
      { ...DUST, attributes: { street: 'North' }, location: [123.42, 41.8] },
      { author: li },
    );
    const [first, second] = await registry.versionInfos('dust-01');
    expect(first).toMatchObject({ version: 1, who: 'system', via: null, changes: [] });
    expect(second).toMatchObject({
      version: 2,
      since: START + 1_000,
      ...li,
      template: { name: 'dust', version: 1 },
    });
    expect(second?.changes).toEqual([
      { path: 'location', before: [123.41, 41.8], after: [123.42, 41.8] },
      { path: 'attributes.street', after: 'North' },
    ]);
    expect(steps).toEqual([
      {
        who: 'system',
        via: null,
        action: 'device.added',
        subject: 'dust-01',
        after: { version: 1, sha256: expect.any(String) },
      },
      {
        ...li,
        action: 'device.changed',
        subject: 'dust-01',
        before: { version: 1 },
        after: { version: 2, sha256: expect.any(String) },
      },
    ]);
  });

  it('that was meant for another version is a conflict, and changes nothing', async () => {
    const { registry } = test;
    await registry.upsert(DUST, { ifVersion: 0 });
    await registry.upsert({ ...DUST, model: 'b' }, { ifVersion: 1 });
    for (const ifVersion of [0, 1, 3]) {
      await expect(registry.upsert({ ...DUST, model: 'c' }, { ifVersion })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
    }
    expect(registry.get('dust-01')).toMatchObject({ model: 'b', version: 2 });
  });

  it('of two processes in turn: each builds on what the other wrote, without having looked', async () => {
    const other = await test.another();
    for (let i = 0; i < 6; i++) {
      await (i % 2 === 0 ? test.registry : other).upsert({ ...DUST, model: `m-${i}` });
    }
    await test.registry.refresh();
    const versions = test.registry.versions('dust-01').map(({ version, model }) => [version, model]);
    expect(versions).toEqual(Array.from({ length: 6 }, (_, i) => [i + 1, `m-${i}`]));
  });

  it('that collides with another process is made again on the newest state, but not for ever', async () => {
    const collision = Object.assign(new Error('UNIQUE constraint failed: device_versions.seq'), {
      code: 'SQLITE_CONSTRAINT',
    });
    let tries = 0;
    let loads = 0;
    const load = async () => void loads++;
    const once = await untilNoneInterferes(load, async () => {
      tries += 1;
      if (tries < 3) throw collision;
      return 'done';
    });
    expect([once, tries, loads]).toEqual(['done', 3, 3]);
    await expect(untilNoneInterferes(load, () => Promise.reject(collision))).rejects.toBe(collision);
    const other = new Error('disk I/O error');
    await expect(untilNoneInterferes(load, () => Promise.reject(other))).rejects.toBe(other);
  });

  it('whose audit fails is not made', async () => {
    const broken = await testRegistry();
    broken.steps.push = () => {
      throw new Error('the trail is closed');
    };
    await expect(broken.registry.upsert(DUST)).rejects.toThrow('the trail is closed');
    expect(broken.registry.size).toBe(0);
    await broken.registry.refresh();
    expect(broken.registry.size).toBe(0);
    await broken.close();
  });
});

describe('a template', () => {
  const stream = { property: 'PM10', unit: 'ug/m3', range: [0, 1000], intervalS: 60 };
  const mine = {
    name: { zh: '我的 {id}', en: 'Mine {id}' },
    kind: 'sensor',
    datastreams: [stream],
    attributes: { a: '1', b: '1' },
  };
  const row = (id: string, more: object = {}) => ({
    id,
    template: 'mine',
    site: 's',
    location: [123, 41],
    ...more,
  });

  it('of one’s own makes devices, and its change reaches them when it is applied; what was set at a device stays', async () => {
    const { registry } = test;
    await registry.putTemplate('mine', mine);
    await registry.import([
      row('d-1'),
      row('d-2', { model: 'special', attributes: { b: '2' } }),
      { ...DUST },
    ]);
    const changed = {
      ...mine,
      model: 'v2',
      attributes: { a: '9', b: '9', c: '9' },
      datastreams: [{ ...stream, intervalS: 30 }],
    };
    expect(await registry.putTemplate('mine', changed, li)).toMatchObject({ version: 2, changed: true });
    expect(registry.get('d-1')?.model).toBe('');
    const report = await registry.applyTemplate('mine', li);
    expect(report).toMatchObject({ changed: ['d-1', 'd-2'], unchanged: [] });
    expect(registry.get('d-1')).toMatchObject({
      model: 'v2',
      version: 2,
      attributes: { a: '9', b: '9', c: '9' },
    });
    expect(registry.get('d-2')).toMatchObject({ model: 'special', attributes: { a: '9', b: '2', c: '9' } });
    expect(registry.get('d-2')?.datastreams[0]?.intervalS).toBe(30);
    expect(registry.templateOf('d-1')).toEqual({ name: 'mine', version: 2 });
    expect(await registry.applyTemplate('mine')).toMatchObject({ changed: [], unchanged: [] });
  });

  it('is remembered by the device, also when a later change names none, and over a restart', async () => {
    const { registry } = test;
    await registry.upsert(DUST);
    const { version: _v, since: _s, ...plain } = (registry.get('dust-01') ?? {}) as Record<string, unknown>;
    await registry.upsert({ ...plain, model: 'x' });
    const again = await test.another();
    expect(again.templateOf('dust-01')).toEqual({ name: 'dust', version: 1 });
    expect(again.templates.has('mine')).toBe(false);
    await registry.putTemplate('mine', mine);
    await again.refresh();
    expect(again.templates.has('mine')).toBe(true);
  });

  it('is refused when it contradicts itself or has the name of one of the product', async () => {
    const { registry } = test;
    const bad = registry.putTemplate('mine', { ...mine, datastreams: [{ ...stream, unit: 'ppm' }] });
    await expect(bad).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      problems: [{ path: 'datastreams.0.unit' }],
    });
    await expect(registry.putTemplate('dust', mine)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(registry.applyTemplate('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('credentials', () => {
  it('a password that is taken away lets nobody in', async () => {
    const { registry } = test;
    await registry.upsert({ ...DUST, password: 'long enough' });
    const heard: string[] = [];
    registry.onCredentialChange((id) => heard.push(id));
    expect(await registry.signIn('dust-01', Buffer.from('long enough'))).toBe('accepted');
    await registry.removePassword('dust-01');
    expect(await registry.signIn('dust-01', Buffer.from('long enough'))).toBe('no-password-set');
    expect(heard).toEqual(['dust-01']);
  });

  it('a secret comes back to who needs it, in other processes too, and lies sealed in the records', async () => {
    const { registry, folder } = test;
    await registry.upsert(DUST);
    const key = Buffer.from('0123456789abcdeffedcba9876543210', 'hex');
    await registry.setSecret('dust-01', 'hj212-sm4', key);
    const other = await test.another();
    expect(other.secretOf('dust-01', 'hj212-sm4')).toEqual(key);
    expect(other.secretOf('dust-01', 'other')).toBeNull();
    expect(statSync(join(folder, 'device-secrets.key')).mode & 0o777).toBe(0o600);
    for (const file of ['r.sqlite', 'r.sqlite-wal']) {
      expect(readFileSync(join(folder, file)).includes(key)).toBe(false);
    }
    await other.setSecret('dust-01', 'hj212-sm4', null);
    await registry.refresh();
    expect(registry.secretOf('dust-01', 'hj212-sm4')).toBeNull();
    expect(JSON.stringify(test.steps)).not.toContain(key.toString('hex'));
  });

  it('a secret of one device is not that of another, and a key file that is none is named', async () => {
    const { registry, folder, records } = test;
    await registry.import([DUST, { ...DUST, id: 'dust-02' }]);
    await registry.setSecret('dust-01', 'k', Buffer.from('one'));
    const db = records.db.withTables<{ device_secrets: { device: string; changed: number } }>();
    await db.updateTable('device_secrets').set({ device: 'dust-02', changed: 9 }).execute();
    await registry.refresh();
    expect(registry.secretOf('dust-02', 'k')).toBeNull();
    const file = join(folder, 'device-secrets.key');
    chmodSync(file, 0o600);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, 'short');
    const other = await test.another();
    await expect(other.setSecret('dust-01', 'k', Buffer.from('x'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpServer } from '../backbone/http.ts';
import { startIngestNode } from '../bench/support/ingest-node.ts';
import { devicesApi } from '../devices/index.ts';
import { ingestApi } from './index.ts';

/** Quarantine and registry over HTTP. */
let folder: string;
let node: Awaited<ReturnType<typeof startIngestNode>>;
let http: HttpServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-api-'));
  node = await startIngestNode({ folder });
  http = createHttpServer({
    log: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    portSetting: 'http.port',
  });
  await http.app.register(ingestApi(node.ingest));
  await http.app.register(devicesApi({ registry: node.registry }));
  const message = { clientId: 'c', authenticatedDevice: null };
  await node.ingest.accept({ ...message, topic: 'v1/devices/a/observations', payload: Buffer.from('{}') });
  await node.ingest.accept({ ...message, topic: 'elsewhere', payload: Buffer.from('<b>hi</b>') });
});
afterAll(async () => {
  await http.close();
  await node.stop();
  await rm(folder, { recursive: true });
});

describe('the quarantine over HTTP', () => {
  it('lists newest first, by reason, and goes on behind an entry', async () => {
    const all = (await http.app.inject('/api/quarantine')).json();
    expect(all.items.map((e: { reason: string }) => e.reason)).toEqual(['topic-unknown', 'device-unknown']);
    expect(all.next).toBeNull();
    const page = (await http.app.inject('/api/quarantine?limit=1')).json();
    const next = (await http.app.inject(`/api/quarantine?limit=1&before=${page.next}`)).json();
    expect(next.items).toEqual(all.items.slice(1));
    const some = (await http.app.inject('/api/quarantine?reason=device-unknown')).json();
    expect(some.items).toHaveLength(1);
  });

  it('gives the bytes as they came, as a download', async () => {
    const [{ id }] = (await http.app.inject('/api/quarantine')).json().items;
    const raw = await http.app.inject(`/api/quarantine/${id}/raw`);
    expect(raw.body).toBe('<b>hi</b>');
    expect(raw.headers).toMatchObject({ 'content-type': 'application/octet-stream' });
    expect(raw.headers['content-disposition']).toContain('attachment');
  });

  it('counts by reason, and shows one entry', async () => {
    const summary = (await http.app.inject('/api/quarantine/summary')).json();
    expect(summary).toMatchObject({ entered: 2, open: 2, taken: 0, dismissed: 0, evicted: 0 });
    expect(summary.reasons.map((r: { reason: string }) => r.reason)).toEqual([
      'topic-unknown',
      'device-unknown',
    ]);
    const [{ id }] = (await http.app.inject('/api/quarantine?text=ELSEWHERE')).json().items;
    expect((await http.app.inject(`/api/quarantine/${id}`)).json()).toMatchObject({
      topic: 'elsewhere',
      state: 'open',
    });
  });

  it('runs again what is named, and nothing when nothing is', async () => {
    const post = (url: string, payload: object = {}) => http.app.inject({ method: 'POST', url, payload });
    const report = (await post('/api/quarantine/rerun', { name: 'a' })).json();
    expect(report).toMatchObject({
      looked: 1,
      stillRefused: 1,
      stays: [{ reason: 'device-unknown' }],
      next: null,
    });
    expect((await post('/api/quarantine/rerun')).json().error.code).toBe('REQUEST_INVALID');
    expect((await post('/api/quarantine/rerun', { device: 'a', all: true })).statusCode).toBe(400);
    const [{ id }] = (await http.app.inject('/api/quarantine?reason=topic-unknown')).json().items;
    expect((await post(`/api/quarantine/${id}/rerun`)).json()).toMatchObject({ looked: 1, stillRefused: 1 });
    expect((await post('/api/quarantine/q0/rerun')).statusCode).toBe(404);
  });

  it('dismisses once, with a reason', async () => {
    const [{ id }] = (await http.app.inject('/api/quarantine?reason=topic-unknown')).json().items;
    const dismiss = (payload: object) =>
      http.app.inject({ method: 'POST', url: `/api/quarantine/${id}/dismiss`, payload });
    expect((await dismiss({ reason: ' ' })).statusCode).toBe(400);
    expect((await dismiss({ reason: 'a test of the maker' })).json()).toMatchObject({ state: 'dismissed' });
    expect((await dismiss({ reason: 'again' })).statusCode).toBe(409);
    const open = (await http.app.inject('/api/quarantine?state=open')).json().items;
    expect(open.map((e: { id: string }) => e.id)).not.toContain(id);
  });

  it('refuses a reason that there is not, and an entry that there is not', async () => {
    expect((await http.app.inject('/api/quarantine?reason=bad')).json().error.code).toBe('REQUEST_INVALID');
    expect((await http.app.inject('/api/quarantine/q0/raw')).statusCode).toBe(404);
  });
});

describe('the status of devices over HTTP', () => {
  it('says of one how it is, and of all how many', async () => {
    const device = { id: 'dust-7', template: 'dust', site: 's', location: [123.4, 41.8] };
    await node.registry.upsert(device);
    expect((await http.app.inject('/api/devices/dust-7/status')).json()).toMatchObject({
      device: 'dust-7',
      state: 'never-heard',
      lastHeard: null,
      clockOffS: null,
      lastReading: null,
    });
    expect((await http.app.inject('/api/devices/nobody/status')).statusCode).toBe(404);
    const summary = (await http.app.inject('/api/devices/status/summary')).json();
    expect(summary).toEqual({ online: 0, silent: 0, gone: 0, neverHeard: 1 });
    const list = (await http.app.inject('/api/devices/status/list?state=never-heard')).json();
    expect(list).toEqual({ items: ['dust-7'], next: null });
    expect((await http.app.inject('/api/devices/status/list?state=asleep')).statusCode).toBe(400);
  });
});

describe('the registry over HTTP', () => {
  const device = { id: 'dust-9', template: 'dust', site: 's', location: [123.4, 41.8] };

  it('takes a device, changes it, and tells its versions', async () => {
    expect((await http.app.inject({ method: 'POST', url: '/api/devices', payload: device })).statusCode).toBe(
      201,
    );
    const changed = await http.app.inject({
      method: 'POST',
      url: '/api/devices',
      payload: { ...device, model: 'm' },
    });
    expect(changed.json()).toMatchObject({ id: 'dust-9', version: 2, model: 'm' });
    const versions = (await http.app.inject('/api/devices/dust-9/versions')).json().items;
    expect(versions.map((v: { version: number }) => v.version)).toEqual([1, 2]);
  });

  it('imports CSV, and refuses a bad list as a whole with every fault', async () => {
    const headers = { 'content-type': 'text/csv' };
    const list = 'id,template,site,lon,lat\nn-1,noise,s,123.4,41.8\nn-2,noise,s,,41.8\n';
    const refused = await http.app.inject({
      method: 'POST',
      url: '/api/devices/import',
      headers,
      payload: list,
    });
    expect(refused.statusCode).toBe(400);
    expect(refused.json().error.problems[0].path).toBe('line 3.lon');
    expect((await http.app.inject('/api/devices/n-1')).statusCode).toBe(404);
    const url = '/api/devices/import?partial=true';
    const partly = await http.app.inject({ method: 'POST', url, headers, payload: list });
    expect(partly.json()).toMatchObject({ added: ['n-1'], refused: [{ row: 1, id: 'n-2' }] });
    const cameras = (await http.app.inject('/api/devices?kind=camera')).json();
    expect(cameras.items).toEqual([]);
  });
});

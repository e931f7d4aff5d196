import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ACCESS } from '../../alerting/access/index.ts';
import { OpenApi } from '../../alerting/api/openapi.ts';
import { createHttpServer } from '../../backbone/http.ts';
import { openStrangers, type Strangers } from '../registry/unknown.ts';
import { START, type TestRegistry, testRegistry } from '../testing/registry.ts';
import { devicesApi } from './index.ts';

const DUST = { id: 'dust-01', template: 'dust', site: 'site-01', location: [123.41, 41.8] };
let test: TestRegistry;
let strangers: Strangers;
let app: FastifyInstance;
let openApi: OpenApi;

beforeEach(async () => {
  test = await testRegistry();
  const { records, registry, log } = test;
  strangers = await openStrangers({ records, registry, log, flushMs: 0 });
  const server = createHttpServer({ log, host: '127.0.0.1', port: 0, portSetting: 'http.port' });
  app = server.app;
  openApi = new OpenApi('0');
  app.addHook('onRoute', (route) => openApi.see(route));
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    Reflect.set(request, 'caller', { user: 'li' });
  });
  await app.register(devicesApi({ registry, strangers, rerun: async () => ({ taken: 2 }) }));
});
afterEach(async () => {
  await app.close();
  await strangers.close();
  await test.close();
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
async function ask(
  method: Method,
  url: string,
  body?: object | string | Buffer,
  headers: Record<string, string> = {},
) {
  const answer = await app.inject({ method, url, headers, ...(body !== undefined && { payload: body }) });
  const json = String(answer.headers['content-type']).includes('json') ? answer.json() : null;
  return { status: answer.statusCode, json, text: answer.body, headers: answer.headers };
}

describe('the routes', () => {
  it('all stand in the table of rights, and in the OpenAPI document with what they take and answer', async () => {
    const document = openApi.document() as { paths: Record<string, Record<string, Record<string, unknown>>> };
    const stated = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    );
    expect(stated.length).toBeGreaterThan(20);
    for (const { method, path, operation } of stated) {
      expect(ACCESS[`${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`], `${method} ${path}`).toBeDefined();
      expect(operation.description).not.toBe('For nobody.');
      const takesBody =
        method === 'PUT' || method === 'PATCH' || path === '/api/devices' || path.endsWith('/import');
      if (takesBody && method !== 'GET') expect(operation.requestBody, `${method} ${path}`).toBeDefined();
    }
    expect(JSON.stringify(document.paths['/api/devices']?.get)).toContain('"datastreams"');
  });
});

describe('one device', () => {
  it('is added, changed, and told as it was at any time', async () => {
    const added = await ask('POST', '/api/devices', DUST);
    expect([added.status, added.headers.etag]).toEqual([201, '"1"']);
    test.clock.advance(60_000);
    const patched = await ask('PATCH', '/api/devices/dust-01', {
      attributes: { street: 'North' },
      model: null,
    });
    expect(patched.json).toMatchObject({
      version: 2,
      model: '',
      attributes: { siteType: 'construction', street: 'North' },
    });
    expect((await ask('GET', `/api/devices/dust-01?at=${START}`)).json).toMatchObject({ version: 1 });
    expect((await ask('GET', '/api/devices/dust-01?at=2026-11-22T00:01:00%2B08:00')).json).toMatchObject({
      version: 2,
    });
    expect((await ask('GET', '/api/devices/dust-01?at=2026-11-21T00:01:00%2B08:00')).status).toBe(404);
    expect((await ask('GET', '/api/devices/dust-01?at=yesterday')).status).toBe(400);
    expect((await ask('GET', '/api/devices/nobody')).status).toBe(404);
    const { items } = (await ask('GET', '/api/devices/dust-01/versions')).json;
    expect(items[1]).toMatchObject({ version: 2, since: START + 60_000, who: 'li', via: '127.0.0.1' });
    expect(items[1].changes.map((c: { path: string }) => c.path)).toEqual(['model', 'attributes.street']);
  });

  it('is not overwritten by who has not seen its last version', async () => {
    await ask('PUT', '/api/devices/dust-01', DUST, { 'if-match': '"0"' });
    await ask('PUT', '/api/devices/dust-01', { ...DUST, model: 'b' }, { 'if-match': '"1"' });
    const late = await ask('PUT', '/api/devices/dust-01', { ...DUST, model: 'c' }, { 'if-match': '"1"' });
    expect([late.status, late.json.error.code]).toEqual([409, 'CONFLICT']);
    const patch = await ask('PATCH', '/api/devices/dust-01', { model: 'c' }, { 'if-match': '"7"' });
    expect(patch.status).toBe(409);
    expect((await ask('PUT', '/api/devices/dust-01', DUST, { 'if-match': 'new' })).status).toBe(400);
    expect((await ask('PUT', '/api/devices/dust-02', DUST)).status).toBe(400);
    expect(test.registry.get('dust-01')).toMatchObject({ version: 2, model: 'b' });
  });

  it('is refused with each fault, found and allowed', async () => {
    const { status, json } = await ask('POST', '/api/devices', { ...DUST, locaton: [1, 2], site: 'a b' });
    expect(status).toBe(400);
    expect(json.error.problems.map((p: { path: string }) => p.path).sort()).toEqual([
      '[0].locaton',
      '[0].site',
    ]);
  });
});

describe('the list', () => {
  it('comes page by page in order, filtered', async () => {
    await test.registry.import([
      ...Array.from({ length: 7 }, (_, i) => ({
        ...DUST,
        id: `d-${i}`,
        addresses: i < 2 ? [`hj212:${i}`] : [],
      })),
      { ...DUST, id: 'c-1', template: 'camera', site: 'gate', regulatedParty: { name: '北方建设' } },
    ]);
    const ids = async (query: string) =>
      (await ask('GET', `/api/devices?${query}`)).json.items.map((d: { id: string }) => d.id);
    const first = (await ask('GET', '/api/devices?limit=3')).json;
    expect(first).toMatchObject({
      next: 'd-1',
      total: 8,
      items: [{ id: 'c-1', template: { name: 'camera' } }, {}, {}],
    });
    expect(await ids('limit=5&after=d-1')).toEqual(['d-2', 'd-3', 'd-4', 'd-5', 'd-6']);
    expect((await ask('GET', '/api/devices?limit=5&after=d-1')).json.next).toBeNull();
    expect(await ids('kind=camera')).toEqual(['c-1']);
    expect(await ids('hasAddress=true')).toEqual(['d-0', 'd-1']);
    expect(await ids('template=dust&limit=2')).toEqual(['d-0', 'd-1']);
    expect(await ids(`q=${encodeURIComponent('北方')}`)).toEqual(['c-1']);
    expect(await ids('q=HJ212:1')).toEqual(['d-1']);
    expect(await ids('site=gate')).toEqual(['c-1']);
    expect((await ask('GET', '/api/devices?sort=x')).status).toBe(400);
  });

  it('goes out in each format and changes nothing when it comes in again', async () => {
    await test.registry.import([
      { ...DUST, addresses: ['hj212:1'] },
      { ...DUST, id: 'dust-02' },
    ]);
    const types = { csv: 'text/csv', json: 'application/json', yaml: 'application/yaml' };
    for (const [format, type] of Object.entries(types)) {
      const list = await ask('GET', `/api/devices/export?format=${format}`);
      expect(list.headers['content-type']).toContain(type);
      const report = await ask('POST', '/api/devices/import', list.text, { 'content-type': type });
      expect([format, report.json]).toEqual([
        format,
        { added: [], changed: [], unchanged: ['dust-01', 'dust-02'], refused: [] },
      ]);
    }
  });

  it('is taken whole or not at all, unless in part; bad rows have their line', async () => {
    const csv = 'id,template,site,lon,lat\r\na,dust,s,1,2\r\nb,dust,s,1,x\r\n';
    const headers = { 'content-type': 'text/csv; charset=utf-8' };
    const refused = await ask('POST', '/api/devices/import', csv, headers);
    expect([refused.status, refused.json.error.problems[0].path]).toEqual([400, 'line 3.lat']);
    expect(test.registry.size).toBe(0);
    const taken = await ask('POST', '/api/devices/import?partial=true', csv, headers);
    expect(taken.json).toMatchObject({ added: ['a'], refused: [{ row: 1, line: 3, id: 'b' }] });
    expect((await ask('POST', '/api/devices/import', '"a', headers)).status).toBe(400);
    expect(
      (await ask('POST', '/api/devices/import', '{}', { 'content-type': 'application/json' })).status,
    ).toBe(400);
  });
});

describe('credentials', () => {
  it('go in and do not come out', async () => {
    await ask('POST', '/api/devices', DUST);
    const { password } = (await ask('POST', '/api/devices/dust-01/password')).json;
    expect(await test.registry.signIn('dust-01', Buffer.from(password))).toBe('accepted');
    expect((await ask('DELETE', '/api/devices/dust-01/password')).status).toBe(204);
    expect(await test.registry.signIn('dust-01', Buffer.from(password))).toBe('no-password-set');

    const secret = '0123456789abcdeffedcba9876543210';
    const url = '/api/devices/dust-01/secrets/hj212-sm4';
    expect((await ask('PUT', url, { value: secret, encoding: 'hex' })).status).toBe(204);
    expect((await ask('PUT', url, { value: 'xyz', encoding: 'hex' })).status).toBe(400);
    expect((await ask('GET', '/api/devices/dust-01/secrets')).json).toEqual({ items: ['hj212-sm4'] });
    expect(test.registry.secretOf('dust-01', 'hj212-sm4')?.toString('hex')).toBe(secret);
    expect((await ask('DELETE', url)).status).toBe(204);
    for (const path of ['', '/versions']) {
      expect((await ask('GET', `/api/devices/dust-01${path}`)).text).not.toContain(secret);
    }

    const fingerprint = `${'AB:'.repeat(31)}CD`;
    const certificate = await ask('POST', '/api/devices/dust-01/certificates', { fingerprint });
    expect([certificate.status, certificate.json.revoked]).toEqual([201, false]);
    expect((await ask('POST', '/api/devices/dust-01/certificates', { certificate: 'x' })).status).toBe(400);
    expect((await ask('POST', '/api/devices/dust-01/certificates', {})).status).toBe(400);
    expect((await ask('DELETE', `/api/devices/dust-01/certificates/${fingerprint}`)).status).toBe(204);
    expect((await ask('GET', '/api/devices/dust-01/certificates')).json.items).toMatchObject([
      { revoked: true },
    ]);
    expect((await ask('POST', '/api/devices/nobody/password')).status).toBe(404);
  });
});

describe('templates and unknown devices', () => {
  it('a template is written, used and applied', async () => {
    const template = { name: { zh: '{id}', en: '{id}' }, kind: 'sensor' };
    expect((await ask('PUT', '/api/templates/mine', template)).json).toMatchObject({
      version: 1,
      source: 'own',
    });
    await ask('POST', '/api/devices', { ...DUST, template: 'mine' });
    await ask('PUT', '/api/templates/mine', { ...template, model: 'v2' });
    expect((await ask('POST', '/api/templates/mine/apply')).json).toMatchObject({ changed: ['dust-01'] });
    expect((await ask('GET', '/api/templates/mine')).json).toMatchObject({
      version: 2,
      template: { model: 'v2' },
    });
    const { items } = (await ask('GET', '/api/templates')).json;
    expect(items.map((t: { name: string }) => t.name)).toEqual(
      expect.arrayContaining(['dust', 'mine', 'camera']),
    );
    expect((await ask('PUT', '/api/templates/mine', { ...template, kind: 'toaster' })).status).toBe(400);
    expect((await ask('GET', '/api/templates/none')).status).toBe(404);
  });

  it('who spoke unknown is listed with what it measured, and adopted in one call', async () => {
    const payload = Buffer.from('{"readings":{"PM10":81}}');
    const seen = { kind: 'readings', topic: 't', clientId: null, at: START, payload } as const;
    strangers.saw({ ...seen, name: 'new-1' });
    strangers.saw({ ...seen, name: 'hj212:4711' });
    const { items } = (await ask('GET', '/api/unknown-devices')).json;
    expect(items[0]).toMatchObject({ name: 'hj212:4711', count: 1, properties: { PM10: 81 } });
    const place = { template: 'dust', site: 's', location: [123, 41] };
    const adopted = await ask('POST', '/api/unknown-devices/hj212%3A4711/adopt', place);
    expect([adopted.status, adopted.json]).toMatchObject([
      201,
      { device: { id: '4711', addresses: ['hj212:4711'] }, rerun: { taken: 2 } },
    ]);
    expect((await ask('POST', '/api/unknown-devices/new-1/dismiss')).status).toBe(204);
    expect((await ask('GET', '/api/unknown-devices')).json).toEqual({ items: [], total: 0 });
    expect((await ask('GET', '/api/unknown-devices?dismissed=true')).json.total).toBe(1);
    expect((await ask('POST', '/api/unknown-devices/nobody/adopt', place)).status).toBe(404);
  });
});

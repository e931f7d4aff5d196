import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert, DraftCase } from '../../contracts/index.ts';
import { ACCESS, Role, refusalFor } from '../access/index.ts';
import { verifyAudit } from '../audit/index.ts';
import { DUST_IN_LINHE, EVENING, finding, MINUTE } from '../testing/fixtures.ts';
import { addPerson, sessionFor } from '../testing/people.ts';
import { startTestProduct, until, Visitor } from '../testing/product.ts';

let product: Awaited<ReturnType<typeof startTestProduct>>;
const visitors = new Map<string, Visitor>();
const as = (who: string) => visitors.get(who)!;
const OTHERS = /\/api\/(devices|templates|unknown-devices|quarantine)/;
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
const blob = createHash('sha256').update(JPEG).digest('hex');

beforeAll(async () => {
  product = await startTestProduct({
    realSeries: true,
    others: (app) => {
      // Other stages' routes stand in the table too; here they only have to be there.
      for (const route of Object.keys(ACCESS).filter((r) => OTHERS.test(r))) {
        const [method = '', url = ''] = route.split(' ');
        app.route({ method, url, handler: async () => ({ items: [] }) });
      }
      app.post('/api/forgotten', async () => ({}));
    },
  });
  visitors.set('nobody', new Visitor(product.url));
  for (const role of Role.options) {
    await addPerson(product.db, role, [role]);
    const visitor = new Visitor(product.url);
    visitor.cookie = await sessionFor(product.db, role);
    visitors.set(role, visitor);
  }
  await product.blobs.put(JPEG);
  await product.series.write(
    Array.from({ length: 40 }, (_, i) => ({
      datastream: 'dust-01/TSP',
      time: EVENING - 5 * MINUTE + i * 30_000,
      value: 1 + i / 100,
      quality: 'valid' as const,
      receivedAt: EVENING,
      ...(i === 11 && { source: 'senml' }),
    })),
  );
  const frames = [{ blob, time: EVENING, detections: [] }];
  const fire = {
    kind: 'image',
    reason: 'fire-lane-occupied',
    device: 'cam-01',
    matter: 'm-fire-lane',
  } as const;
  await product.say(
    finding({ name: 'dust' }),
    finding({ name: 'fire', ...fire, input: { datastreams: [], from: EVENING, to: EVENING, frames } }),
    finding({ name: 'nowhere', device: 'dust-99' }),
    finding({ name: 'watch', device: 'water-01', kind: 'anomaly', reason: 'odd', severity: 'watch' }),
  );
});
afterAll(() => product.close());

describe('who may', () => {
  const fill = (path: string) => path.replace(':sha256', blob).replace(':id', 'unknown');
  for (const [route, access] of Object.entries(ACCESS)) {
    const [method = '', url = ''] = route.split(' ');
    if (url === '/api/events') continue;
    it(`${route} lets in whom the table lets in`, async () => {
      for (const role of [...Role.options, null]) {
        // Signing out would end the session of the other tests.
        if (method === 'DELETE' && role !== null) continue;
        const body = method === 'POST' ? {} : undefined;
        const { status, code } = await as(role ?? 'nobody').ask(method, fill(url), body);
        const caller = role && { user: role, name: role, roles: [role], unit: null, demo: false };
        const refusal = refusalFor(access, caller);
        const refused = status === 401 ? 'not-signed-in' : code === 'FORBIDDEN' ? 'role' : null;
        expect([role, refused]).toEqual([role, refusal]);
      }
    });
  }

  it('a route that is not in the table is closed to everybody, and the refusal is on record', async () => {
    expect((await as('administrator').post('/api/forgotten')).code).toBe('FORBIDDEN');
    const row = await product.db
      .selectFrom('alerting_audit')
      .selectAll()
      .where('subject', '=', 'POST /api/forgotten')
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ who: 'administrator', action: 'access.refused' });
  });

  it('a request that another site sends is refused, whoever is signed in', async () => {
    const alert = (await as('reviewer').get('/api/alerts')).json.items[0];
    const path = `/api/alerts/${alert.id}/acknowledge`;
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      expect((await as('reviewer').post(path, {}, headers)).code).toBe('FORBIDDEN');
    }
    expect((await as('reviewer').post(path, {}, { origin: product.url })).status).toBe(200);
  });

  it('an unknown address is a 404 with the one shape of errors', async () => {
    const answer = await as('reviewer').get('/api/nothing');
    expect(answer.status).toBe(404);
    expect(answer.json).toEqual({ error: { code: 'NOT_FOUND', message: expect.any(String), problems: [] } });
  });
});

describe('alerts and drafts', () => {
  it('lists the newest first, page by page, and filters', async () => {
    const first = (await as('reviewer').get('/api/alerts?limit=3')).json;
    expect(first.items.map((a: unknown) => Alert.parse(a))).toHaveLength(3);
    const rest = (await as('reviewer').get(`/api/alerts?limit=3&before=${first.next}`)).json;
    expect(rest).toMatchObject({ next: null });
    const kinds = [...first.items, ...rest.items].map((a: Alert) => a.kind).sort();
    expect(kinds).toEqual(['anomaly', 'image', 'limit-exceeded', 'limit-exceeded']);
    expect((await as('reviewer').get('/api/alerts?kind=image')).json.items).toHaveLength(1);
    expect((await as('reviewer').get('/api/draft-cases?unit=u-linhe')).json.items).toHaveLength(1);
  });

  it('a misspelt or wrong question is answered with what is allowed', async () => {
    const { status, json } = await as('reviewer').get('/api/alerts?stat=open&limit=0');
    expect(status).toBe(400);
    expect(json.error.problems.map((p: { path: string }) => p.path).sort()).toEqual([
      'query.limit',
      'query.stat',
    ]);
  });

  it('an alert comes with findings, the device as it was, and its draft case', async () => {
    const { items } = (await as('reviewer').get('/api/alerts?kind=limit-exceeded')).json;
    const dust = items.find((a: Alert) => a.device === 'dust-01');
    const { json } = await as('duty-officer').get(`/api/alerts/${dust.id}`);
    expect(json).toMatchObject({
      alert: { id: dust.id },
      findings: [{ reason: 'mean-5min' }],
      device: { id: 'dust-01', version: 1, name: DUST_IN_LINHE.name },
      draftCase: { alert: dust.id },
    });
    DraftCase.parse(json.draftCase);
  });

  it('acknowledging twice keeps the first name', async () => {
    const { items } = (await as('reviewer').get('/api/alerts?kind=image')).json;
    const path = `/api/alerts/${items[0].id}/acknowledge`;
    await as('duty-officer').post(path);
    expect((await as('supervisor').post(path)).json).toMatchObject({
      state: 'acknowledged',
      acknowledgedBy: 'duty-officer',
    });
  });
});

const draftOn = async (device: string): Promise<DraftCase> => {
  const { items } = (await as('reviewer').get('/api/draft-cases')).json;
  return items.find((d: DraftCase) => d.device === device);
};

describe('review', () => {
  it('a dismissal needs a reason, and the version that is there', async () => {
    const draft = await draftOn('cam-01');
    const path = `/api/draft-cases/${draft.id}/dismiss`;
    expect((await as('reviewer').post(path, { version: draft.version, reason: ' ' })).code).toBe(
      'REQUEST_INVALID',
    );
    expect((await as('reviewer').post(path, { version: draft.version + 1, reason: 'x' })).code).toBe(
      'CONFLICT',
    );
    expect((await draftOn('cam-01')).state).toBe('draft');
  });

  it('what has no unit cannot be confirmed, and the answer says why', async () => {
    const draft = await draftOn('dust-99');
    const { status, json } = await as('reviewer').post(`/api/draft-cases/${draft.id}/confirm`, {
      version: 1,
    });
    expect(status).toBe(409);
    expect(json.error).toMatchObject({
      code: 'ILLEGAL_TRANSITION',
      message: expect.stringContaining('no-unit'),
    });
  });

  it('dismissing states who and why, and sends nothing', async () => {
    const draft = await draftOn('dust-99');
    const body = { version: draft.version, reason: '设备未登记' };
    expect((await as('reviewer').post(`/api/draft-cases/${draft.id}/dismiss`, body)).json).toMatchObject({
      state: 'dismissed',
      review: { by: 'reviewer', reason: '设备未登记' },
      lead: null,
    });
    expect((await as('reviewer').get('/api/leads')).json.items).toEqual([]);
  });

  it('confirming freezes the evidence, writes the lead and the audit; a second time is refused', async () => {
    const draft = await draftOn('dust-01');
    const path = `/api/draft-cases/${draft.id}`;
    const before = (await as('reviewer').get(`${path}/evidence`)).json;
    expect(before.frozen).toBe(false);
    const confirmed = await as('reviewer').post(`${path}/confirm`, {
      version: draft.version,
      reason: '属实',
    });
    expect(DraftCase.parse(confirmed.json)).toMatchObject({
      state: 'confirmed',
      version: draft.version + 1,
      review: { by: 'reviewer', decision: 'confirmed', reason: '属实' },
      lead: expect.stringMatching(/^l_/),
    });
    const again = await as('reviewer').post(`${path}/confirm`, { version: draft.version + 1, reason: '' });
    expect([again.status, again.code]).toEqual([409, 'ILLEGAL_TRANSITION']);
    expect((await as('reviewer').get(`${path}/evidence`)).json).toMatchObject({
      frozen: true,
      items: before.items,
    });
    expect((await as('reviewer').get('/api/leads')).json.items).toMatchObject([
      { draftCase: draft.id, unit: 'u-linhe', id: confirmed.json.lead },
    ]);
    const audit = await product.db
      .selectFrom('alerting_audit')
      .selectAll()
      .where('action', '=', 'draft.confirmed')
      .executeTakeFirstOrThrow();
    expect(audit).toMatchObject({ who: 'reviewer', subject: draft.id, via: '127.0.0.1' });
    expect((await verifyAudit(product.db)).valid).toBe(true);
  });

  it('a decided draft does not change any more, whatever comes', async () => {
    const before = await draftOn('dust-01');
    await product.say(finding({ name: 'dust', revision: 1, state: 'closed', to: EVENING + 40 * MINUTE }));
    expect(await draftOn('dust-01')).toEqual(before);
    const row = await product.db
      .selectFrom('alerting_alerts')
      .selectAll()
      .where('id', '=', before.alert)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: 'resolved', settled: 1 });
  });

  it('and when it happens again soon, that is an alert of its own with a draft of its own', async () => {
    await product.say(finding({ name: 'dust-again', from: EVENING + 42 * MINUTE }));
    const { items } = (await as('reviewer').get('/api/draft-cases?unit=u-linhe')).json;
    expect(items.map((d: DraftCase) => d.state)).toEqual(['draft', 'confirmed']);
  });
});

describe('evidence', () => {
  it('lists readings, recipe and device record, and each piece is what its hash says', async () => {
    const draft = (await as('reviewer').get('/api/draft-cases?state=confirmed')).json.items[0];
    const { items } = (await as('reviewer').get(`/api/draft-cases/${draft.id}/evidence`)).json;
    const names = items.map((i: { name: string }) => i.name);
    expect(names).toEqual([
      'device.json',
      `findings/${draft.findings[0].id}.json`,
      'readings/dust-01_TSP.csv',
    ]);
    for (const { url, sha256, bytes, mediaType } of items) {
      const { text, headers } = await as('reviewer').get(url);
      expect(createHash('sha256').update(text).digest('hex')).toBe(sha256);
      expect(Buffer.byteLength(text)).toBe(bytes);
      expect(headers.get('content-type')).toContain(mediaType.split(';')[0]);
      expect(headers.get('content-disposition')).toContain('attachment');
    }
    const csv = (await as('reviewer').get(items.at(-1).url)).text.split('\r\n');
    expect(csv[0]).toBe('time,epoch_ms,value,unit,quality,received_at');
    expect(csv[1]).toBe(
      `2026-11-22T21:55:00.000+08:00,${EVENING - 5 * MINUTE},1,mg/m3,valid,2026-11-22T22:00:00.000+08:00`,
    );
    expect(csv).toHaveLength(42);
  });

  it('pictures come as original and as drawn copy', async () => {
    const draft = await draftOn('cam-01');
    const { items } = (await as('reviewer').get(`/api/draft-cases/${draft.id}/evidence`)).json;
    const frames = items.filter((i: { name: string }) => i.name.startsWith('frames/'));
    expect(frames.map((i: { name: string }) => i.name)).toEqual([
      `frames/${EVENING}-${blob.slice(0, 8)}-drawn.jpg`,
      `frames/${EVENING}-${blob.slice(0, 8)}.jpg`,
    ]);
    expect(frames[1].sha256).toBe(blob);
    expect((await as('reviewer').get(`/api/evidence/${blob}`)).headers.get('content-type')).toBe(
      'image/jpeg',
    );
  });

  it('what the series store does not hold yet cannot be frozen', async () => {
    await product.say(finding({ name: 'lagging', device: 'water-01', datastream: 'water-01/TSP' }));
    const draft = await draftOn('water-01');
    const { code } = await as('reviewer').post(`/api/draft-cases/${draft.id}/confirm`, {
      version: 1,
      reason: '',
    });
    expect(code).toBe('STORE_UNAVAILABLE');
    expect((await draftOn('water-01')).state).toBe('draft');
  });
});

describe('readings, catalog, counts', () => {
  it('a series with its unit', async () => {
    const { json } = await as('reviewer').get(
      `/api/series?datastream=dust-01/TSP&from=${EVENING}&to=${EVENING + MINUTE}`,
    );
    expect(json).toMatchObject({ datastream: 'dust-01/TSP', unit: 'mg/m3', points: [{ time: EVENING }, {}] });
    expect(json.points.map(({ source }: { source?: string }) => source)).toEqual([undefined, 'senml']);
    expect((await as('reviewer').get('/api/series?datastream=nothing&from=0&to=1')).status).not.toBe(200);
  });

  it('counts of the whole way', async () => {
    const { json } = await as('reviewer').get('/api/counts');
    expect(json).toMatchObject({
      observations: { acknowledged: 11, stored: 10 },
      frames: 7,
      alerts: { anomaly: 1, image: 1 },
      leads: { pending: 1, delivered: 0, failed: 0 },
    });
    expect(json.draftsOpen).toBeGreaterThan(0);
  });

  it('the catalog with its version', async () => {
    const { json } = await as('reviewer').get('/api/catalog');
    expect(json.areas.features).toHaveLength(3);
    expect(json.version).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('the OpenAPI document', () => {
  it('names every route of the table with its rights, and every reference leads somewhere', async () => {
    const { json } = await as('nobody').get('/api/openapi.json');
    expect(json.openapi).toBe('3.1.0');
    const listed = Object.entries(json.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map(
        (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      ),
    );
    expect(listed.sort()).toEqual([...Object.keys(ACCESS), 'POST /api/forgotten'].sort());
    for (const [, name] of JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys(json.components.schemas)).toContain(name);
    }
    const { requestBody } = json.paths['/api/draft-cases/{id}/confirm'].post;
    expect(requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/Decision' });
  });
});

/** Reads an event stream until `enough` events came; returns them. */
async function listen(
  enough: (events: { id: string; event: string; data: string }[]) => boolean,
  lastId?: string,
) {
  const abort = new AbortController();
  const response = await fetch(`${product.url}/api/events`, {
    headers: { cookie: as('reviewer').cookie!, ...(lastId !== undefined && { 'last-event-id': lastId }) },
    signal: abort.signal,
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const events: { id: string; event: string; data: string }[] = [];
  let text = '';
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split('\n').map((l) => [l.split(': ')[0], l.slice(l.indexOf(': ') + 2)]),
      );
      if (fields.event !== undefined) events.push({ id: '', data: '', event: '', ...fields });
    }
    if (enough(events)) break;
  }
  abort.abort();
  return events;
}

describe('the event stream', () => {
  it('tells news as they happen, and resumes without a gap', async () => {
    const live = listen(
      (events) =>
        events.filter((e) => e.event === 'alert').length >= 1 && events.some((e) => e.event === 'counts'),
    );
    await until(async () => (await as('reviewer').get('/api/counts')).status === 200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await product.say(finding({ name: 'live', reason: 'live' }));
    const heard = await live;
    const first = heard.find((e) => e.event === 'alert')!;
    expect(JSON.parse(first.data)).toMatchObject({ reason: 'live' });

    await product.say(
      finding({ name: 'missed-1', reason: 'missed-1' }),
      finding({ name: 'missed-2', reason: 'missed-2' }),
    );
    const resumed = await listen((events) => events.filter((e) => e.event === 'alert').length >= 2, first.id);
    const ids = resumed.filter((e) => e.id !== '').map((e) => Number(e.id));
    expect(ids[0]).toBe(Number(first.id) + 1);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(resumed.filter((e) => e.event === 'alert').map((e) => JSON.parse(e.data).reason)).toEqual([
      'missed-1',
      'missed-2',
    ]);
  });

  it('a listener whose place is no longer kept is told to read everything anew', async () => {
    const [event] = await listen((events) => events.some((e) => e.event === 'reset'), '999999');
    expect(event?.event).toBe('reset');
  });
});

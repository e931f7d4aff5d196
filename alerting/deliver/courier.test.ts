import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { LeadEvent } from '../../contracts/index.ts';
import { EVENING, finding } from '../testing/fixtures.ts';
import { addPerson, sessionFor } from '../testing/people.ts';
import { startTestProduct, until, Visitor } from '../testing/product.ts';

const SECRET = `whsec_${Buffer.from('a secret of a good thirty bytes').toString('base64')}`;

interface Delivery {
  headers: IncomingMessage['headers'];
  body: string;
}

/** What a case system does with the n-th delivery (from 0): a status, `hang`, or `cut` the connection. */
type Behaviour = (
  n: number,
) => number | 'hang' | 'cut' | { status: number; headers?: Record<string, string>; body?: string };

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** A real HTTP receiver. */
async function caseSystem(behave: Behaviour) {
  const deliveries: Delivery[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const does = behave(deliveries.length);
    deliveries.push({ headers: request.headers, body });
    if (does === 'hang') return;
    if (does === 'cut') return void request.socket.destroy();
    const answer = typeof does === 'number' ? { status: does } : does;
    response.writeHead(answer.status, 'headers' in answer ? answer.headers : {});
    response.end('body' in answer ? answer.body : '{"caseNumber":"A-1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { deliveries, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/leads` };
}

/** A product with one confirmed draft for u-linhe. */
async function confirmed(url: string | null, deliver: Record<string, unknown> = {}) {
  const endpoints = url === null ? {} : { 'u-linhe': { url, secret: SECRET } };
  const fast = { timeoutS: 0.3, retryFirstS: 0.02, retryMaxS: 0.05, ...deliver };
  const product = await startTestProduct({ config: { deliver: { endpoints, ...fast } } });
  opened.push(product);
  await addPerson(product.db, 'reviewer', ['reviewer']);
  const visitor = new Visitor(product.url);
  visitor.cookie = await sessionFor(product.db, 'reviewer');
  await product.series.write([
    { datastream: 'dust-01/TSP', time: EVENING, value: 1.2, quality: 'valid', receivedAt: EVENING },
  ]);
  await product.say(finding());
  const [draft] = (await visitor.get('/api/draft-cases')).json.items;
  const path = `/api/draft-cases/${draft.id}/confirm`;
  expect((await visitor.post(path, { version: draft.version, reason: '' })).status).toBe(200);
  const lead = async () => (await visitor.get('/api/leads')).json.items[0];
  return { product, visitor, lead, draft };
}

describe('leads reach case systems', () => {
  it('as a CloudEvent that a foreign Standard Webhooks library accepts, with a receipt', async () => {
    const system = await caseSystem(() => 200);
    const { lead, draft } = await confirmed(system.url);
    await until(async () => (await lead()).state === 'delivered');
    const [{ headers, body } = { headers: {}, body: '' }] = system.deliveries;
    const verified = new Webhook(SECRET).verify(body, headers as Record<string, string>);
    const event = LeadEvent.parse(verified);
    expect(event).toMatchObject({
      id: headers['webhook-id'],
      subject: draft.number,
      time: '2026-11-22T22:00:00.000+08:00',
      data: { unit: 'u-linhe', draftCase: { state: 'confirmed', review: { by: 'reviewer' } } },
    });
    expect(event.data.evidence.map((e) => e.name)).toContain('device.json');
    expect(headers['content-type']).toContain('application/cloudevents+json');
    expect(await lead()).toMatchObject({ attempts: 1, lastError: null, receipt: { caseNumber: 'A-1' } });
  });

  it('a changed body or another secret is not accepted', async () => {
    const system = await caseSystem(() => 200);
    const { lead } = await confirmed(system.url);
    await until(async () => (await lead()).state === 'delivered');
    const { headers, body } = system.deliveries[0]!;
    const other = `whsec_${Buffer.from('another secret of thirty bytes').toString('base64')}`;
    expect(() => new Webhook(SECRET).verify(body.replace('u-linhe', 'u-urban'), headers as never)).toThrow();
    expect(() => new Webhook(other).verify(body, headers as never)).toThrow();
  });

  it('again and again under the same id until it is taken: errors, timeouts, broken connections', async () => {
    const behaviours = [500, 'hang', 'cut', 404, 200] as const;
    const system = await caseSystem((n) => behaviours[n] ?? 200);
    const { lead } = await confirmed(system.url);
    await until(async () => (await lead()).state === 'delivered');
    expect(system.deliveries).toHaveLength(5);
    expect(new Set(system.deliveries.map((d) => d.headers['webhook-id'])).size).toBe(1);
    expect(new Set(system.deliveries.map((d) => d.body)).size).toBe(1);
    expect(await lead()).toMatchObject({ attempts: 5, state: 'delivered' });
  });

  it('gives up at the deadline, with the last error kept', async () => {
    const system = await caseSystem(() => 503);
    const { lead, product } = await confirmed(system.url, { deadlineH: 0.0001 });
    await until(async () => (await lead()).state === 'failed');
    expect(await lead()).toMatchObject({ nextTryAt: null, lastError: expect.stringContaining('HTTP 503') });
    const audit = await product.db
      .selectFrom('alerting_audit')
      .selectAll()
      .where('action', '=', 'lead.failed')
      .execute();
    expect(audit).toHaveLength(1);
  });

  it('410 Gone ends the tries', async () => {
    const system = await caseSystem(() => 410);
    const { lead } = await confirmed(system.url);
    await until(async () => (await lead()).state === 'failed');
    expect(system.deliveries).toHaveLength(1);
  });

  it('a redirect is not followed', async () => {
    const elsewhere = await caseSystem(() => 200);
    const system = await caseSystem((n) =>
      n === 0 ? { status: 307, headers: { location: elsewhere.url } } : 200,
    );
    const { lead } = await confirmed(system.url);
    await until(async () => (await lead()).state === 'delivered');
    expect(elsewhere.deliveries).toEqual([]);
    expect(system.deliveries).toHaveLength(2);
  });

  it('an endless answer is cut off', async () => {
    const system = await caseSystem(() => ({ status: 200, body: 'x'.repeat(100_000) }));
    const { lead } = await confirmed(system.url);
    await until(async () => (await lead()).state === 'delivered');
    expect((await lead()).receipt).toHaveLength(4096);
  });

  it('without an endpoint the lead waits and says so', async () => {
    const { lead } = await confirmed(null);
    await until(async () => (await lead()).lastError !== null);
    expect(await lead()).toMatchObject({
      state: 'pending',
      lastError: expect.stringContaining('no-endpoint'),
    });
  });
});

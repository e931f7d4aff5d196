import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { observe } from './observe.ts';
import { sseParser } from './sse.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function product(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    return closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((r) => setTimeout(r, 5));
}

const alert = (id: string, state = 'open') => ({
  id,
  fingerprint: id,
  kind: 'anomaly',
  reason: 'r',
  severity: 'watch',
  matter: null,
  device: 'river-01',
  datastream: null,
  zone: null,
  site: 's',
  location: [123, 41],
  state,
  summary: { zh: '', en: '' },
  measure: { statistic: 'score', value: 1, unit: '1' },
  startedAt: 1_795_000_000_000,
  lastSeenAt: 1_795_000_000_000,
  raisedAt: 1_795_000_000_000,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  findings: [],
  draftCase: null,
  trigger: { device: 'river-01', time: 1_795_000_000_000, receivedAt: 1_795_000_000_000 },
});
const event = (id: number, name: string, data: unknown) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

describe('the observer', () => {
  it('notes when an alert first arrived, keeps its latest state, and goes on behind the last event', async () => {
    const asked: (string | undefined)[] = [];
    const url = await product((request, response) => {
      asked.push(request.headers['last-event-id']?.toString());
      expect(request.headers.cookie).toBe('ql_session=x');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (asked.length === 1) response.end(`: hello\n\n${event(1, 'alert', alert('a1'))}`);
      else response.write(event(2, 'alert', alert('a1', 'acknowledged')) + event(3, 'alert', alert('a2')));
    });
    let now = 100;
    const observer = observe({ url, headers: { cookie: 'ql_session=x' }, wall: () => now++ });
    closers.push(() => observer.stop());
    await observer.connected;
    await until(() => observer.alerts().length === 2);
    expect(asked).toEqual([undefined, '1']);
    expect(observer.alerts().map((s) => [s.alert.id, s.alert.state, s.arrivedAt])).toEqual([
      ['a1', 'acknowledged', 100],
      ['a2', 'open', 102],
    ]);
  });

  it('counts what does not follow the contracts instead of guessing', async () => {
    const url = await product((_, response) => {
      response.writeHead(200);
      response.write(event(1, 'alert', { ...alert('a1'), kind: 'hunch' }));
      response.write('event: alert\ndata: {oops\n\n');
      response.write(event(3, 'alert', alert('a2')));
    });
    const observer = observe({ url });
    closers.push(() => observer.stop());
    await until(() => observer.alerts().length === 1);
    expect(observer.malformed().count).toBe(2);
  });

  it('waits for a product that is not up yet, and stops when told to', async () => {
    let tries = 0;
    const url = await product((_, response) => {
      tries += 1;
      response.writeHead(tries < 3 ? 503 : 200);
      if (tries < 3) response.end();
      else response.write(event(1, 'alert', alert('a1')));
    });
    const observer = observe({ url });
    await until(() => observer.alerts().length === 1);
    expect(tries).toBe(3);
    await observer.stop();
  });

  it('reads the counts, and says so when there are none', async () => {
    const counts = {
      observations: { acknowledged: 2, stored: 2 },
      frames: 1,
      quarantined: 0,
      findings: {},
      alerts: {},
      drafts: {},
      leads: { delivered: 1, pending: 0, failed: 0 },
    };
    let status = 200;
    const url = await product((request, response) => {
      response.writeHead(request.url === '/api/counts' ? status : 200).end(JSON.stringify(counts));
    });
    const observer = observe({ url });
    closers.push(() => observer.stop());
    expect((await observer.counts()).leads.delivered).toBe(1);
    status = 401;
    await expect(observer.counts()).rejects.toThrow('401');
  });
});

describe('the event stream', () => {
  it('is the same however it is cut, whatever ends its lines', () => {
    const piece = fc.record({
      name: fc.constantFrom('alert', 'lead', ''),
      data: fc.array(fc.stringMatching(/^[a-z :]{0,8}$/), { minLength: 1, maxLength: 3 }),
      id: fc.nat(99),
    });
    const ending = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), ending, fc.array(fc.nat(40)), (pieces, eol, cuts) => {
        const lines = pieces.flatMap((p) => [
          ': beat',
          `id: ${p.id}`,
          ...(p.name ? [`event: ${p.name}`] : []),
          ...p.data.map((d) => `data: ${d}`),
          '',
        ]);
        // One more comment: a CR at the very end waits for what may follow it.
        const text = [...lines, ': end'].map((l) => l + eol).join('');
        const parse = sseParser();
        const got = [];
        for (let at = 0, i = 0; at < text.length; i++) {
          const size = 1 + (cuts[i % (cuts.length || 1)] ?? 7);
          got.push(...parse(text.slice(at, at + size)));
          at += size;
        }
        expect(got).toEqual(
          pieces.map((p) => ({ event: p.name || 'message', data: p.data.join('\n'), id: String(p.id) })),
        );
      }),
    );
  });

  it('refuses an event that never ends', () => {
    const parse = sseParser();
    expect(() => {
      for (let i = 0; i < 20; i++) parse(`data: ${'x'.repeat(1024 * 1024)}\n`);
    }).toThrow(RangeError);
  });
});

import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { QianliyanError } from '../contracts/index.ts';
import { rememberingLog } from '../tests/contract/support.ts';
import { createHttpServer, explainListenError, type HttpServer } from './http.ts';
import { parse } from './validation.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function make(port = 0) {
  const { log, lines } = rememberingLog();
  const server = createHttpServer({ log, host: '127.0.0.1', port, portSetting: 'console.port' });
  servers.push(server);
  return { server, app: server.app, lines };
}

describe('the HTTP server', () => {
  it('is healthy when it answers, over a real socket', async () => {
    const { server } = make();
    const { url } = await server.listen();
    const answer = await fetch(`${url}/healthz`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('sends the security headers with every answer, errors too', async () => {
    const { app } = make();
    for (const url of ['/healthz', '/nowhere']) {
      const { headers } = await app.inject(url);
      expect(headers['content-security-policy']).toContain("default-src 'self'");
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('answers with the code and status of our errors', async () => {
    const { app } = make();
    app.get('/clash', () => {
      throw new QianliyanError('CONFLICT', 'version 3 is not 4');
    });
    const answer = await app.inject('/clash');
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toEqual({
      error: { code: 'CONFLICT', message: 'it has changed meanwhile: version 3 is not 4', problems: [] },
    });
  });

  it('says what is wrong with a request, all of it', async () => {
    const { app } = make();
    app.post('/things', ({ body }) => parse(z.strictObject({ a: z.number(), b: z.string() }), body));
    const answer = await app.inject({ method: 'POST', url: '/things', payload: { a: 'x' } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatchObject({
      code: 'REQUEST_INVALID',
      problems: [
        { path: 'a', found: 'x', allowed: 'must be a number' },
        { path: 'b', allowed: 'required: text' },
      ],
    });
  });

  it('shows nothing of what went wrong inside, but logs it', async () => {
    const { app, lines } = make();
    app.get('/broken', () => {
      throw new Error('password=hunter2');
    });
    const answer = await app.inject('/broken?token=secret');
    expect(answer.statusCode).toBe(500);
    expect(answer.json().error.code).toBe('INTERNAL');
    expect(answer.body).not.toContain('hunter2');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ path: '/broken', msg: 'request failed' });
  });

  it('refuses what is no JSON, too large, or not there', async () => {
    const { app } = make();
    app.post('/things', () => 'ok');
    const post = (payload: string) =>
      app.inject({
        method: 'POST',
        url: '/things',
        payload,
        headers: { 'content-type': 'application/json' },
      });
    const bad = await post('{');
    expect([bad.statusCode, bad.json().error.code]).toEqual([400, 'REQUEST_INVALID']);
    const large = await post(JSON.stringify('x'.repeat(2_000_000)));
    expect([large.statusCode, large.json().error.code]).toEqual([413, 'REQUEST_INVALID']);
    const gone = await app.inject('/nowhere');
    expect([gone.statusCode, gone.json().error.code]).toEqual([404, 'NOT_FOUND']);
  });

  it('names address and setting when the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    await expect(make(port).server.listen()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
      problems: [{ path: 'console.port' }],
    });
    other.close();
  });

  it('leaves errors that are not about the address as they are', () => {
    const error = new Error('other');
    expect(explainListenError(error, 'the MQTT broker', 'h:1', 'mqtt.port')).toBe(error);
  });
});

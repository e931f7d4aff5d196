import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { manualClock } from '../../backbone/clock.ts';
import { createHttpServer, type HttpServer } from '../../backbone/http.ts';
import { type Hj212RequestStep, hj212Api } from './api.ts';
import { Hj212Request } from './commands.ts';
import { NOW, realtime, type Stage, startStage, until } from './testing/stage.ts';

/** What people can ask of a monitor over HTTP. */

let stage: Stage;
let http: HttpServer;
let audited: Hj212RequestStep[];

beforeEach(async () => {
  audited = [];
  stage = await startStage();
  http = createHttpServer({
    log: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    portSetting: 'http.port',
  });
  await http.app.register(
    hj212Api({
      gateway: () => stage.gateway,
      clock: manualClock(NOW),
      audit: async (step) => void audited.push(step),
    }),
  );
});
afterEach(async () => {
  await http.close();
  await stage.close();
});

const post = async (device: string, payload: object) => {
  const answer = await http.app.inject({
    method: 'POST',
    url: `/api/devices/${device}/hj212/requests`,
    payload,
  });
  return { status: answer.statusCode, body: answer.json() };
};

it('asks a connected monitor, and gives what it said in words', async () => {
  const monitor = await stage.monitor('--auto');
  monitor.tell({ send: realtime(4) });
  await until(() => stage.sessions.length === 1);
  const { status, body } = await post('dust-01', { cn: '1061' });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    device: 'dust-01',
    cn: '1061',
    outcome: 'done',
    qnRtn: { code: 1, zh: '准备执行请求' },
    exeRtn: { code: 1, en: 'done' },
    answer: { RtdInterval: '30' },
    clockOffS: null,
  });
  expect(audited).toEqual([
    { at: NOW, who: 'api', via: '127.0.0.1', device: 'dust-01', request: { cn: '1061' }, outcome: 'done' },
  ]);
});

it('says so when the device is not connected, not known, or the request is not one', async () => {
  expect(await post('dust-01', { cn: '1011' })).toMatchObject({
    status: 409,
    body: { error: { code: 'ILLEGAL_TRANSITION' } },
  });
  expect((await post('nobody', { cn: '1011' })).status).toBe(404);
  const wrong = await post('dust-01', { cn: '1062', intervalS: 5 });
  expect(wrong).toMatchObject({ status: 400, body: { error: { problems: [{ path: 'intervalS' }] } } });
  for (const refused of [{ cn: '3020' }, { cn: '1011', more: 1 }, { cn: '1064', intervalMin: 7 }, {}])
    expect((await post('dust-01', refused)).status, JSON.stringify(refused)).toBe(400);
});

it('asks for a span that has an end', () => {
  const fetch = { cn: '2061', from: '2026-11-22T00:00:00+08:00', to: '2026-11-22T12:00:00+08:00' };
  expect(Hj212Request.safeParse(fetch).success).toBe(true);
  expect(Hj212Request.safeParse({ ...fetch, from: '2026-11-22T00:00:00' }).success).toBe(false);
  expect(Hj212Request.safeParse({ ...fetch, from: fetch.to, to: fetch.from }).success).toBe(false);
});

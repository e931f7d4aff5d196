import { afterEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../backbone/index.ts';
import { addPerson, PASSWORD } from '../testing/people.ts';
import { startTestProduct, type TestProductOptions, Visitor } from '../testing/product.ts';
import { demoAccessProblems } from './index.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import { isLoopbackHost, originRefusal } from './same-origin.ts';
import { Throttle } from './throttle.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function product(options: TestProductOptions = {}) {
  const made = await startTestProduct(options);
  opened.push(made);
  return made;
}

describe('the first start', () => {
  it('prints a link that makes the first account, once', async () => {
    const { url, alerting } = await product();
    const link = await alerting.firstSignInLink();
    const visitor = new Visitor(url);
    const page = await visitor.get(link!);
    expect(page.text).toContain('<form method="post" action="/sign-in">');
    expect(page.text).not.toMatch(/<script|style=|onclick/);
    expect(page.headers.get('referrer-policy')).toBe('same-origin');

    const form = { token: new URL(link!, url).searchParams.get('token')!, user: 'chief', password: PASSWORD };
    const send = (fields: Record<string, string>) =>
      visitor.post('/sign-in', new URLSearchParams(fields).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
      });
    const wrong = await send({ ...form, again: 'something else' });
    expect([wrong.status, wrong.text.includes('the same password twice')]).toEqual([400, true]);
    expect((await send({ ...form, password: 'short', again: 'short' })).status).toBe(400);

    const done = await send({ ...form, again: PASSWORD });
    expect([done.status, done.headers.get('location')]).toEqual([303, '/']);
    expect((await visitor.get('/api/session')).json).toMatchObject({
      user: 'chief',
      roles: ['administrator', 'duty-officer', 'reviewer', 'supervisor'],
      demo: false,
    });
    expect((await new Visitor(url).get(link!)).status).toBe(302);
    expect((await send({ ...form, user: 'second', again: PASSWORD })).code).toBe('FORBIDDEN');
    expect(await alerting.firstSignInLink()).toBeNull();
  });

  it('a newer link replaces the older one, and a made-up one is worth nothing', async () => {
    const { url, alerting } = await product();
    const old = await alerting.firstSignInLink();
    const next = await alerting.firstSignInLink();
    expect((await new Visitor(url).get(old!)).status).toBe(302);
    expect((await new Visitor(url).get('/sign-in?token=guess')).status).toBe(302);
    expect((await new Visitor(url).get(next!)).status).toBe(200);
  });
});

describe('signing in', () => {
  const wall = () => manualClock(Date.parse('2026-11-22T22:00:00+08:00'));

  it('gives a cookie that no script and no other site can use, and ends with signing out', async () => {
    const { url, db } = await product();
    await addPerson(db, 'li', ['reviewer']);
    const visitor = new Visitor(url);
    const signedIn = await visitor.post('/api/session', { user: 'li', password: PASSWORD });
    expect(signedIn.status).toBe(204);
    expect(signedIn.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await visitor.get('/api/session')).json).toMatchObject({ user: 'li', roles: ['reviewer'] });
    const { cookie } = visitor;
    await visitor.ask('DELETE', '/api/session');
    visitor.cookie = cookie;
    expect((await visitor.get('/api/session')).status).toBe(401);
    const stored = await db.selectFrom('alerting_sessions').selectAll().execute();
    expect(stored).toEqual([]);
  });

  it('the store holds no token that could be used', async () => {
    const { url, db } = await product();
    await addPerson(db, 'li', ['reviewer']);
    const visitor = new Visitor(url);
    await visitor.post('/api/session', { user: 'li', password: PASSWORD });
    const [row] = await db.selectFrom('alerting_sessions').selectAll().execute();
    expect(visitor.cookie).not.toContain(row?.token_hash);
  });

  it('wrong passwords lock the account for a while; an unknown user is told the same', async () => {
    const clock = wall();
    const { url, db } = await product({ wall: clock, config: { access: { lockAfter: 3, lockMinutes: 10 } } });
    await addPerson(db, 'li', ['reviewer']);
    const visitor = new Visitor(url);
    const attempt = (user: string, password: string) => visitor.post('/api/session', { user, password });
    const unknown = await attempt('nobody', 'x');
    const known = await attempt('li', 'x');
    expect([unknown.status, unknown.json]).toEqual([401, known.json]);
    await attempt('li', 'x');
    await attempt('li', 'x');
    expect((await attempt('li', PASSWORD)).code).toBe('TOO_MANY_REQUESTS');
    clock.advance(11 * 60_000);
    expect((await attempt('li', PASSWORD)).status).toBe(204);
    const audit = await db
      .selectFrom('alerting_audit')
      .select('after')
      .where('action', '=', 'sign-in.refused')
      .where('who', '=', 'li')
      .execute();
    expect(audit.map((row) => JSON.parse(row.after ?? '').reason)).toEqual([
      'wrong-password',
      'wrong-password',
      'wrong-password',
      'locked',
    ]);
  });

  it('a session ends when idle, however much is done before', async () => {
    const clock = wall();
    const { url, db } = await product({
      wall: clock,
      config: { access: { idleMinutes: 30, longestHours: 1 } },
    });
    await addPerson(db, 'li', ['reviewer']);
    const visitor = new Visitor(url);
    const signIn = () => visitor.post('/api/session', { user: 'li', password: PASSWORD });
    await signIn();
    clock.advance(20 * 60_000);
    expect((await visitor.get('/api/session')).status).toBe(200);
    clock.advance(20 * 60_000);
    expect((await visitor.get('/api/session')).status).toBe(200);
    clock.advance(31 * 60_000);
    expect((await visitor.get('/api/session')).status).toBe(401);
    await signIn();
    for (let i = 0; i < 3; i++) {
      clock.advance(19 * 60_000);
      expect((await visitor.get('/api/session')).status).toBe(200);
    }
    clock.advance(5 * 60_000);
    expect((await visitor.get('/api/session')).status).toBe(401);
  });

  it('an administrator makes further accounts, each name once', async () => {
    const { url, db } = await product();
    await addPerson(db, 'admin', ['administrator']);
    const admin = new Visitor(url);
    await admin.post('/api/session', { user: 'admin', password: PASSWORD });
    const account = { user: 'wang', name: '王', roles: ['reviewer'], unit: 'u-linhe', password: PASSWORD };
    expect((await admin.post('/api/users', account)).status).toBe(204);
    expect((await admin.post('/api/users', account)).code).toBe('CONFLICT');
    expect((await admin.post('/api/users', { ...account, user: 'x', password: 'short' })).code).toBe(
      'REQUEST_INVALID',
    );
    const wang = new Visitor(url);
    await wang.post('/api/session', { user: 'wang', password: PASSWORD });
    expect((await wang.get('/api/session')).json).toMatchObject({ unit: 'u-linhe', roles: ['reviewer'] });
  });
});

describe('the demo', () => {
  it('signs in whoever comes from this machine, under a loopback name only', async () => {
    const { url, alerting } = await product({ config: { demoAccess: true } });
    const visitor = new Visitor(url);
    expect((await visitor.get('/api/session')).json).toMatchObject({ user: 'demo', demo: true });
    expect((await visitor.get('/api/users')).code).toBe('FORBIDDEN');
    expect(await alerting.firstSignInLink()).toBeNull();
  });

  it('is refused where others could reach the server', () => {
    expect(demoAccessProblems(true, '0.0.0.0')).toMatchObject([{ path: 'alerting.demoAccess' }]);
    for (const host of ['127.0.0.1', '::1', 'localhost']) expect(demoAccessProblems(true, host)).toEqual([]);
    expect(demoAccessProblems(false, '0.0.0.0')).toEqual([]);
  });

  it('does not answer to a name that a page elsewhere points at this machine', () => {
    expect(isLoopbackHost('127.0.0.1:8080')).toBe(true);
    expect(isLoopbackHost('[::1]:8080')).toBe(true);
    for (const host of ['evil.example:8080', '127.0.0.1.evil.example', 'localhost.evil.example', undefined]) {
      expect(isLoopbackHost(host)).toBe(false);
    }
  });
});

describe('the pieces', () => {
  it('passwords: right and wrong, and no two hashes alike', async () => {
    const hash = await hashPassword(PASSWORD);
    expect(await verifyPassword(PASSWORD, hash)).toBe(true);
    expect(await verifyPassword(`${PASSWORD} `, hash)).toBe(false);
    expect(await verifyPassword(PASSWORD, 'md5$x')).toBe(false);
    expect(await hashPassword(PASSWORD)).not.toBe(hash);
  });

  it('origin: own site, stated or not', () => {
    const own = 'https://qly.example';
    expect(originRefusal({ origin: 'https://qly.example', host: 'qly.example' }, own)).toBeNull();
    expect(originRefusal({ host: 'qly.example' }, own)).toBeNull();
    expect(originRefusal({ origin: 'null', 'sec-fetch-site': 'same-origin' }, own)).toBeNull();
    expect(originRefusal({ origin: 'null', host: 'qly.example' }, own)).toBe('other-origin');
    expect(originRefusal({ 'sec-fetch-site': 'same-site' }, own)).toBe('cross-site');
  });

  it('throttle: so many a minute for each address', () => {
    const throttle = new Throttle(2);
    expect([0, 1, 2].map((t) => throttle.allow('a', t))).toEqual([true, true, false]);
    expect(throttle.allow('b', 2)).toBe(true);
    expect(throttle.allow('a', 60_000)).toBe(true);
  });
});

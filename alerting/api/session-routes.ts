import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../backbone/index.ts';
import { QianliyanError } from '../../contracts/index.ts';
import { type Accounts, COOKIE, type Sessions } from '../access/index.ts';
import { addRoute } from './route.ts';
import * as s from './schemas.ts';
import { setSessionCookie } from './sign-in.ts';

export interface SessionRouteParts {
  accounts: Accounts;
  sessions: Sessions;
  clock: Clock;
  utcOffsetMinutes: number;
  secure: boolean;
}

/** Signing in and out, and the accounts. */
export function sessionRoutes(app: FastifyInstance, parts: SessionRouteParts): void {
  const { accounts, sessions, clock, utcOffsetMinutes, secure } = parts;

  addRoute(
    app,
    { method: 'POST', url: '/api/session', summary: 'Sign in', body: s.SignIn, answer: null },
    async ({ body, request, reply }) => {
      const caller = await accounts.check(body.user, body.password, request.ip);
      // A session from before the sign-in could have been planted: it ends.
      const old = request.cookies[COOKIE];
      if (old !== undefined) await sessions.end(old);
      setSessionCookie(reply, await sessions.begin(caller.user), sessions.longestS, secure);
    },
  );
  addRoute(
    app,
    { method: 'GET', url: '/api/session', summary: 'Who is signed in', answer: s.Session },
    ({ request }) => {
      if (request.caller === null) throw new QianliyanError('NOT_SIGNED_IN', 'no session');
      return { ...request.caller, clock: { now: clock.now(), speed: clock.speed, utcOffsetMinutes } };
    },
  );
  addRoute(
    app,
    { method: 'DELETE', url: '/api/session', summary: 'Sign out', answer: null },
    async ({ request, reply }) => {
      const token = request.cookies[COOKIE];
      if (token !== undefined) await sessions.end(token);
      reply.clearCookie(COOKIE, { path: '/' });
    },
  );
  addRoute(app, { method: 'GET', url: '/api/users', summary: 'Accounts', answer: s.Accounts }, async () => ({
    items: await accounts.list(),
  }));
  addRoute(
    app,
    { method: 'POST', url: '/api/users', summary: 'Make an account', body: s.NewAccount, answer: null },
    ({ body, request }) => accounts.create(body, { who: request.caller?.user ?? '', via: request.ip }),
  );
}

// For its types: `request.cookies`.
import type {} from '@fastify/cookie';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../../backbone/index.ts';
import { QianliyanError } from '../../contracts/index.ts';
import { appendAudit } from '../audit/index.ts';
import type { AlertingConfig } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { Db } from '../store/tables.ts';
import { accessOf, type Caller, refusalFor } from './roles.ts';
import { isLoopbackAddress, isLoopbackHost, originRefusal } from './same-origin.ts';
import type { Sessions } from './sessions.ts';

export const COOKIE = 'ql_session';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the request; null = nobody is signed in. */
    caller: Caller | null;
  }
}

export interface GuardParts {
  db: Db;
  clock: Clock;
  metrics: Metrics;
  config: AlertingConfig;
  sessions: Sessions;
}

const CHANGING = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

const DEMO_CALLER: Caller = {
  user: 'demo',
  name: '演示审核员 / Demo reviewer',
  roles: ['duty-officer', 'reviewer', 'supervisor'],
  unit: null,
  demo: true,
};

/**
 * The one place that lets requests in. It runs before the body is read, for every route of the server that is registered
 * after it: who is it (cookie, or the demo), is it forged (origin), may they (table of roles.ts). Refusals to people who
 * are known are audited; those to strangers are counted only, else they could fill the disk.
 */
export function addGuard(app: FastifyInstance, parts: GuardParts): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    const pattern = request.routeOptions.url ?? '';
    const forged = CHANGING.has(request.method)
      ? originRefusal(request.headers, parts.config.publicUrl)
      : null;
    const access = accessOf(request.method, pattern);
    request.caller = access === 'public' && forged === null ? null : await callerOf(request, parts);
    if (forged !== null) await refuse(request, parts, forged);
    const refusal = refusalFor(access, request.caller);
    if (refusal === 'not-signed-in') {
      parts.metrics.refusals.inc({ reason: refusal });
      throw new QianliyanError('NOT_SIGNED_IN', `${request.method} ${pattern}`);
    }
    if (refusal !== null) await refuse(request, parts, refusal);
  });
}

async function callerOf(request: FastifyRequest, { sessions, config }: GuardParts): Promise<Caller | null> {
  const token = request.cookies[COOKIE];
  const caller = token === undefined ? null : await sessions.callerOf(token);
  return caller ?? (config.demoAccess && isFromHere(request) ? DEMO_CALLER : null);
}

function isFromHere(request: FastifyRequest): boolean {
  return isLoopbackAddress(request.socket.remoteAddress) && isLoopbackHost(request.headers.host);
}

async function refuse(request: FastifyRequest, parts: GuardParts, reason: string): Promise<never> {
  const { caller, method, routeOptions } = request;
  const subject = `${method} ${routeOptions.url ?? ''}`;
  parts.metrics.refusals.inc({ reason });
  if (caller !== null) {
    const entry = { who: caller.user, via: request.ip, action: 'access.refused', subject, after: { reason } };
    await parts.db.transaction().execute((tx) => appendAudit(tx, parts.clock.now(), [entry]));
  }
  throw new QianliyanError('FORBIDDEN', `${subject} (${reason})`);
}

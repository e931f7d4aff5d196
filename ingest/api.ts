import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { addRoute } from '../backbone/route.ts';
import { QianliyanError, QuarantineEntry } from '../contracts/index.ts';
import type { Ingest } from './ingest.ts';
import { LivenessState, LivenessSummary } from './liveness-words.ts';
import { ListQuery, QuarantineSummary } from './quarantine-look.ts';
import { notThere } from './quarantine-resolve.ts';
import { RerunReport, RerunRequest } from './rerun-report.ts';
import { DeviceStatus } from './status.ts';

const params = z.strictObject({ id: z.string().max(200) });
const Dismissal = z.strictObject({ reason: z.string().trim().min(1).max(500) });
const StatusQuery = z.strictObject({
  state: LivenessState,
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
  after: z.string().max(200).default('').describe('Goes on behind this id'),
});
const Entries = z.strictObject({ items: z.array(QuarantineEntry), next: z.string().nullable() });
const Ids = z.strictObject({ items: z.array(z.string()), next: z.string().nullable() });

type Parts = Pick<Ingest, 'quarantine' | 'rerun' | 'rerunOne' | 'dismiss' | 'status'>;

/**
 * GET  /api/quarantine               entries, newest first: reason, device, state, since, until, text; `before` goes on
 * GET  /api/quarantine/summary       how many by reason, and what became of them
 * GET  /api/quarantine/:id           one entry
 * GET  /api/quarantine/:id/raw       its bytes as they came, never shown by a browser: they are somebody else's
 * POST /api/quarantine/rerun         {ids | device | name | reason …, limit}: once more, as of when they came
 * POST /api/quarantine/:id/rerun     the same for one
 * POST /api/quarantine/:id/dismiss   {reason}: nothing is to be done; it stays on record
 * GET  /api/devices/:id/status       online, silent, gone; clock; newest reading
 * GET  /api/devices/status/summary   how many devices are in which state
 * GET  /api/devices/status/list      ids of those in one `state`
 * Sessions and roles are checked before these routes, for all of /api.
 */
export function ingestApi(parts: Parts) {
  return async (app: FastifyInstance): Promise<void> => {
    lookRoutes(app, parts);
    resolveRoutes(app, parts);
    statusRoutes(app, parts);
  };
}

function lookRoutes(app: FastifyInstance, { quarantine }: Parts): void {
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/quarantine',
      summary: 'Messages that were not taken, newest first',
      query: ListQuery,
      answer: Entries,
    },
    async ({ query }) => {
      const items = await quarantine.list(query);
      return { items, next: items.length === query.limit ? (items.at(-1)?.id ?? null) : null };
    },
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/quarantine/summary',
      summary: 'How many messages were not taken, by reason, and what became of them',
      answer: QuarantineSummary,
    },
    () => quarantine.summary(),
  );
  addRoute(
    app,
    { method: 'GET', url: '/api/quarantine/:id', summary: 'One of them', params, answer: QuarantineEntry },
    async ({ params: { id } }) => (await quarantine.get(id)) ?? Promise.reject(notThere(id)),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/quarantine/:id/raw',
      summary: 'Its bytes as they came',
      params,
      answer: null,
      mediaType: 'application/octet-stream',
    },
    async ({ params: { id }, reply }) => {
      const raw = await quarantine.raw(id);
      if (raw === null) throw notThere(id);
      reply.header('content-disposition', `attachment; filename="${id}.bin"`);
      return reply.type('application/octet-stream').send(raw);
    },
  );
}

function resolveRoutes(app: FastifyInstance, { rerun, rerunOne, dismiss }: Parts): void {
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/quarantine/rerun',
      summary: 'Run messages again as of when they came, after the registry was put right',
      body: RerunRequest,
      answer: RerunReport,
    },
    ({ body, request }) => rerun(notEverything(body), whoAsks(request)),
  );
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/quarantine/:id/rerun',
      summary: 'Run one message again',
      params,
      answer: RerunReport,
    },
    ({ params: { id }, request }) => rerunOne(id, whoAsks(request)),
  );
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/quarantine/:id/dismiss',
      summary: 'Nothing is to be done about it; it stays on record',
      params,
      body: Dismissal,
      answer: QuarantineEntry,
    },
    ({ params: { id }, body: { reason }, request }) => dismiss(id, { by: whoAsks(request), reason }),
  );
}

function statusRoutes(app: FastifyInstance, { status }: Parts): void {
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices/:id/status',
      summary: 'How a device is: liveness, clock, newest reading',
      params,
      answer: DeviceStatus,
    },
    ({ params: { id } }) => status.of(id),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices/status/summary',
      summary: 'How many devices are online, silent, gone, or were never heard',
      answer: LivenessSummary,
    },
    async () => status.summary(),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices/status/list',
      summary: 'Ids of the devices in one state',
      query: StatusQuery,
      answer: Ids,
    },
    async ({ query: { state, limit, after } }) => {
      const items = status.list(state, limit, after);
      return { items, next: items.length === limit ? (items.at(-1) ?? null) : null };
    },
  );
}

/** Everything that waits, for whatever reason: nobody means that by an empty body. */
function notEverything(request: z.output<typeof RerunRequest>): z.output<typeof RerunRequest> {
  const { limit: _limit, after: _after, ...which } = request;
  if (Object.values(which).some((one) => one !== undefined)) return request;
  const problems = [{ path: '', found: {}, allowed: 'ids, device, name, reason, since, until or text' }];
  throw new QianliyanError('REQUEST_INVALID', 'say which entries are to run again', { problems });
}

/** Who is signed in: put there by the guard of /api, which this folder does not know. */
function whoAsks(request: FastifyRequest): string {
  const caller: unknown = Reflect.get(request, 'caller');
  const user: unknown = typeof caller === 'object' && caller !== null ? Reflect.get(caller, 'user') : null;
  return typeof user === 'string' ? user : 'unknown';
}

import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parse } from '../backbone/validation.ts';
import { QianliyanError, QuarantineReason } from '../contracts/index.ts';
import type { Quarantine } from './quarantine.ts';

const ListQuery = z.strictObject({
  reason: QuarantineReason.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  before: z.string().max(64).optional(),
});

const Params = z.strictObject({ id: z.string().max(64) });

/**
 * GET /api/quarantine            entries, newest first; `before` goes on behind an id
 * GET /api/quarantine/:id        one entry
 * GET /api/quarantine/:id/raw    its bytes as they came, never shown by a browser: they are somebody else's
 */
export function ingestApi(deps: { quarantine: Quarantine }) {
  const { quarantine } = deps;
  return async (app: FastifyInstance): Promise<void> => {
    app.get('/api/quarantine', async (request) => {
      const { reason, limit, before } = parse(ListQuery, request.query);
      const query = { limit, ...(reason && { reason }), ...(before && { before }) };
      const items = await quarantine.list(query);
      return { items, next: items.length === limit ? (items.at(-1)?.id ?? null) : null };
    });

    app.get('/api/quarantine/:id', async (request) => {
      const { id } = parse(Params, request.params);
      const entry = await quarantine.get(id);
      if (entry === null) throw notThere(id);
      return entry;
    });

    app.get('/api/quarantine/:id/raw', async (request, reply) => {
      const { id } = parse(Params, request.params);
      const raw = await quarantine.raw(id);
      if (raw === null) throw notThere(id);
      return reply
        .header('content-disposition', `attachment; filename="${id}.bin"`)
        .type('application/octet-stream')
        .send(raw);
    });
  };
}

function notThere(id: string): QianliyanError {
  return new QianliyanError('NOT_FOUND', `no entry ${id} in quarantine: it never was, or had to make room`);
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { parse } from './validation.ts';

/** What a route takes and answers: validated on the way in, and written into the OpenAPI document. */
export interface RouteSpec<P = unknown, Q = unknown, B = unknown> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Fastify's pattern: `/api/alerts/:id`. */
  url: string;
  summary: string;
  params?: z.ZodType<P>;
  query?: z.ZodType<Q>;
  body?: z.ZodType<B>;
  /** Media types of a body that is not JSON of a schema; `handle` reads `request.body` itself. */
  consumes?: readonly string[];
  /** Largest body in bytes, where the server's own limit does not fit. */
  bodyLimit?: number;
  /** Null: 204, or an answer that is not JSON (`mediaType`). */
  answer: z.ZodType | null;
  mediaType?: string;
  /** Status of success. Default 200, or 204 without an answer. */
  status?: number;
}

export interface Asked<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  request: FastifyRequest;
  reply: FastifyReply;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Description for the OpenAPI document. */
    spec?: RouteSpec;
  }
}

/** Registers a route; its inputs are checked strictly before `handle` sees them. */
export function addRoute<P, Q, B>(
  app: FastifyInstance,
  spec: RouteSpec<P, Q, B>,
  handle: (asked: Asked<P, Q, B>) => unknown,
): void {
  app.route({
    method: spec.method,
    url: spec.url,
    config: { spec: spec as RouteSpec },
    ...(spec.bodyLimit !== undefined && { bodyLimit: spec.bodyLimit }),
    handler: async (request, reply) => {
      const asked = {
        params: checked(spec.params, request.params, 'path'),
        query: checked(spec.query, request.query, 'query'),
        body: checked(spec.body, request.body ?? {}, ''),
        request,
        reply,
      };
      const answer = await handle(asked);
      if (reply.sent) return reply;
      if (spec.answer === null && spec.mediaType === undefined) return reply.code(spec.status ?? 204).send();
      if (spec.status !== undefined) reply.code(spec.status);
      return answer;
    },
  });
}

function checked<T>(schema: z.ZodType<T> | undefined, value: unknown, prefix: string): T {
  // Without a schema nothing is taken from there, so there is nothing to check.
  return schema === undefined ? (undefined as T) : parse(schema, value, { prefix });
}

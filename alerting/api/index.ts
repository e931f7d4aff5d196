import cookie from '@fastify/cookie';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { addGuard, type GuardParts } from '../access/index.ts';
import { type CaseRouteParts, caseRoutes } from './case-routes.ts';
import { type DataRouteParts, dataRoutes } from './data-routes.ts';
import { type SessionRouteParts, sessionRoutes } from './session-routes.ts';
import { type SignInParts, signInPages } from './sign-in.ts';

/**
 * The HTTP API of the product.
 *
 *   request ─▶ guard (access/) ─▶ strict zod schemas ─▶ handler ─▶ records of contracts/ as JSON
 *                                      └──────────▶ OpenAPI 3.1 document
 */
export type ApiParts = GuardParts & SessionRouteParts & SignInParts & CaseRouteParts & DataRouteParts;

/**
 * The plugin that `cli/` registers on the server, before those of the other stages: its guard holds for all routes that
 * are registered after it.
 */
export function apiPlugin(parts: ApiParts): FastifyPluginAsync {
  const plugin: FastifyPluginAsync = async (app) => {
    await app.register(cookie);
    app.addHook('onRoute', (route) => parts.openApi.see(route));
    addGuard(app, parts);
    sessionRoutes(app, parts);
    caseRoutes(app, parts);
    dataRoutes(app, parts);
    await app.register((inner: FastifyInstance) => signInPages(inner, parts));
  };
  // Without this mark fastify would keep the guard inside the plugin, and other stages' routes would be open.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

export { EventStream } from './event-stream.ts';
export { OpenApi } from './openapi.ts';
export { ownCounts } from './queries.ts';
export type { Counts } from './schemas.ts';
export { consoleFiles } from './static.ts';

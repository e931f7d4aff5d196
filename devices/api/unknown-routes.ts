import type { FastifyInstance } from 'fastify';
import { addRoute } from '../../backbone/route.ts';
import { QianliyanError } from '../../contracts/index.ts';
import { type AdoptDeps, adopt } from '../registry/adopt.ts';
import type { Registry } from '../registry/registry.ts';
import { propertiesSeen, type Stranger, type Strangers } from '../registry/unknown.ts';
import { authorOf, shown } from './asked.ts';
import * as s from './schemas.ts';

export interface UnknownRouteDeps {
  registry: Registry;
  strangers?: Strangers;
  rerun?: NonNullable<AdoptDeps['rerun']>;
}

/** Who spoke and is not registered. */
export function unknownRoutes(app: FastifyInstance, { registry, strangers, rerun }: UnknownRouteDeps): void {
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/unknown-devices',
      summary: 'Names that spoke and are not in the registry, the last seen first',
      query: s.StrangersQuery,
      answer: s.StrangersAnswer,
    },
    ({ query: { dismissed, limit } }) => {
      const all = strangers?.list({ dismissed: dismissed === 'true' }) ?? [];
      return { items: all.slice(0, limit).map(strangerAnswer), total: all.length };
    },
  );
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/unknown-devices/:name/adopt',
      summary: 'Makes a device of it, and runs what it said again out of quarantine',
      params: s.StrangerParams,
      body: s.AdoptBody,
      answer: s.AdoptAnswer,
      status: 201,
    },
    async ({ params: { name }, body, request }) => {
      const deps = { registry, strangers: required(strangers, name), ...(rerun && { rerun }) };
      const adopted = await adopt(deps, name, body, authorOf(request));
      return { ...adopted, device: shown(registry, adopted.device) };
    },
  );
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/unknown-devices/:name/dismiss',
      summary: 'Hides a name, however much it goes on speaking; {"dismissed": false} shows it again',
      params: s.StrangerParams,
      body: s.DismissBody,
      answer: null,
    },
    ({ params: { name }, body }) => required(strangers, name).dismiss(name, body.dismissed),
  );
}

function required(strangers: Strangers | undefined, name: string): Strangers {
  if (strangers === undefined) throw new QianliyanError('NOT_FOUND', `no unknown device ${name} was seen`);
  return strangers;
}

function strangerAnswer(stranger: Stranger) {
  const { payload } = stranger;
  return { ...stranger, payload: payload.toString('base64'), properties: propertiesSeen(payload) };
}

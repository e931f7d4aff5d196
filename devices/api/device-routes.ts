import type { FastifyInstance } from 'fastify';
import { addRoute } from '../../backbone/route.ts';
import { QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import type { Registry } from '../registry/registry.ts';
import { isObject } from '../registry/templates.ts';
import { answerDevice, authorOf, shown, there, versionMeant } from './asked.ts';
import * as s from './schemas.ts';

/** Devices one by one: read at any time of their past, written with the version that the writer has seen. */
export function deviceRoutes(app: FastifyInstance, registry: Registry): void {
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices',
      summary: 'Devices in the order of their ids, page by page',
      query: s.ListQuery,
      answer: s.ListAnswer,
    },
    ({ query }) => pageOf(registry, query),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices/:id',
      summary: 'One device, as it is or as it was; its version is the ETag',
      params: s.DeviceId,
      query: s.AtQuery,
      answer: s.DeviceAnswer,
    },
    ({ params: { id }, query: { at }, reply }) =>
      answerDevice(reply, registry, there(at === undefined ? registry.get(id) : registry.at(id, at), id)),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices/:id/versions',
      summary: 'All versions, oldest first: when, by whom, and what each changed',
      params: s.DeviceId,
      answer: s.VersionsAnswer,
    },
    async ({ params: { id } }) => {
      there(registry.get(id), id);
      return { items: await registry.versionInfos(id) };
    },
  );
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/devices',
      summary: 'A new device (201), or a new version of one that is there (200)',
      body: s.DeviceBody,
      answer: s.DeviceAnswer,
    },
    async ({ body, request, reply }) => {
      const isNew = registry.get(body.id) === undefined;
      const device = await registry.upsert(body, optionsOf(request));
      reply.code(isNew ? 201 : 200);
      return answerDevice(reply, registry, device);
    },
  );
  addRoute(
    app,
    {
      method: 'PUT',
      url: '/api/devices/:id',
      summary: 'Replaces a device, or adds it; with If-Match only the version that it names (else 409)',
      params: s.DeviceId,
      body: s.DeviceBody.partial({ id: true }),
      answer: s.DeviceAnswer,
    },
    async ({ params: { id }, body, request, reply }) => {
      sameId(body.id, id);
      const device = await registry.upsert({ ...body, id }, optionsOf(request));
      return answerDevice(reply, registry, device);
    },
  );
  addRoute(
    app,
    {
      method: 'PATCH',
      url: '/api/devices/:id',
      summary:
        'Changes fields of a device (JSON Merge Patch); with If-Match only the version that it names (else 409)',
      params: s.DeviceId,
      body: s.DevicePatch,
      answer: s.DeviceAnswer,
    },
    async ({ params: { id }, body, request, reply }) => {
      sameId(body.id, id);
      const now = there(registry.get(id), id);
      const { version, since: _since, ...device } = now;
      // Without If-Match the patch is meant for what it was laid over, else another's change would be undone.
      const options = { ifVersion: version, ...optionsOf(request) };
      return answerDevice(reply, registry, await registry.upsert(merged(device, body), options));
    },
  );
}

function optionsOf(request: Parameters<typeof versionMeant>[0]) {
  const ifVersion = versionMeant(request);
  return { author: authorOf(request), ...(ifVersion !== undefined && { ifVersion }) };
}

function sameId(said: unknown, id: string): void {
  if (said === undefined || said === id) return;
  const problems = [{ path: 'id', found: said, allowed: `${id}, as in the address; an id never changes` }];
  throw new QianliyanError('REQUEST_INVALID', 'the body is about another device', { problems });
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else result[field] = merged(result[field], value);
  }
  return result;
}

/** Walks in order and stops at the end of the page: no page costs a sort of all. */
function pageOf(registry: Registry, query: s.ListQuery) {
  const wanted = filterOf(registry, query);
  const found: RegisteredDevice[] = [];
  for (const device of registry.sorted(query.after)) {
    if (!wanted(device)) continue;
    found.push(device);
    if (found.length > query.limit) break;
  }
  const items = found.slice(0, query.limit).map((device) => shown(registry, device));
  return {
    items,
    next: found.length > query.limit ? (items.at(-1)?.id ?? null) : null,
    total: registry.size,
  };
}

function filterOf(registry: Registry, { kind, site, template, gateway, hasAddress, q }: s.ListQuery) {
  const text = q?.toLowerCase();
  return (device: RegisteredDevice): boolean =>
    (kind === undefined || device.kind === kind) &&
    (site === undefined || device.site === site) &&
    (template === undefined || registry.templateOf(device.id)?.name === template) &&
    (gateway === undefined || device.gateway === gateway) &&
    (hasAddress === undefined || device.addresses.length > 0 === (hasAddress === 'true')) &&
    (text === undefined || textsOf(device).some((t) => t.toLowerCase().includes(text)));
}

function textsOf({ id, name, model, regulatedParty: party, addresses }: RegisteredDevice): string[] {
  return [id, name.zh, name.en, model, party?.name ?? '', party?.uscc ?? '', ...addresses];
}

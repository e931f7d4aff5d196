import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parse } from '../backbone/validation.ts';
import { QianliyanError, type RegisteredDevice } from '../contracts/index.ts';
import { listFormat, readDeviceList } from './registry/device-list.ts';
import type { ImportReport, Registry } from './registry/registry.ts';

/** A list of 100,000 devices. */
const IMPORT_BYTES = 64 * 1_048_576;

const ListQuery = z.strictObject({
  kind: z.enum(['sensor', 'camera']).optional(),
  site: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
  /** Goes on behind this id. */
  after: z.string().default(''),
});
const ByTime = z.strictObject({ at: z.coerce.number().int().optional() });
const Params = z.strictObject({ id: z.string().max(64) });
const ImportQuery = z.strictObject({ partial: z.enum(['true', 'false']).default('false') });
const Password = z.strictObject({ password: z.string().min(8).max(256).optional() });

/**
 * GET  /api/devices                 {items, next, total}, by id; `kind`, `site`, `limit`, `after`
 * GET  /api/devices/:id             the device; `at` (epoch ms): the version that held then
 * GET  /api/devices/:id/versions    {items}, oldest first
 * POST /api/devices                 DeviceInput (may name a `template`): a new device, or a new version
 * POST /api/devices/import          YAML, JSON or CSV by content type; all or nothing, or `partial=true`
 * POST /api/devices/:id/password    {password?}: the password, shown this once
 * Sessions and roles are checked before these routes, for all of /api.
 */
export function devicesApi({ registry }: { registry: Registry }) {
  return async (app: FastifyInstance): Promise<void> => {
    // Lists come as text; fastify by itself reads JSON only.
    const asText = { parseAs: 'string', bodyLimit: IMPORT_BYTES } as const;
    for (const type of ['text/csv', 'text/yaml', 'application/yaml', 'text/plain']) {
      if (app.hasContentTypeParser(type)) app.removeContentTypeParser(type);
      app.addContentTypeParser(type, asText, (_request, body, done) => done(null, body));
    }

    app.get('/api/devices', async (request) => {
      const { kind, site, limit, after } = parse(ListQuery, request.query);
      const wanted = [...registry.all()].filter(
        (d) =>
          d.id > after && (kind === undefined || d.kind === kind) && (site === undefined || d.site === site),
      );
      const items = wanted.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
      return { items, next: wanted.length > limit ? (items.at(-1)?.id ?? null) : null, total: registry.size };
    });

    app.get('/api/devices/:id', async (request) => {
      const { id } = parse(Params, request.params);
      const { at } = parse(ByTime, request.query);
      return there(at === undefined ? registry.get(id) : registry.at(id, at), id);
    });

    app.get('/api/devices/:id/versions', async (request) => {
      const { id } = parse(Params, request.params);
      there(registry.get(id), id);
      return { items: registry.versions(id) };
    });

    app.post('/api/devices', async (request, reply) => {
      const isNew = registry.get(String(Reflect.get(Object(request.body), 'id'))) === undefined;
      const device = await registry.upsert(request.body);
      return reply.code(isNew ? 201 : 200).send(device);
    });

    app.post('/api/devices/import', { bodyLimit: IMPORT_BYTES }, (request): Promise<ImportReport> => {
      const { partial } = parse(ImportQuery, request.query);
      return registry.import(rowsOf(request), { partial: partial === 'true' });
    });

    app.post('/api/devices/:id/password', async (request) => {
      const { id } = parse(Params, request.params);
      const { password } = parse(Password, request.body ?? {});
      return { device: id, password: await registry.setPassword(id, password) };
    });
  };
}

function there(device: RegisteredDevice | undefined, id: string): RegisteredDevice {
  if (device === undefined) throw new QianliyanError('NOT_FOUND', `no device ${id} in the registry`);
  return device;
}

function rowsOf(request: FastifyRequest): unknown[] {
  const { body } = request;
  if (typeof body === 'string')
    return readDeviceList(body, listFormat(request.headers['content-type'] ?? ''));
  return readDeviceList(JSON.stringify(body ?? null), 'json');
}

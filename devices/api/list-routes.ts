import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { addRoute } from '../../backbone/route.ts';
import { type DeviceList, listFormat, listOf, readDeviceList } from '../registry/device-list.ts';
import { EXPORT_TYPES, exportDevices } from '../registry/export.ts';
import type { Registry } from '../registry/registry.ts';
import { textOf } from '../registry/text-encoding.ts';
import { authorOf } from './asked.ts';
import * as s from './schemas.ts';

/** A list of 100,000 devices. */
const IMPORT_BYTES = 64 * 1_048_576;
const TEXT_TYPES = ['text/csv', 'text/yaml', 'application/yaml', 'text/plain'];

/** Whole lists in and out; what goes out changes nothing when it comes in again. */
export function listRoutes(app: FastifyInstance, registry: Registry): void {
  // Lists come as bytes, whose character set is found out here; fastify by itself reads JSON only.
  for (const type of TEXT_TYPES) {
    if (app.hasContentTypeParser(type)) app.removeContentTypeParser(type);
    app.addContentTypeParser(type, { parseAs: 'buffer', bodyLimit: IMPORT_BYTES }, (_request, body, done) =>
      done(null, body),
    );
  }
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/devices/import',
      summary: 'Takes a list by its content type (CSV, YAML, JSON): all of it or nothing, unless `partial`',
      query: s.ImportQuery,
      consumes: ['application/json', ...TEXT_TYPES],
      bodyLimit: IMPORT_BYTES,
      answer: s.ImportAnswer,
    },
    ({ query: { partial, charset }, request }) => {
      const { rows, places } = listIn(request, charset);
      return registry.import(rows, { partial: partial === 'true', author: authorOf(request), places });
    },
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices/export',
      summary: 'All devices as a list that can be imported again',
      query: s.ExportQuery,
      answer: null,
      mediaType: 'application/octet-stream',
    },
    ({ query: { format }, reply }) => {
      reply.type(EXPORT_TYPES[format]);
      reply.header('content-disposition', `attachment; filename="devices.${format}"`);
      return reply.send(Readable.from(exportDevices(registry, format)));
    },
  );
}

function listIn({ body, headers }: FastifyRequest, given: string | undefined): DeviceList {
  if (!Buffer.isBuffer(body)) return listOf(body ?? null);
  const type = headers['content-type'] ?? '';
  const charset = given ?? /charset="?([\w-]+)/i.exec(type)?.[1];
  return readDeviceList(textOf(body, charset), listFormat(type));
}

import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import { ACCESS, type Access } from '../access/index.ts';
import type { RouteSpec } from './route.ts';
import { schemaNames } from './schemas.ts';

/**
 * The OpenAPI 3.1 document, made from the routes that the server really has and the schemas that really check them.
 * Routes of other stages appear by method, path and rights; with their schemas once they state a `spec`.
 */
export class OpenApi {
  readonly #routes: { method: string; url: string; spec: RouteSpec | undefined }[] = [];
  readonly #version: string;
  #document: unknown = null;

  constructor(version: string) {
    this.#version = version;
  }

  /** To be called for each route of the server (fastify's `onRoute`). */
  see(route: RouteOptions): void {
    this.#document = null;
    for (const method of [route.method].flat()) {
      if (method !== 'HEAD' && route.url.startsWith('/api/')) {
        this.#routes.push({ method, url: route.url, spec: route.config?.spec });
      }
    }
  }

  document(): unknown {
    this.#document ??= this.#build();
    return this.#document;
  }

  #build(): unknown {
    const paths: Record<string, Record<string, unknown>> = {};
    for (const { method, url, spec } of this.#routes) {
      const path = url.replaceAll(/:(\w+)/g, '{$1}');
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(method, url, spec) };
    }
    return {
      openapi: '3.1.0',
      info: {
        title: 'Qianliyan (千里眼)',
        version: this.#version,
        description:
          'Times are epoch milliseconds unless a field says otherwise; coordinates are WGS 84 [lon, lat].',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      paths,
      components: {
        schemas: components(),
        securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'ql_session' } },
      },
    };
  }
}

const reference = (id: string) => `#/components/schemas/${id}`;

function components(): Record<string, unknown> {
  const { schemas } = z.toJSONSchema(schemaNames, { uri: reference, unrepresentable: 'any', io: 'output' });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutHead(schema)]));
}

function operation(method: string, url: string, spec: RouteSpec | undefined) {
  const access = ACCESS[`${method} ${url}`];
  return {
    operationId: operationId(method, url),
    summary: spec?.summary ?? `${method} ${url}`,
    description: rights(access),
    ...(access !== 'public' && { security: [{ session: [] }] }),
    parameters: [
      ...(spec?.params ? parameters(spec.params, 'path') : undeclared(url)),
      ...(spec?.query ? parameters(spec.query, 'query') : []),
    ],
    ...requestBody(spec),
    responses: { ...success(spec), default: { description: 'Refused', content: jsonOf(reference('Error')) } },
  };
}

function requestBody(spec: RouteSpec | undefined) {
  if (spec?.body === undefined && spec?.consumes === undefined) return {};
  const json = spec.body && { 'application/json': { schema: schemaOf(spec.body, 'input') } };
  const others = Object.fromEntries((spec.consumes ?? []).map((type) => [type, {}]));
  return { requestBody: { required: true, content: { ...others, ...json } } };
}

function success(spec: RouteSpec | undefined) {
  if (spec === undefined) return { 200: { description: 'Done' } };
  const status = spec.status ?? (spec.answer === null && spec.mediaType === undefined ? 204 : 200);
  if (spec.answer !== null) {
    return {
      [status]: {
        description: spec.summary,
        content: { 'application/json': { schema: schemaOf(spec.answer, 'output') } },
      },
    };
  }
  const content = spec.mediaType === undefined ? {} : { content: { [spec.mediaType]: {} } };
  return { [status]: { description: spec.summary, ...content } };
}

function jsonOf(ref: string) {
  return { 'application/json': { schema: { $ref: ref } } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const id = schemaNames.get(schema)?.id;
  if (id !== undefined) return { $ref: reference(id) };
  return withoutHead(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
}

function parameters(schema: z.ZodType, where: 'path' | 'query') {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
}

function undeclared(url: string) {
  return [...url.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

/** `postAlertsIdAcknowledge` */
function operationId(method: string, url: string): string {
  const words = url.replace('/api/', '').split(/[^A-Za-z0-9]+/);
  return method.toLowerCase() + words.map((w) => w.charAt(0).toUpperCase() + w.slice(1)).join('');
}

function rights(access: Access | undefined): string {
  if (access === 'public') return 'For everybody.';
  if (access === 'signed-in') return 'For everybody who is signed in.';
  return access === undefined ? 'For nobody.' : `For: ${access.join(', ')}.`;
}

function withoutHead(schema: object): object {
  const { $schema: _schema, $id: _id, ...rest } = schema as Record<string, unknown>;
  return rest;
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import type { Author, Registry, TemplateMark } from '../registry/registry.ts';

/** What the routes have in common: who asks, which version is meant, and how a device is answered. */

/** The account that is signed in, as whoever guards /api has left it at the request. */
export function authorOf(request: FastifyRequest): Author {
  const user: unknown = Reflect.get(Object(Reflect.get(request, 'caller')), 'user');
  return { who: typeof user === 'string' ? user : 'api', via: request.ip };
}

export function there(device: RegisteredDevice | undefined, id: string): RegisteredDevice {
  if (device === undefined) throw new QianliyanError('NOT_FOUND', `no device ${id} in the registry`);
  return device;
}

/** RFC 9110, clause 13.1.1: the version that the change is meant for; undefined = whichever. */
export function versionMeant(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  const version = /^(?:W\/)?"?(\d{1,9})"?$/.exec(header)?.[1];
  if (version !== undefined) return Number(version);
  const problems = [{ path: 'If-Match', found: header, allowed: 'the ETag of the device, e.g. "3"' }];
  throw new QianliyanError('REQUEST_INVALID', 'If-Match names no version', { problems });
}

export type Shown = RegisteredDevice & { template: TemplateMark | null };

export function shown(registry: Registry, device: RegisteredDevice): Shown {
  return { ...device, template: registry.templateOf(device.id) };
}

/** With its version as ETag. */
export function answerDevice(reply: FastifyReply, registry: Registry, device: RegisteredDevice): Shown {
  reply.header('etag', `"${device.version}"`);
  return shown(registry, device);
}

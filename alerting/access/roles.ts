import { z } from 'zod';

/** What a person may be. Duties are kept apart: who manages accounts does not decide cases, unless given both roles. */
export const Role = z.enum(['duty-officer', 'reviewer', 'supervisor', 'administrator']);
export type Role = z.infer<typeof Role>;

/** Who makes a request. */
export interface Caller {
  user: string;
  name: string;
  roles: Role[];
  unit: string | null;
  demo: boolean;
}

/** Who may: everybody, who is signed in, or who has one of these roles. */
export type Access = 'public' | 'signed-in' | readonly Role[];

const ACTING: readonly Role[] = ['duty-officer', 'reviewer', 'supervisor'];
const OVERSEEING: readonly Role[] = ['supervisor', 'administrator'];

/**
 * The one table of who may do what. A route below /api that is not in it is refused to everybody, so that a forgotten
 * line is seen at once; a test walks every route as every role.
 */
export const ACCESS: Readonly<Record<string, Access>> = {
  'POST /api/session': 'public',
  'GET /api/session': 'signed-in',
  'DELETE /api/session': 'signed-in',
  'GET /api/openapi.json': 'public',
  'GET /api/alerts': 'signed-in',
  'GET /api/alerts/:id': 'signed-in',
  'POST /api/alerts/:id/acknowledge': ACTING,
  'GET /api/draft-cases': 'signed-in',
  'GET /api/draft-cases/:id': 'signed-in',
  'POST /api/draft-cases/:id/confirm': ['reviewer'],
  'POST /api/draft-cases/:id/dismiss': ['reviewer'],
  'GET /api/draft-cases/:id/evidence': 'signed-in',
  'GET /api/evidence/:sha256': 'signed-in',
  'GET /api/leads': 'signed-in',
  'GET /api/counts': 'signed-in',
  'GET /api/events': 'signed-in',
  'GET /api/series': 'signed-in',
  'GET /api/catalog': 'signed-in',
  'GET /api/users': ['administrator'],
  'POST /api/users': ['administrator'],
  'GET /api/devices': 'signed-in',
  'GET /api/devices/:id': 'signed-in',
  'POST /api/devices': ['administrator'],
  'POST /api/devices/import': ['administrator'],
  'GET /api/devices/export': 'signed-in',
  'PUT /api/devices/:id': ['administrator'],
  'PATCH /api/devices/:id': ['administrator'],
  'GET /api/devices/:id/versions': 'signed-in',
  'POST /api/devices/:id/password': ['administrator'],
  'DELETE /api/devices/:id/password': ['administrator'],
  'GET /api/devices/:id/certificates': ['administrator'],
  'POST /api/devices/:id/certificates': ['administrator'],
  'DELETE /api/devices/:id/certificates/:fingerprint': ['administrator'],
  'GET /api/devices/:id/secrets': ['administrator'],
  'PUT /api/devices/:id/secrets/:name': ['administrator'],
  'DELETE /api/devices/:id/secrets/:name': ['administrator'],
  'POST /api/devices/:id/hj212/requests': ['administrator'],
  'GET /api/templates': 'signed-in',
  'GET /api/templates/:name': 'signed-in',
  'PUT /api/templates/:name': ['administrator'],
  'POST /api/templates/:name/apply': ['administrator'],
  'GET /api/unknown-devices': 'signed-in',
  'POST /api/unknown-devices/:name/adopt': ['administrator'],
  'POST /api/unknown-devices/:name/dismiss': ['administrator'],
  'GET /api/devices/:id/status': 'signed-in',
  'GET /api/devices/status/summary': 'signed-in',
  'GET /api/devices/status/list': 'signed-in',
  'GET /api/quarantine': 'signed-in',
  'GET /api/quarantine/summary': 'signed-in',
  'GET /api/quarantine/:id': 'signed-in',
  'POST /api/quarantine/rerun': OVERSEEING,
  'POST /api/quarantine/:id/rerun': OVERSEEING,
  'POST /api/quarantine/:id/dismiss': OVERSEEING,
  'GET /api/quarantine/:id/raw': OVERSEEING,
};

/** Who may use a route; null = it is not in the table. Only /api is closed: pages and health are for everybody. */
export function accessOf(method: string, pattern: string): Access | null {
  if (pattern !== '/api' && !pattern.startsWith('/api/')) return 'public';
  // Fastify answers HEAD wherever there is GET.
  return ACCESS[`${method === 'HEAD' ? 'GET' : method} ${pattern}`] ?? null;
}

/** Why a request is refused; null = it is not. */
export type AccessRefusal = 'not-in-table' | 'not-signed-in' | 'role';

export function refusalFor(access: Access | null, caller: Caller | null): AccessRefusal | null {
  if (access === null) return 'not-in-table';
  if (access === 'public') return null;
  if (caller === null) return 'not-signed-in';
  if (access === 'signed-in' || access.some((role) => caller.roles.includes(role))) return null;
  return 'role';
}

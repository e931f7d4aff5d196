import type { FastifyInstance } from 'fastify';
import type { Rerun } from '../registry/adopt.ts';
import type { Registry } from '../registry/registry.ts';
import type { Strangers } from '../registry/unknown.ts';
import { credentialRoutes } from './credential-routes.ts';
import { deviceRoutes } from './device-routes.ts';
import { listRoutes } from './list-routes.ts';
import { templateRoutes } from './template-routes.ts';
import { unknownRoutes } from './unknown-routes.ts';

export interface DevicesApiDeps {
  registry: Registry;
  /** Without it nobody is ever unknown. */
  strangers?: Strangers;
  /** Runs the quarantined messages of a name again, after it became a device. */
  rerun?: (name: string, device: string) => Promise<Rerun>;
}

/**
 * The registry over HTTP. Sessions and roles are checked before these routes, for all of /api.
 *
 *   1 device-routes      list, one, at a past time, versions, add, replace, patch
 *   2 list-routes        import and export of whole lists
 *   3 credential-routes  passwords, certificates, secrets: in only, never out
 *   4 template-routes    templates, and their devices after a change
 *   5 unknown-routes     who spoke and is not registered: adopt or dismiss
 */
export function devicesApi({ registry, strangers, rerun }: DevicesApiDeps) {
  return async (app: FastifyInstance): Promise<void> => {
    listRoutes(app, registry);
    deviceRoutes(app, registry);
    credentialRoutes(app, registry);
    templateRoutes(app, registry);
    unknownRoutes(app, { registry, ...(strangers && { strangers }), ...(rerun && { rerun }) });
  };
}

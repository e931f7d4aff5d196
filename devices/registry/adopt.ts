import { QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import type { Author, Registry } from './registry.ts';
import type { Strangers } from './unknown.ts';

/** What of the quarantine was run again for a device that is known now. */
export interface Rerun {
  /** Messages that are stored now. */
  taken: number;
  [what: string]: unknown;
}

export interface AdoptDeps {
  registry: Registry;
  strangers: Strangers;
  /** Runs the quarantined messages of a name again, after it became a device. */
  rerun?: (name: string, device: string) => Promise<Rerun>;
}

export interface Adopted {
  device: RegisteredDevice;
  rerun: Rerun | null;
}

/** As the contract has addresses; a device id may look like one too, but then it was never an id in a topic. */
const ADDRESS = /^[a-z0-9]+:.+$/;

/**
 * Makes a device of a stranger in one call. A name that is an address becomes an address of the device, whose id is `id` or
 * made of what stands behind the colon; any other name is the id itself, unless `id` gives the name of a device that speaks
 * under another name.
 *
 * @param fields a DeviceInput without what the name says: `template` or all fields, `site`, `location` …
 * @throws QianliyanError NOT_FOUND when nobody of this name was seen; CONFLICT when the id is taken; REQUEST_INVALID
 */
export async function adopt(
  { registry, strangers, rerun }: AdoptDeps,
  name: string,
  fields: Record<string, unknown>,
  author: Author,
): Promise<Adopted> {
  if (strangers.get(name) === undefined) {
    throw new QianliyanError('NOT_FOUND', `no unknown device ${name} was seen`);
  }
  const holder = registry.find(name);
  const device = holder ?? (await registry.upsert(inputFor(name, fields), { author, ifVersion: 0 }));
  await strangers.forget(name);
  return { device, rerun: (await rerun?.(name, device.id)) ?? null };
}

function inputFor(name: string, fields: Record<string, unknown>): Record<string, unknown> {
  if (!ADDRESS.test(name)) {
    if (fields.id === undefined || fields.id === name) return { ...fields, id: name };
    const problems = [{ path: 'id', found: fields.id, allowed: `${name}: its topics name it so` }];
    throw new QianliyanError('REQUEST_INVALID', 'a device is called as its topics call it', { problems });
  }
  const addresses = Array.isArray(fields.addresses) ? fields.addresses : [];
  return { ...fields, id: fields.id ?? idFrom(name), addresses: [...new Set([name, ...addresses])] };
}

function idFrom(address: string): string {
  const rest = address.slice(address.indexOf(':') + 1);
  return rest
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
}

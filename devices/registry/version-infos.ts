import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Device, RegisteredDevice } from '../../contracts/index.ts';
import { changesBetween } from './changes.ts';
import type { RegistryStep, VersionInfo } from './registry.ts';
import type { DeviceTables } from './tables.ts';
import { type Author, authorsOf } from './versions.ts';

/** What is told of a change: to the audit trail when it is made, and to people who ask afterwards. */

/** The hash binds the version's row into the chain of the audit trail, without repeating it there. */
export function stepOf(
  before: RegisteredDevice | undefined,
  after: RegisteredDevice,
  author: Author,
): RegistryStep {
  const sha256 = createHash('sha256').update(JSON.stringify(after)).digest('hex');
  return {
    ...author,
    action: before === undefined ? 'device.added' : 'device.changed',
    subject: after.id,
    ...(before !== undefined && { before: { version: before.version } }),
    after: { version: after.version, sha256 },
  };
}

/** Every version with its author and what it changed, oldest first. */
export async function versionInfos(
  db: Kysely<DeviceTables>,
  versions: readonly RegisteredDevice[],
  id: string,
): Promise<VersionInfo[]> {
  const authors = new Map((await authorsOf(db, id)).map((row) => [row.version, row]));
  return versions.map((device, i) => {
    const row = authors.get(device.version);
    const before = versions[i - 1];
    return {
      version: device.version,
      since: device.since,
      who: row?.who ?? null,
      via: row?.via ?? null,
      template:
        row?.template == null ? null : { name: row.template, version: Number(row.template_version ?? 0) },
      changes: before === undefined ? [] : changesBetween(withoutCount(before), withoutCount(device)),
      device,
    };
  });
}

function withoutCount({ version: _version, since: _since, ...device }: RegisteredDevice): Device {
  return device;
}

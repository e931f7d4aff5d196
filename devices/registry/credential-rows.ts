import type { Kysely, Transaction } from 'kysely';
import type { Log } from '../../backbone/index.ts';
import { certificates, type KnownCertificate } from './certificates.ts';
import { credentials } from './credentials.ts';
import type { SecretBox } from './secrets.ts';
import type { DeviceTables } from './tables.ts';
import { highest } from './versions.ts';

/** Everything by which devices prove who they are, and what the product must know to understand them; in memory, from the records. */
export function credentialShelf(db: Kysely<DeviceTables>, box: SecretBox | null, log: Log) {
  const passwords = credentials();
  const known = certificates();
  /** Sealed, by device id, then by name. */
  const secrets = new Map<string, Map<string, string>>();
  const last = { passwords: 0, certificates: 0, secrets: 0 };

  async function newPasswords(): Promise<string[]> {
    const rows = await db
      .selectFrom('device_credentials')
      .selectAll()
      .where('changed', '>', last.passwords)
      .execute();
    for (const { device, hash, changed } of rows) {
      last.passwords = Math.max(last.passwords, Number(changed));
      passwords.set(device, hash);
    }
    return rows.map((row) => row.device);
  }

  async function newCertificates(): Promise<string[]> {
    const rows = await db
      .selectFrom('device_certificates')
      .selectAll()
      .where('changed', '>', last.certificates)
      .execute();
    for (const { fingerprint, device, subject, not_after, revoked, changed } of rows) {
      last.certificates = Math.max(last.certificates, Number(changed));
      const notAfter = not_after === null ? null : Number(not_after);
      known.set({ fingerprint, device, subject, notAfter, revoked: revoked === 1 });
    }
    return rows.map((row) => row.device);
  }

  async function newSecrets(): Promise<string[]> {
    const rows = await db
      .selectFrom('device_secrets')
      .selectAll()
      .where('changed', '>', last.secrets)
      .execute();
    for (const { device, name, sealed, changed } of rows) {
      last.secrets = Math.max(last.secrets, Number(changed));
      const own = secrets.get(device) ?? new Map<string, string>();
      if (sealed === null) own.delete(name);
      else own.set(name, sealed);
      secrets.set(device, own);
    }
    return rows.map((row) => row.device);
  }

  return {
    passwords,
    certificates: known,
    secretNames: (device: string): string[] => [...(secrets.get(device)?.keys() ?? [])].sort(),
    secretOf(device: string, name: string): Buffer | null {
      const sealed = secrets.get(device)?.get(name);
      if (sealed === undefined) return null;
      const value = box?.open(device, name, sealed) ?? null;
      if (value === null)
        log.error({ device, name }, 'a device secret cannot be opened: was its key file replaced?');
      return value;
    },
    /** @returns the devices of which something changed */
    async load(): Promise<Set<string>> {
      return new Set([...(await newPasswords()), ...(await newCertificates()), ...(await newSecrets())]);
    },
  };
}

type Tx = Transaction<DeviceTables>;

export async function writeHashes(tx: Tx, hashes: ReadonlyMap<string, string | null>): Promise<void> {
  let changed = await highest(tx, 'device_credentials', 'changed');
  for (const [device, hash] of hashes) {
    changed += 1;
    await tx
      .insertInto('device_credentials')
      .values({ device, hash, changed })
      .onConflict((c) => c.column('device').doUpdateSet({ hash, changed }))
      .execute();
  }
}

export async function writeCertificate(tx: Tx, certificate: KnownCertificate): Promise<void> {
  const { fingerprint, device, subject, notAfter } = certificate;
  const changed = (await highest(tx, 'device_certificates', 'changed')) + 1;
  const row = {
    device,
    subject,
    not_after: notAfter,
    revoked: certificate.revoked ? 1 : 0,
    changed,
  } as const;
  await tx
    .insertInto('device_certificates')
    .values({ fingerprint, ...row })
    .onConflict((c) => c.column('fingerprint').doUpdateSet(row))
    .execute();
}

export async function writeSecret(
  tx: Tx,
  device: string,
  name: string,
  sealed: string | null,
): Promise<void> {
  const changed = (await highest(tx, 'device_secrets', 'changed')) + 1;
  await tx
    .insertInto('device_secrets')
    .values({ device, name, sealed, changed })
    .onConflict((c) => c.columns(['device', 'name']).doUpdateSet({ sealed, changed }))
    .execute();
}

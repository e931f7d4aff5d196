import type { Transaction } from 'kysely';
import type { Clock } from '../../backbone/index.ts';
import { QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import { type KnownCertificate, normalFingerprint, readCertificate } from './certificates.ts';
import { type credentialShelf, writeCertificate, writeHashes, writeSecret } from './credential-rows.ts';
import { CHOSEN_COST, GENERATED_COST, generatePassword, hashPassword } from './passwords.ts';
import type { RegistryStep } from './registry.ts';
import type { SecretBox } from './secrets.ts';
import type { DeviceTables } from './tables.ts';
import type { Author } from './versions.ts';

const SECRET_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const MOST_SECRET_BYTES = 4_096;

export interface CredentialWriteParts {
  clock: Clock;
  shelf: ReturnType<typeof credentialShelf>;
  box: SecretBox | null;
  /** The device, or NOT_FOUND. */
  there(id: string): RegisteredDevice;
  commit(
    steps: readonly RegistryStep[],
    change: (tx: Transaction<DeviceTables>) => Promise<void>,
  ): Promise<void>;
}

/** How passwords, certificates and secrets are set and taken: each in one transaction with its audit. */
export function credentialWrites({ clock, shelf, box, there, commit }: CredentialWriteParts) {
  async function setPassword(id: string, given: string | undefined, author: Author): Promise<string> {
    there(id);
    if (given !== undefined && given.length < 8) {
      const problems = [{ path: 'password', found: '(hidden)', allowed: 'at least 8 characters' }];
      throw new QianliyanError('REQUEST_INVALID', 'the password is too short', { problems });
    }
    const password = given ?? generatePassword();
    const hash = await hashPassword(password, given === undefined ? GENERATED_COST : CHOSEN_COST);
    const step = { ...author, action: 'device.password-set', subject: id };
    await commit([step], (tx) => writeHashes(tx, new Map([[id, hash]])));
    return password;
  }

  async function addCertificate(
    id: string,
    given: { certificate?: string | undefined; fingerprint?: string | undefined },
    author: Author,
  ): Promise<KnownCertificate> {
    there(id);
    const read = readCertificate(given, clock.now());
    const before = shelf.certificates.get(read.fingerprint);
    if (before !== undefined && (before.revoked || before.device !== id)) {
      const what = before.revoked
        ? 'it was revoked: make a new one'
        : `it is registered for ${before.device}`;
      throw new QianliyanError('CONFLICT', `certificate ${read.fingerprint}: ${what}`);
    }
    const certificate = { ...read, device: id, revoked: false };
    const after = { fingerprint: read.fingerprint, subject: read.subject };
    const step = { ...author, action: 'device.certificate-added', subject: id, after };
    await commit([step], (tx) => writeCertificate(tx, certificate));
    return certificate;
  }

  async function revokeCertificate(id: string, given: string, author: Author): Promise<void> {
    there(id);
    const fingerprint = normalFingerprint(given);
    const before = shelf.certificates.get(fingerprint);
    if (before !== undefined && before.device !== id) {
      throw new QianliyanError('CONFLICT', `certificate ${fingerprint} is registered for ${before.device}`);
    }
    const certificate = { subject: '', notAfter: null, ...before, fingerprint, device: id, revoked: true };
    const step = { ...author, action: 'device.certificate-revoked', subject: id, after: { fingerprint } };
    await commit([step], (tx) => writeCertificate(tx, certificate));
  }

  async function setSecret(id: string, name: string, value: Buffer | null, author: Author): Promise<void> {
    there(id);
    const fits = value === null || (value.length > 0 && value.length <= MOST_SECRET_BYTES);
    if (!SECRET_NAME.test(name) || !fits) {
      const allowed = `a name of a–z, 0–9 and -, and 1 to ${MOST_SECRET_BYTES} bytes`;
      throw new QianliyanError('REQUEST_INVALID', 'the secret cannot be kept', {
        problems: [{ path: 'secret', found: name, allowed }],
      });
    }
    if (box === null)
      throw new QianliyanError('STORE_UNAVAILABLE', 'this registry has no key file for secrets');
    const action = value === null ? 'device.secret-removed' : 'device.secret-set';
    const sealed = value === null ? null : box.seal(id, name, value);
    await commit([{ ...author, action, subject: id, after: { name } }], (tx) =>
      writeSecret(tx, id, name, sealed),
    );
  }

  async function removePassword(id: string, author: Author): Promise<void> {
    there(id);
    const step = { ...author, action: 'device.password-removed', subject: id };
    await commit([step], (tx) => writeHashes(tx, new Map([[id, null]])));
  }

  return { setPassword, removePassword, addCertificate, revokeCertificate, setSecret };
}

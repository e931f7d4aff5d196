import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { QianliyanError } from '../../contracts/index.ts';

/**
 * Secrets that the product itself must know (an SM4 key, an HJ 212 password), unlike passwords, of which it keeps a hash.
 * Sealed with AES-256-GCM, device and name bound in, under a key in a file that only the product's user may read.
 *
 * Honestly: this protects the records where they travel without the key file (a copy of the database, a PostgreSQL server,
 * a backup of one file). Whoever may read the whole data folder may read the secrets.
 */
export interface SecretBox {
  seal(device: string, name: string, value: Buffer): string;
  /** Null when it was sealed under another key, or altered. */
  open(device: string, name: string, sealed: string): Buffer | null;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** The key is made when the first secret is sealed. */
export function secretBox(keyFile: string): SecretBox {
  let key: Buffer | null = null;
  return {
    seal(device, name, value) {
      key ??= readKey(keyFile) ?? makeKey(keyFile);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`${device}\n${name}`));
      const sealed = Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
      return sealed.toString('base64url');
    },
    open(device, name, sealed) {
      key ??= readKey(keyFile);
      return key === null ? null : unseal(key, `${device}\n${name}`, Buffer.from(sealed, 'base64url'));
    },
  };
}

function unseal(key: Buffer, about: string, sealed: Buffer): Buffer | null {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(about)).setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}

function readKey(file: string): Buffer | null {
  const text = readIfThere(file);
  if (text === null) return null;
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new QianliyanError('CONFIG_INVALID', `${file} is no key of device secrets`, {
    problems: [{ path: file, found: `${key.length} bytes`, allowed: `${KEY_BYTES} bytes as base64` }],
  });
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Two processes may try at once: the file appears whole or not at all, and the first one wins. */
function makeKey(file: string): Buffer {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, {
    mode: 0o600,
    flag: 'wx',
    flush: true,
  });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const key = readKey(file);
  if (key === null) throw new QianliyanError('STORE_UNAVAILABLE', `${file} vanished`);
  return key;
}

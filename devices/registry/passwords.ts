import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * Device passwords as scrypt hashes: `scrypt$<log2 N>$<salt>$<hash>`, salt and hash as base64url. The work runs on the
 * thread pool, so the event loop stays free. Each hash carries its own cost: a generated password has 144 random bits
 * and needs no stretching, one that a person chose does.
 */

const BLOCK_SIZE = 8;
const HASH_BYTES = 32;
/** 2 MB and some milliseconds: a thousand devices that all come back at once are let in within seconds. */
export const GENERATED_COST = 11;
/** 16 MB and eight times the work, because people's passwords can be guessed. */
export const CHOSEN_COST = 14;

export function generatePassword(): string {
  return randomBytes(18).toString('base64url');
}

export async function hashPassword(password: string, cost: number): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(Buffer.from(password), salt, cost);
  return `scrypt$${cost}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

export async function matchesPassword(password: Buffer, stored: string): Promise<boolean> {
  const [scheme, cost, salt, hash] = stored.split('$');
  if (scheme !== 'scrypt' || cost === undefined || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64url');
  const actual = await derive(password, Buffer.from(salt, 'base64url'), Number(cost));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function derive(password: Buffer, salt: Buffer, cost: number): Promise<Buffer> {
  const options = { N: 2 ** cost, r: BLOCK_SIZE, p: 1 };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

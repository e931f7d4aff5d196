import type { AccountsParts } from '../access/accounts.ts';
import type { Role } from '../access/index.ts';
import { COOKIE } from '../access/index.ts';
import { hashPassword } from '../access/passwords.ts';
import { tokenHash } from '../access/tokens.ts';

export const PASSWORD = 'correct horse battery';
let hashed: Promise<string> | undefined;

/** Makes accounts without the cost of a hash for each; all have {@link PASSWORD}. */
export async function addPerson(
  db: AccountsParts['db'],
  user: string,
  roles: readonly Role[],
): Promise<void> {
  hashed ??= hashPassword(PASSWORD);
  await db
    .insertInto('alerting_users')
    .values({
      user,
      name: user,
      roles: JSON.stringify(roles),
      unit: null,
      password: await hashed,
      failures: 0,
      locked_until: null,
    })
    .execute();
}

/** A session for a person, as a cookie. */
export async function sessionFor(db: AccountsParts['db'], user: string, now = Date.now()): Promise<string> {
  const token = `test-session-of-${user}`;
  await db
    .insertInto('alerting_sessions')
    .values({ token_hash: tokenHash(token), user, created_at: now, seen_at: now })
    .execute();
  return `${COOKIE}=${token}`;
}

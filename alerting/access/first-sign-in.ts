import type { Clock } from '../../backbone/index.ts';
import { QianliyanError } from '../../contracts/index.ts';
import type { Db } from '../store/tables.ts';
import type { Accounts, NewAccount } from './accounts.ts';
import { newToken, tokenHash } from './tokens.ts';

/** There is no default password: the first account is made through a link that the product prints, valid for a day. */
const VALID_MS = 24 * 3_600_000;

export class FirstSignIn {
  readonly #db: Db;
  readonly #wall: Clock;
  readonly #accounts: Accounts;

  constructor(db: Db, wall: Clock, accounts: Accounts) {
    this.#db = db;
    this.#wall = wall;
    this.#accounts = accounts;
  }

  /** Path of a new one-time link, which replaces an older one; null when there is an account already. */
  async link(): Promise<string | null> {
    if (await this.#accounts.any()) return null;
    const token = newToken();
    await this.#db.deleteFrom('alerting_sign_in_links').execute();
    await this.#db
      .insertInto('alerting_sign_in_links')
      .values({ token_hash: tokenHash(token), created_at: this.#wall.now(), used_at: null })
      .execute();
    return `/sign-in?token=${token}`;
  }

  async isValid(token: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('alerting_sign_in_links')
      .selectAll()
      .where('token_hash', '=', tokenHash(token))
      .where('used_at', 'is', null)
      .executeTakeFirst();
    return row !== undefined && this.#wall.now() - row.created_at < VALID_MS && !(await this.#accounts.any());
  }

  /** Makes the first account, with all roles: it is the one that makes the others. */
  async use(
    token: string,
    account: Pick<NewAccount, 'user' | 'name' | 'password'>,
    via: string,
  ): Promise<void> {
    if (!(await this.isValid(token)))
      throw new QianliyanError('FORBIDDEN', 'the link is not valid (any more)');
    const used = await this.#db
      .updateTable('alerting_sign_in_links')
      .set({ used_at: this.#wall.now() })
      .where('token_hash', '=', tokenHash(token))
      .where('used_at', 'is', null)
      .returning('token_hash')
      .executeTakeFirst();
    // Of two who open it at once, one gets in.
    if (used === undefined) throw new QianliyanError('FORBIDDEN', 'the link was used already');
    await this.#accounts.create(
      { ...account, roles: ['administrator', 'duty-officer', 'reviewer', 'supervisor'], unit: null },
      { who: 'first-sign-in', via },
    );
  }
}

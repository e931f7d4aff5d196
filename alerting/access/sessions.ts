import type { Clock } from '../../backbone/index.ts';
import type { AlertingConfig } from '../config.ts';
import type { Db } from '../store/tables.ts';
import type { Accounts } from './accounts.ts';
import type { Caller } from './roles.ts';
import { newToken, tokenHash } from './tokens.ts';

/** The time a session was last used is written at most this often. */
const SEEN_EVERY_MS = 60_000;

/**
 * Sessions: a random token in a cookie, its hash in the store. One ends when idle, after its longest time, at sign-out,
 * and with its account. Wall clock.
 */
export class Sessions {
  readonly #db: Db;
  readonly #wall: Clock;
  readonly #accounts: Accounts;
  readonly #idleMs: number;
  readonly #longestMs: number;

  constructor(parts: { db: Db; wall: Clock; accounts: Accounts; config: AlertingConfig['access'] }) {
    this.#db = parts.db;
    this.#wall = parts.wall;
    this.#accounts = parts.accounts;
    this.#idleMs = parts.config.idleMinutes * 60_000;
    this.#longestMs = parts.config.longestHours * 3_600_000;
  }

  /** Seconds for which a cookie is of use. */
  get longestS(): number {
    return this.#longestMs / 1000;
  }

  /** Returns the token: the only time that it is seen. */
  async begin(user: string): Promise<string> {
    const token = newToken();
    const now = this.#wall.now();
    await this.#dropEnded(now);
    await this.#db
      .insertInto('alerting_sessions')
      .values({ token_hash: tokenHash(token), user, created_at: now, seen_at: now })
      .execute();
    return token;
  }

  async callerOf(token: string): Promise<Caller | null> {
    const hash = tokenHash(token);
    const row = await this.#db
      .selectFrom('alerting_sessions')
      .selectAll()
      .where('token_hash', '=', hash)
      .executeTakeFirst();
    const now = this.#wall.now();
    if (row === undefined || now - row.seen_at > this.#idleMs || now - row.created_at > this.#longestMs)
      return null;
    if (now - row.seen_at > SEEN_EVERY_MS) {
      await this.#db
        .updateTable('alerting_sessions')
        .set({ seen_at: now })
        .where('token_hash', '=', hash)
        .execute();
    }
    return this.#accounts.find(row.user);
  }

  async end(token: string): Promise<void> {
    await this.#db.deleteFrom('alerting_sessions').where('token_hash', '=', tokenHash(token)).execute();
  }

  async #dropEnded(now: number): Promise<void> {
    await this.#db
      .deleteFrom('alerting_sessions')
      .where((e) =>
        e.or([e('seen_at', '<', now - this.#idleMs), e('created_at', '<', now - this.#longestMs)]),
      )
      .execute();
  }
}

import { z } from 'zod';
import type { Clock } from '../../backbone/index.ts';
import { Id, QianliyanError } from '../../contracts/index.ts';
import { appendAudit } from '../audit/index.ts';
import type { AlertingConfig } from '../config.ts';
import type { Db } from '../store/tables.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import { type Caller, Role } from './roles.ts';
import { Throttle } from './throttle.ts';

export const Password = z.string().min(12, 'at least 12 characters').max(256, 'at most 256 characters');

/** An account as it is made. */
export const NewAccount = z.strictObject({
  user: Id.describe('Name to sign in with'),
  name: z.string().min(1).max(100).describe('Name to show'),
  roles: z.array(Role).min(1),
  unit: Id.nullable().default(null).describe('Unit that the person belongs to'),
  password: Password,
});
export type NewAccount = z.infer<typeof NewAccount>;

export interface AccountsParts {
  db: Db;
  /** Wall clock: locks and windows. */
  wall: Clock;
  /** The product's clock: audit. */
  clock: Clock;
  config: AlertingConfig['access'];
}

/**
 * Local accounts. An account locks after so many wrong passwords in a row, an address is slowed down; an unknown user
 * costs as much time as a known one, and both are told the same.
 */
export class Accounts {
  readonly #parts: AccountsParts;
  readonly #throttle: Throttle;
  /** Compared with when there is no such user. */
  #decoy: string | null = null;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
    this.#throttle = new Throttle(parts.config.triesPerMinute);
  }

  async any(): Promise<boolean> {
    const row = await this.#parts.db.selectFrom('alerting_users').select('user').limit(1).executeTakeFirst();
    return row !== undefined;
  }

  async list(): Promise<Omit<Caller, 'demo'>[]> {
    const rows = await this.#parts.db.selectFrom('alerting_users').selectAll().orderBy('user').execute();
    return rows.map(({ user, name, roles, unit }) => ({
      user,
      name,
      roles: JSON.parse(roles) as Role[],
      unit,
    }));
  }

  async find(user: string): Promise<Caller | null> {
    const row = await this.#row(user);
    if (row === undefined) return null;
    return { user, name: row.name, roles: JSON.parse(row.roles) as Role[], unit: row.unit, demo: false };
  }

  /** @throws QianliyanError CONFLICT when the name is taken */
  async create({ user, name, roles, unit, password }: NewAccount, by: { who: string; via: string | null }) {
    const hash = await hashPassword(password);
    await this.#parts.db.transaction().execute(async (tx) => {
      const made = await tx
        .insertInto('alerting_users')
        .values({
          user,
          name,
          roles: JSON.stringify(roles),
          unit,
          password: hash,
          failures: 0,
          locked_until: null,
        })
        .onConflict((c) => c.doNothing())
        .returning('user')
        .executeTakeFirst();
      if (made === undefined) throw new QianliyanError('CONFLICT', `there is an account ${user} already`);
      const entry = { ...by, action: 'account.created', subject: user, after: { name, roles, unit } };
      await appendAudit(tx, this.#parts.clock.now(), [entry]);
    });
  }

  /** @throws QianliyanError NOT_SIGNED_IN (wrong user or password), TOO_MANY_REQUESTS (address or account) */
  async check(user: string, password: string, via: string): Promise<Caller> {
    const { wall } = this.#parts;
    if (!this.#throttle.allow(via, wall.now())) {
      throw new QianliyanError('TOO_MANY_REQUESTS', 'too many tries from this address; wait a minute');
    }
    const row = await this.#row(user);
    if (row !== undefined && (row.locked_until ?? 0) > wall.now()) {
      await this.#trace('sign-in.refused', user, via, { reason: 'locked' });
      throw new QianliyanError(
        'TOO_MANY_REQUESTS',
        'the account is locked for a while after wrong passwords',
      );
    }
    const right = await verifyPassword(password, row?.password ?? (await this.#decoyHash()));
    if (row === undefined || !right) {
      await this.#countFailure(user);
      await this.#trace('sign-in.refused', user, via, { reason: 'wrong-password' });
      throw new QianliyanError('NOT_SIGNED_IN', 'user or password is wrong');
    }
    await this.#clearFailures(user);
    await this.#trace('sign-in.done', user, via, {});
    return { user, name: row.name, roles: JSON.parse(row.roles) as Role[], unit: row.unit, demo: false };
  }

  async #row(user: string) {
    return this.#parts.db
      .selectFrom('alerting_users')
      .selectAll()
      .where('user', '=', user)
      .executeTakeFirst();
  }

  /** Counts in the store itself, so that tries side by side are all counted. */
  async #countFailure(user: string): Promise<void> {
    const { db, wall, config } = this.#parts;
    await db
      .updateTable('alerting_users')
      .set((e) => ({ failures: e('failures', '+', 1) }))
      .where('user', '=', user)
      .execute();
    await db
      .updateTable('alerting_users')
      .set({ failures: 0, locked_until: wall.now() + config.lockMinutes * 60_000 })
      .where('user', '=', user)
      .where('failures', '>=', config.lockAfter)
      .execute();
  }

  async #clearFailures(user: string): Promise<void> {
    await this.#parts.db
      .updateTable('alerting_users')
      .set({ failures: 0, locked_until: null })
      .where('user', '=', user)
      .execute();
  }

  async #trace(action: string, user: string, via: string, after: Record<string, string>): Promise<void> {
    const { db, clock } = this.#parts;
    await db
      .transaction()
      .execute((tx) =>
        appendAudit(tx, clock.now(), [{ who: user.slice(0, 64), via, action, subject: 'session', after }]),
      );
  }

  async #decoyHash(): Promise<string> {
    this.#decoy ??= await hashPassword('nobody has this password');
    return this.#decoy;
  }
}

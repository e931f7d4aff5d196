import type { Clock, Log } from '../../backbone/index.ts';
import { backoffMs } from '../../backbone/retry.ts';
import { appendAudit } from '../audit/index.ts';
import type { AlertingConfig } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { EventLog } from '../store/events.ts';
import type { Db } from '../store/tables.ts';
import type { Receiver } from './endpoints.ts';
import { type LeadRow, leadView, planUnplanned } from './outbox.ts';
import { type Attempt, sendWebhook } from './webhook.ts';

export interface CourierParts {
  db: Db;
  /** Retries and deadlines run on the wall clock, however fast the product's clock is. */
  wall: Clock;
  /** The product's clock: audit. */
  clock: Clock;
  log: Log;
  metrics: Metrics;
  events: EventLog;
  config: AlertingConfig['deliver'];
  receiverOf: (unit: string) => Receiver | null;
  /** 0 ≤ r < 1 */
  random: () => number;
}

/** One unit's slow system takes at most so many of the deliveries under way. */
const PER_UNIT = 2;
/** How far ahead the courier looks for itself; nearer leads wake it by timer. */
const LOOK_EVERY_MS = 30_000;

/**
 * Carries leads to case systems: at least once, under a stable id, with backoff and jitter until a deadline, then `failed`.
 * A try is recorded after its answer, so that a crash in between repeats it. Bounded: `concurrency` deliveries at once.
 */
export class Courier {
  readonly #parts: CourierParts;
  /** Lead id to its unit. */
  readonly #underWay = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  /** Units whose outage has been logged. */
  readonly #down = new Set<string>();
  readonly #tries = new Set<Promise<void>>();

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { db, wall, config } = this.#parts;
    await planUnplanned(db, wall.now(), config.deadlineH * 3_600_000);
    this.wake();
  }

  /** Looks now for what is due. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    this.#running = this.#look()
      .catch((err) => this.#parts.log.error({ err }, 'the outbox cannot be read'))
      .finally(() => {
        this.#running = null;
        if (!this.#again) return;
        this.#again = false;
        this.wake();
      });
  }

  /** Resolves when no delivery is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await Promise.all(this.#tries);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    const { db, wall, config } = this.#parts;
    const now = wall.now();
    const rows = await db
      .selectFrom('alerting_leads')
      .selectAll()
      .where('state', '=', 'pending')
      .where('next_try_at', 'is not', null)
      .orderBy('next_try_at')
      .limit(500)
      .execute();
    for (const row of rows) {
      if ((row.next_try_at ?? now) > now || this.#underWay.size >= config.concurrency) break;
      if (this.#mayStart(row)) this.#start(row);
    }
    const next = rows.find((row) => (row.next_try_at ?? 0) > now)?.next_try_at ?? now + LOOK_EVERY_MS;
    if (!this.#stopped) {
      this.#timer = setTimeout(() => this.wake(), Math.min(LOOK_EVERY_MS, Math.max(1, next - now)));
    }
  }

  #mayStart({ id, unit }: LeadRow): boolean {
    if (this.#stopped || this.#underWay.has(id)) return false;
    return [...this.#underWay.values()].filter((other) => other === unit).length < PER_UNIT;
  }

  #start(row: LeadRow): void {
    this.#underWay.set(row.id, row.unit);
    const attempt = this.#deliver(row)
      .catch((err) =>
        this.#parts.log.error({ err, lead: row.id }, 'a delivery could not be recorded; it is repeated'),
      )
      .finally(() => {
        this.#underWay.delete(row.id);
        this.#tries.delete(attempt);
        this.wake();
      });
    this.#tries.add(attempt);
  }

  async #deliver(row: LeadRow): Promise<void> {
    const { wall, config, receiverOf, metrics } = this.#parts;
    const receiver = receiverOf(row.unit);
    if (receiver === null) {
      await this.#record(row, {
        next_try_at: null,
        last_error: `no-endpoint: none is configured for ${row.unit}`,
      });
      return;
    }
    const attempt = await sendWebhook(
      receiver,
      { id: row.id, body: row.event },
      { timeoutMs: config.timeoutS * 1000, wallNow: wall.now() },
    );
    metrics.deliveries.inc({ result: attempt.result });
    this.#logOutage(row, attempt);
    await this.#record(row, this.#outcome(row, attempt));
  }

  #outcome(row: LeadRow, attempt: Attempt): Partial<LeadRow> {
    const { wall, config, random } = this.#parts;
    const attempts = row.attempts + 1;
    const now = wall.now();
    if (attempt.result === 'delivered') {
      const { receipt } = attempt;
      return {
        state: 'delivered',
        attempts,
        next_try_at: null,
        delivered_at: now,
        last_error: null,
        receipt,
      };
    }
    const maxMs = config.retryMaxS * 1000;
    const backoff = backoffMs(attempts, { firstMs: config.retryFirstS * 1000, maxMs, random });
    const next = now + Math.max(backoff, Math.min(attempt.retryAfterMs ?? 0, maxMs));
    const over = attempt.result === 'gone' || next > row.deadline_at;
    return {
      state: over ? 'failed' : 'pending',
      attempts,
      next_try_at: over ? null : next,
      last_error: attempt.error,
    };
  }

  async #record(row: LeadRow, change: Partial<LeadRow>): Promise<void> {
    const { db, clock, events } = this.#parts;
    const after = { ...row, ...change };
    await db.transaction().execute(async (tx) => {
      await tx.updateTable('alerting_leads').set(change).where('id', '=', row.id).execute();
      await events.add(tx, [{ type: 'lead', body: JSON.stringify(leadView(after)) }]);
      if (after.state === 'pending') return;
      const { state, attempts, last_error: error, receipt } = after;
      await appendAudit(tx, clock.now(), [
        {
          who: 'system',
          action: `lead.${state}`,
          subject: row.id,
          after: { unit: row.unit, attempts, error, receipt },
        },
      ]);
    });
    events.ring();
  }

  /** An outage is told once, and its end. */
  #logOutage({ unit, id }: LeadRow, attempt: Attempt): void {
    const { log } = this.#parts;
    if (attempt.result === 'delivered') {
      if (this.#down.delete(unit)) log.info({ unit }, 'the case system answers again');
    } else if (!this.#down.has(unit)) {
      this.#down.add(unit);
      log.warn({ unit, lead: id, error: attempt.error }, 'the case system does not take leads; trying again');
    }
  }
}

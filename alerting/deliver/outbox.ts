import type { Clock } from '../../backbone/index.ts';
import type { LeadEvent, LeadState } from '../../contracts/index.ts';
import { take } from '../store/counters.ts';
import type { AlertingTables, Db, Tx } from '../store/tables.ts';

export type LeadRow = AlertingTables['alerting_leads'];

/** A lead as the API shows it. Times of delivery are wall-clock time. */
export interface LeadView {
  id: string;
  draftCase: string;
  unit: string;
  state: LeadState;
  attempts: number;
  nextTryAt: number | null;
  deliveredAt: number | null;
  lastError: string | null;
  /** What the case system answered: JSON where it is JSON, else text; null = nothing yet. */
  receipt: unknown;
}

/**
 * Leads that are to be delivered, written in the transaction that confirms their draft: none is lost, none is made up.
 */
export class LeadOutbox {
  readonly #wall: Clock;
  readonly #deadlineMs: number;
  /** Set by the courier: told when a new lead is committed. */
  onWake: () => void = () => {};

  constructor(wall: Clock, deadlineMs: number) {
    this.#wall = wall;
    this.#deadlineMs = deadlineMs;
  }

  async put(tx: Tx, event: LeadEvent): Promise<LeadView> {
    const now = this.#wall.now();
    const row: LeadRow = {
      id: event.id,
      seq: await take(tx, 'leads'),
      draft: event.data.draftCase.id,
      unit: event.data.unit,
      state: 'pending',
      attempts: 0,
      next_try_at: now,
      deadline_at: now + this.#deadlineMs,
      delivered_at: null,
      last_error: null,
      receipt: null,
      event: JSON.stringify(event),
    };
    await tx.insertInto('alerting_leads').values(row).execute();
    return leadView(row);
  }

  /** Call after the commit. */
  wake(): void {
    this.onWake();
  }
}

/** Leads that found no endpoint before are planned again: the configuration may have one now. */
export async function planUnplanned(db: Db, now: number, deadlineMs: number): Promise<void> {
  await db
    .updateTable('alerting_leads')
    .set({ next_try_at: now, deadline_at: now + deadlineMs })
    .where('state', '=', 'pending')
    .where('next_try_at', 'is', null)
    .execute();
}

export function leadView(row: LeadRow): LeadView {
  return {
    id: row.id,
    draftCase: row.draft,
    unit: row.unit,
    state: row.state as LeadState,
    attempts: row.attempts,
    nextTryAt: row.next_try_at,
    deliveredAt: row.delivered_at,
    lastError: row.last_error,
    receipt: row.receipt === null ? null : parsed(row.receipt),
  };
}

function parsed(receipt: string): unknown {
  try {
    return JSON.parse(receipt);
  } catch {
    return receipt;
  }
}

import { EventEmitter } from 'node:events';
import { take } from './counters.ts';
import { insertRows } from './insert-rows.ts';
import type { Db, Tx } from './tables.ts';

/**
 * The durable log behind the API's event stream. Promises: an event is written in the transaction of what it tells,
 * ids grow by one in the order of the commits, so that a listener that names the last id it saw misses nothing — as
 * long as that id is among the kept ones. Bounded: the oldest go.
 */
export interface ProductEvent {
  id: number;
  type: 'alert' | 'draft-case' | 'lead';
  /** JSON. */
  body: string;
}

export type NewEvent = Omit<ProductEvent, 'id'>;

export class EventLog {
  readonly #db: Db;
  readonly #keep: number;
  /** Wakes the streams of this process after a commit; other processes' events are found by looking. */
  readonly #bell = new EventEmitter().setMaxListeners(0);

  constructor(db: Db, keep: number) {
    this.#db = db;
    this.#keep = keep;
  }

  /** Adds events; call {@link ring} once the transaction is committed. */
  async add(tx: Tx, events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    const first = await take(tx, 'events', events.length);
    const rows = events.map(({ type, body }, i) => ({ id: first + i, type, body }));
    await insertRows(tx, 'alerting_events', rows);
    const last = first + events.length - 1;
    // Every so often, in the transaction that is open anyway; the log may be longer by one such step.
    if (Math.floor(last / 100) > Math.floor((first - 1) / 100)) {
      await tx
        .deleteFrom('alerting_events')
        .where('id', '<=', last - this.#keep)
        .execute();
    }
  }

  ring(): void {
    this.#bell.emit('ring');
  }

  /** Calls `listener` after each commit that added events; returns the way to stop. */
  onRing(listener: () => void): () => void {
    this.#bell.on('ring', listener);
    return () => this.#bell.off('ring', listener);
  }

  async after(id: number, limit: number): Promise<ProductEvent[]> {
    const rows = await this.#db
      .selectFrom('alerting_events')
      .selectAll()
      .where('id', '>', id)
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows as ProductEvent[];
  }

  /** Ids of the oldest kept and the newest event; both 0 while there is none. */
  async ends(): Promise<{ first: number; last: number }> {
    const row = await this.#db
      .selectFrom('alerting_events')
      .select((e) => [e.fn.min('id').as('first'), e.fn.max('id').as('last')])
      .executeTakeFirst();
    return { first: row?.first ?? 0, last: row?.last ?? 0 };
  }
}

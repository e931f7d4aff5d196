/**
 * All alerts that this page knows, newest first. Promises: each alert once, the order stays right in O(log n) a change,
 * bounded (the oldest leave), and a list that was asked for earlier never undoes what the live line told since.
 */
import type { Alert } from '../../../contracts/index.ts';

export const BOOK_LIMIT = 20_000;

export class AlertBook {
  /** By alert id. */
  readonly #byId = new Map<string, Alert>();
  /** Newest first. */
  readonly #order: Alert[] = [];
  /** By alert id: the value of {@link #changes} at its last change by the live line. */
  readonly #touched = new Map<string, number>();
  #changes = 0;

  get size(): number {
    return this.#order.length;
  }

  get(id: string): Alert | undefined {
    return this.#byId.get(id);
  }

  /** Newest first. Not a copy: read it, do not keep it. */
  all(): readonly Alert[] {
    return this.#order;
  }

  /** To be taken before asking for a list; goes back into {@link putList}. */
  mark(): number {
    return this.#changes;
  }

  /** What the live line tells. True when this alert was not known. */
  putLive(alert: Alert): boolean {
    this.#changes += 1;
    this.#touched.set(alert.id, this.#changes);
    return this.#put(alert);
  }

  /** A list that was asked for at `mark`: what the live line has told since then stays. */
  putList(alerts: readonly Alert[], mark: number): void {
    for (const alert of alerts) if ((this.#touched.get(alert.id) ?? 0) <= mark) this.#put(alert);
  }

  #put(alert: Alert): boolean {
    const known = this.#byId.get(alert.id);
    if (known !== undefined) this.#order.splice(this.#order.indexOf(known, this.#place(known)), 1);
    this.#byId.set(alert.id, alert);
    this.#order.splice(this.#place(alert), 0, alert);
    if (this.#order.length > BOOK_LIMIT) this.#forgetOldest();
    return known === undefined;
  }

  /** The first index whose alert does not come before this one. */
  #place(alert: Alert): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(this.#order[middle] as Alert, alert)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #forgetOldest(): void {
    const oldest = this.#order.pop();
    if (oldest === undefined) return;
    this.#byId.delete(oldest.id);
    this.#touched.delete(oldest.id);
  }
}

const before = (a: Alert, b: Alert): boolean =>
  a.raisedAt !== b.raisedAt ? a.raisedAt > b.raisedAt : a.id > b.id;

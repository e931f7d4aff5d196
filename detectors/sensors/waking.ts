import { type Attached, watchOf } from './entries.ts';
import type { Plan } from './plan.ts';
import { DueTimes } from './schedule.ts';

/**
 * Which watches want a tick, and whose turn it is.
 *
 *   after each call of a watch ─▶ schedule ─▶ waits by its due second ─▶ dueAt(tick) ─▶ isTurn ─▶ its tick
 *
 * Promises: a second is ticked once; a watch is ticked in the first tick at or after the second it asked for, never before;
 * one order for all (device, datastream, plan), so that a restored core says the same things in the same order. A tick
 * costs only those that are due. Does not call watches: that is routing.ts.
 */
export class Waking {
  readonly #plans: readonly Plan[];
  readonly #due = new DueTimes<Attached>();
  /** The latest second that was ticked. */
  #second = 0;

  constructor(plans: readonly Plan[]) {
    this.#plans = plans;
  }

  /** Goes on behind the last tick that a checkpoint knows of; null: there was none. */
  resumeAt(lastTick: number | null): void {
    this.#second = lastTick === null ? 0 : secondOf(lastTick);
  }

  /** Begins the second of a tick. False: it has been ticked already. */
  begin(time: number): boolean {
    const second = secondOf(time);
    if (second <= this.#second) return false;
    this.#second = second;
    return true;
  }

  /** Lets a watch wait for the time at which it wants to be woken, if that is earlier than what it waits for already. */
  schedule(attached: Attached): void {
    if (!attached.wantsTicks || attached.gone || attached.fault !== null) return;
    const wanted = dueSecond(attached);
    if (wanted === null) return;
    // Never in a second that has been ticked already: it would be looked at only once more, in the next tick anyway.
    const slot = Math.max(wanted, this.#second + 1);
    if (slot >= attached.slot) return;
    attached.slot = slot;
    this.#due.add(slot, attached);
  }

  /** Takes out who may be due, in order; `isTurn` is asked of each right before its tick. */
  dueAt(time: number): Attached[] {
    const due = [...this.#due.due(time)].filter((attached) => !attached.gone);
    return due.sort(
      (a, b) =>
        compare(a.owner.id, b.owner.id) ||
        compare(a.stream ?? '', b.stream ?? '') ||
        this.#plans.indexOf(a.plan) - this.#plans.indexOf(b.plan),
    );
  }

  /** False: it has had its tick, or has come to want a later one, for which it then waits. */
  isTurn(attached: Attached, time: number): boolean {
    // Put in twice, since it once became due earlier: the second time there is nothing left to do.
    if (attached.slot > this.#second) return false;
    attached.slot = Number.POSITIVE_INFINITY;
    const wanted = dueSecond(attached);
    if (wanted !== null && wanted <= secondOf(time)) return true;
    this.schedule(attached);
    return false;
  }
}

const secondOf = (time: number): number => Math.floor(time / 1000);

/** The second in which a watch wants its next tick; null: none. */
function dueSecond(attached: Attached): number | null {
  const wakeAt = watchOf(attached)?.wakeAt?.() ?? null;
  return wakeAt === null ? null : DueTimes.slotOf(wakeAt);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

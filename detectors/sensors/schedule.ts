/**
 * Who wants a tick, by due time, to the second. Promises: adding costs O(1) however many are waiting, a tick costs only
 * those that are due (a full walk over a million watches each second would cost more than the data). Does not promise an
 * order within one call of `due`, and does not move an entry: an owner that is due later by then is simply put in again.
 */
export class DueTimes<T> {
  /** What is due, by second since the epoch. */
  readonly #slots = new Map<number, T[]>();
  /** The seconds that have a slot, as a binary min-heap. */
  readonly #heap: number[] = [];

  /** The first whole second at or after a time: the one rule by which "due" is decided everywhere. */
  static slotOf(time: number): number {
    return Math.ceil(time / 1000);
  }

  add(slot: number, item: T): void {
    const waiting = this.#slots.get(slot);
    if (waiting !== undefined) {
      waiting.push(item);
      return;
    }
    this.#slots.set(slot, [item]);
    this.#push(slot);
  }

  /** Takes out all that is due at `time`. */
  due(time: number): T[] {
    const now = Math.floor(time / 1000);
    const items: T[] = [];
    for (let slot = this.#heap[0]; slot !== undefined && slot <= now; slot = this.#heap[0]) {
      for (const item of this.#slots.get(slot) ?? []) items.push(item);
      this.#slots.delete(slot);
      this.#pop();
    }
    return items;
  }

  #push(slot: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(slot);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] ?? 0;
      if (above <= slot) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = slot;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child += 1;
      const below = heap[child] ?? 0;
      if (below >= last) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

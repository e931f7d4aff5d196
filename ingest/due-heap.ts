/**
 * Things by the time at which they are due, soonest first; a binary heap, so that looking for what is due costs nothing
 * for the many that are not. A thing may lie in it more than once: whoever takes it out knows which time holds.
 */
export interface DueHeap<T> {
  add(due: number, thing: T): void;
  /** Takes out the soonest one if it is due by `time`; undefined when none is. */
  takeDue(time: number): { due: number; thing: T } | undefined;
  readonly size: number;
}

export function dueHeap<T>(): DueHeap<T> {
  const heap: { due: number; thing: T }[] = [];
  const dueAt = (at: number) => heap[at]?.due ?? Number.POSITIVE_INFINITY;

  function swap(a: number, b: number): void {
    const [first, second] = [heap[a], heap[b]];
    if (first === undefined || second === undefined) return;
    heap[a] = second;
    heap[b] = first;
  }

  function rise(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1;
      if (dueAt(above) <= dueAt(at)) return;
      swap(at, above);
      at = above;
    }
  }

  function sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const sooner = dueAt(left + 1) < dueAt(left) ? left + 1 : left;
      if (dueAt(sooner) >= dueAt(at)) return;
      swap(at, sooner);
      at = sooner;
    }
  }

  return {
    get size() {
      return heap.length;
    },
    add(due, thing) {
      heap.push({ due, thing });
      rise(heap.length - 1);
    },
    takeDue(time) {
      const [first] = heap;
      if (first === undefined || first.due > time) return undefined;
      const last = heap.pop();
      if (last !== undefined && last !== first) {
        heap[0] = last;
        sink();
      }
      return first;
    },
  };
}

/** A value that can be watched. The smallest thing that live events and components can share. */
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Store<T> {
  get(): T;
  set(next: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The store's value, or what `select` takes from it; the component is drawn again only when that changes. */
export function useStore<T>(store: Store<T>): T;
export function useStore<T, S>(store: Store<T>, select: (value: T) => S): S;
export function useStore<T, S>(store: Store<T>, select?: (value: T) => S): T | S {
  const read = (): T | S => (select === undefined ? store.get() : select(store.get()));
  const [, redraw] = useState(0);
  const shown = useRef<T | S>(read());
  shown.current = read();
  const latestRead = useRef(read);
  latestRead.current = read;
  useEffect(() => {
    const check = (): void => {
      if (!Object.is(latestRead.current(), shown.current)) redraw((n) => n + 1);
    };
    // It may have changed between the drawing and this subscription.
    check();
    return store.subscribe(check);
  }, [store]);
  return shown.current;
}

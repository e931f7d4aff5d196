/** What is open, as the page's address: `#/alerts/<id>`. It can be sent to a colleague, and Back works. */
import { createStore } from './store.ts';

const read = (): string | null => {
  const match = /^#\/alerts\/(.+)$/.exec(typeof location === 'undefined' ? '' : location.hash);
  return match?.[1] === undefined ? null : decodeURIComponent(match[1]);
};

/** Id of the alert that is open; null = the overview. */
export const openAlertId = createStore<string | null>(read());
/** Id of the alert that the keyboard stands on. */
export const cursorId = createStore<string | null>(openAlertId.get());

export function openAlert(id: string | null): void {
  if (id !== null) cursorId.set(id);
  const hash = id === null ? '#/' : `#/alerts/${encodeURIComponent(id)}`;
  if (location.hash !== hash) location.hash = hash;
  openAlertId.set(id);
}

if (typeof window !== 'undefined') {
  window.addEventListener('hashchange', () => {
    const id = read();
    if (id !== null) cursorId.set(id);
    openAlertId.set(id);
  });
}

/** Dark or light: the system's preference until somebody chooses. */
import { createStore } from '../state/store.ts';

export type Theme = 'dark' | 'light';

const system = (): Theme => (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
const chosen = (): Theme | null => {
  const value = document.documentElement.dataset.theme;
  return value === 'dark' || value === 'light' ? value : null;
};

export const theme = createStore<Theme>(chosen() ?? system());

matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => {
  if (chosen() === null) theme.set(system());
});

export function toggleTheme(): void {
  const next: Theme = theme.get() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem('ql.theme', next);
  } catch {
    // Not remembered then.
  }
  theme.set(next);
}

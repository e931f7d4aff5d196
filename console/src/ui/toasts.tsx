/** Short words about what just happened, for eyes and for screen readers. */

import { useTexts } from '../i18n/index.ts';
import { createStore, useStore } from '../state/store.ts';
import { Icon } from './icons.tsx';

interface Toast {
  id: number;
  tone: 'good' | 'bad';
  text: string;
}

const toasts = createStore<readonly Toast[]>([]);
let nextId = 1;
/** A refusal stays longer: it has to be read, not only seen. */
const SHOWN_MS = { good: 4000, bad: 10_000 };

const drop = (id: number): void => toasts.set(toasts.get().filter((toast) => toast.id !== id));

export function say(tone: Toast['tone'], text: string): void {
  const id = nextId++;
  toasts.set([...toasts.get().slice(-3), { id, tone, text }]);
  setTimeout(() => drop(id), SHOWN_MS[tone]);
}

export function Toasts() {
  const { t } = useTexts();
  const list = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {list.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`}>
          <Icon name={toast.tone === 'good' ? 'check' : 'alert'} />
          <span>{toast.text}</span>
          <button
            type="button"
            class="icon-button"
            aria-label={t('error.dismiss')}
            onClick={() => drop(toast.id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

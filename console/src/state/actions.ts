/** What the officer can do. Each action says how it went; the caller need not. */
import type { Alert } from '../../../contracts/index.ts';
import { api } from '../api/client.ts';
import { currentTexts } from '../i18n/index.ts';
import { failureText } from '../ui/errors.ts';
import { say } from '../ui/toasts.tsx';
import { putAlert } from './desk.ts';
import { createStore } from './store.ts';

/** Ids of alerts whose acknowledgement is on its way: a second press does nothing. */
const underWay = new Set<string>();

export async function acknowledge(alert: Alert): Promise<void> {
  if (alert.state !== 'open' || underWay.has(alert.id)) return;
  underWay.add(alert.id);
  const { t, bi } = currentTexts();
  try {
    putAlert(await api.acknowledge(alert.id));
    say('good', t('alert.acknowledged.toast', { what: bi(alert.summary) }));
  } catch (error) {
    say('bad', failureText(error));
  } finally {
    underWay.delete(alert.id);
  }
}

export type Decision = 'confirm' | 'dismiss';
/** The decision whose dialog is open: set by a key or a button, taken up by the open draft case. */
export const deciding = createStore<Decision | null>(null);
export const helpOpen = createStore(false);

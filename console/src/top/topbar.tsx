/** Who we are, whether what you see is true right now, and what time it is. */
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api/client.ts';
import { toggleLanguage, useTexts } from '../i18n/index.ts';
import { helpOpen } from '../state/actions.ts';
import { line, session } from '../state/desk.ts';
import { clockSpeed, productNow, useNow } from '../state/product-clock.ts';
import { useStore } from '../state/store.ts';
import { clockTime, dateOf, machineTime, zone } from '../text/format.ts';
import { Icon } from '../ui/icons.tsx';
import { theme, toggleTheme } from '../ui/theme.ts';

function Line() {
  const { t } = useTexts();
  const state = useStore(line);
  const text = state.state === 'lost' ? t('line.lost.short') : t(`line.${state.state}`);
  return (
    <div class={`line ${state.state}`} role="status" data-testid="line">
      <span class="lamp" aria-hidden="true" />
      {text}
    </div>
  );
}

function Clock() {
  const { t } = useTexts();
  const now = useNow(clockSpeed() > 1 ? 250 : 1000);
  return (
    <div class="clock">
      <time dateTime={machineTime(now)} title={t('top.zone', { zone: zone() })}>
        <span class="date">{dateOf(now)}</span> <b>{clockTime(now)}</b> <span class="zone">{zone()}</span>
      </time>
      {clockSpeed() !== 1 && (
        <span class="tag" title={t('top.speed', { n: clockSpeed() })}>
          ×{clockSpeed()}
        </span>
      )}
    </div>
  );
}

export function Topbar() {
  const { t } = useTexts();
  const who = useStore(session);
  const shade = useStore(theme);
  const other = shade === 'dark' ? 'light' : 'dark';
  const role = who?.roles[0];
  return (
    <header class="topbar">
      <h1>
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 16c3.8-5.6 8.2-8.4 13-8.4S25.2 10.4 29 16c-3.8 5.6-8.2 8.4-13 8.4S6.8 21.6 3 16z" />
          <circle cx="16" cy="16" r="4.4" />
        </svg>
        {t('app.name')} <span class="tagline">{t('app.tagline')}</span>
      </h1>
      {who?.demo && <span class="tag demo">{t('top.demo')}</span>}
      <span class="grow" />
      <Line />
      <Clock />
      <div class="tools">
        <button
          type="button"
          class="button ghost"
          aria-label={t('top.language.label')}
          onClick={toggleLanguage}
          data-testid="language"
        >
          {t('top.language')}
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={t(`top.theme.${other}`)}
          title={t(`top.theme.${other}`)}
          onClick={toggleTheme}
          data-testid="theme"
        >
          <Icon name={shade === 'dark' ? 'sun' : 'moon'} />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={t('top.help')}
          title={`${t('top.help')} (?)`}
          onClick={() => helpOpen.set(true)}
        >
          <Icon name="help" />
        </button>
      </div>
      {who !== null && (
        <div class="who">
          <Icon name="person" />
          <span class="who-name">
            {who.name}
            {role !== undefined && <small>{t(`role.${role}`)}</small>}
          </span>
          <button
            type="button"
            class="icon-button"
            aria-label={t('top.signOut')}
            title={t('top.signOut')}
            onClick={() => void signOut()}
          >
            <Icon name="exit" />
          </button>
        </div>
      )}
    </header>
  );
}

async function signOut(): Promise<void> {
  // Whatever the server says, this page forgets who was here.
  await api.signOut().catch(() => undefined);
  session.set(null);
}

/** Over the whole width while what the screen shows may be old. */
export function LostBanner() {
  const { t } = useTexts();
  const state = useStore(line);
  const [since, setSince] = useState<number | null>(null);
  useEffect(
    () => setSince(state.state === 'lost' ? productNow() - (Date.now() - state.since) * clockSpeed() : null),
    [state],
  );
  if (since === null) return null;
  return (
    <div class="lost-banner" role="alert">
      <Icon name="alert" />
      {t('line.lost', { time: clockTime(since) })}
    </div>
  );
}

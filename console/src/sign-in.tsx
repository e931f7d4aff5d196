/** The door. Says no more about a wrong try than that it was wrong. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, api } from './api/client.ts';
import type { Session } from './api/types.ts';
import { toggleLanguage, useTexts } from './i18n/index.ts';
import { failureText } from './ui/errors.ts';
import { Icon } from './ui/icons.tsx';

export function SignIn({ ended, onSignedIn }: { ended: boolean; onSignedIn: (who: Session) => void }) {
  const { t } = useTexts();
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const submit = async (): Promise<void> => {
    if (user.trim() === '' || password === '') return setProblem(t('signin.empty'));
    setWorking(true);
    setProblem(null);
    try {
      await api.signIn(user.trim(), password);
      onSignedIn(await api.session());
    } catch (error) {
      const wrong = error instanceof ApiError && error.status === 401;
      setProblem(wrong ? t('signin.wrong') : failureText(error));
      setWorking(false);
    }
  };
  return (
    <main class="sign-in">
      <form
        aria-label={t('signin.title')}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 16c3.8-5.6 8.2-8.4 13-8.4S25.2 10.4 29 16c-3.8 5.6-8.2 8.4-13 8.4S6.8 21.6 3 16z" />
          <circle cx="16" cy="16" r="4.4" />
        </svg>
        <h1>{t('app.name')}</h1>
        <p class="dim">{t('app.tagline')}</p>
        {ended && problem === null && <p class="note">{t('signin.ended')}</p>}
        <label class="field">
          {t('signin.user')}
          <input
            ref={first}
            name="user"
            autocomplete="username"
            value={user}
            onInput={(event) => setUser(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          {t('signin.password')}
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        {problem !== null && (
          <p class="problem" role="alert">
            <Icon name="alert" />
            {problem}
          </p>
        )}
        <button type="submit" class="button primary" disabled={working}>
          {working ? t('signin.working') : t('signin.submit')}
        </button>
        <p class="dim small">{t('signin.hint')}</p>
        <button type="button" class="button ghost" onClick={toggleLanguage}>
          {t('top.language')}
        </button>
      </form>
    </main>
  );
}

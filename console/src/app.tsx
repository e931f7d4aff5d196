/**
 * The page:
 *
 *   session? ──no──▶ sign-in
 *      │ yes
 *      ▼
 *   top bar        connection · product time · language · theme · person
 *   pipeline       received → stored → findings → alerts → drafts → leads
 *   alert list │ overview, or the open alert: evidence │ draft case
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { AlertList, moveCursor } from './alerts/list.tsx';
import { ApiError, api, onSignedOut } from './api/client.ts';
import { Detail } from './detail/detail.tsx';
import { currentTexts, toggleLanguage, useTexts } from './i18n/index.ts';
import { Overview } from './overview/overview.tsx';
import { SignIn } from './sign-in.tsx';
import { acknowledge, type Decision, deciding, helpOpen } from './state/actions.ts';
import { alerts, counts, drafts, recoveries, session, startDesk } from './state/desk.ts';
import { cursorId, openAlert, openAlertId } from './state/route.ts';
import { useStore } from './state/store.ts';
import { Pipeline } from './top/pipeline.tsx';
import { LostBanner, Topbar } from './top/topbar.tsx';
import { Help } from './ui/help.tsx';
import { useKeys } from './ui/keys.ts';
import { Failure, Loading } from './ui/parts.tsx';
import { toggleTheme } from './ui/theme.ts';
import { say, Toasts } from './ui/toasts.tsx';

type Door =
  | { state: 'asking' }
  | { state: 'closed'; ended: boolean }
  | { state: 'open' }
  | { state: 'failed'; error: ApiError };

export function App() {
  const { t, language } = useTexts();
  const who = useStore(session);
  const [door, setDoor] = useState<Door>({ state: 'asking' });
  const [tries, setTries] = useState(0);

  useEffect(() => {
    setDoor({ state: 'asking' });
    api.session().then(
      (answer) => {
        session.set(answer);
        setDoor({ state: 'open' });
      },
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 401) setDoor({ state: 'closed', ended: false });
        else
          setDoor({
            state: 'failed',
            error: error instanceof ApiError ? error : new ApiError('INTERNAL', 0, String(error)),
          });
      },
    );
  }, [tries]);
  useEffect(
    () =>
      onSignedOut(() => {
        session.set(null);
        setDoor({ state: 'closed', ended: true });
      }),
    [],
  );
  useEffect(() => {
    if (who === null)
      setDoor((before) => (before.state === 'open' ? { state: 'closed', ended: false } : before));
  }, [who]);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);

  if (door.state === 'asking') return <Loading text="" />;
  if (door.state === 'failed') {
    return (
      <main class="sign-in">
        <p>{t('error.boot')}</p>
        <Failure error={door.error} retry={() => setTries((n) => n + 1)} />
      </main>
    );
  }
  if (door.state === 'closed' || who === null) {
    const ended = door.state === 'closed' && door.ended;
    return (
      <SignIn
        ended={ended}
        onSignedIn={(fresh) => {
          session.set(fresh);
          setDoor({ state: 'open' });
        }}
      />
    );
  }
  return <DutyDesk key={who.user} />;
}

/** The alert that keys speak of: where the keyboard stands, else the open one. */
const chosenAlert = () => alerts.get().book.get(cursorId.get() ?? openAlertId.get() ?? '');

/** Opens the dialog for the open alert's draft, if it still waits for a decision. */
function decide(decision: Decision): void {
  if (session.get()?.roles.includes('reviewer') !== true) return;
  const open = openAlertId.get();
  const draft = [...drafts.get().values()].find((candidate) => candidate.alert === open);
  if (draft?.state === 'draft') deciding.set(decision);
}

function DutyDesk() {
  const { t, language } = useTexts();
  const open = useStore(openAlertId);
  const help = useStore(helpOpen);
  const recovered = useStore(recoveries);
  const openCount = useStore(counts, (latest) => latest?.now.alertsOpen ?? 0);
  const search = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const who = session.get();
    return who === null ? undefined : startDesk(who);
  }, []);
  useEffect(() => {
    if (recovered > 0) say('good', currentTexts().t('line.back'));
  }, [recovered]);
  useEffect(() => {
    document.title = openCount > 0 ? `(${openCount}) ${t('app.title')}` : t('app.title');
  }, [openCount, language]);
  useKeys(
    useMemo(
      () => ({
        j: () => moveCursor(1),
        k: () => moveCursor(-1),
        ArrowDown: () => moveCursor(1),
        ArrowUp: () => moveCursor(-1),
        Enter: () => openAlert(cursorId.get()),
        a: () => {
          const alert = chosenAlert();
          if (alert !== undefined) void acknowledge(alert);
        },
        c: () => decide('confirm'),
        x: () => decide('dismiss'),
        l: toggleLanguage,
        t: toggleTheme,
        '/': () => search.current?.focus(),
        '?': () => helpOpen.set(true),
        Escape: () => openAlert(null),
      }),
      [],
    ),
  );
  return (
    <div class={`desk-page ${open === null ? 'at-overview' : 'at-detail'}`}>
      <Topbar />
      <LostBanner />
      <Pipeline />
      <div class="rooms">
        <AlertList searchRef={search} />
        {open === null ? <Overview /> : <Detail key={open} id={open} />}
      </div>
      <Toasts />
      {help && <Help />}
    </div>
  );
}

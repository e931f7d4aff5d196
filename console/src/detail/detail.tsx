/**
 * One alert: its evidence on the left, the draft case that came of it on the right. Read from the API when opened and again
 * (at most every {@link REFRESH_MS}) when the live line says that it changed.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Alert, Finding } from '../../../contracts/index.ts';
import { ApiError, api } from '../api/client.ts';
import type { AlertDetail } from '../api/types.ts';
import { useTexts } from '../i18n/index.ts';
import { DraftPanel } from '../review/draft.tsx';
import { acknowledge } from '../state/actions.ts';
import { alerts, catalog, devices, drafts, noteAlert, putDrafts, session } from '../state/desk.ts';
import { namesOf } from '../state/places.ts';
import { openAlert } from '../state/route.ts';
import { useStore } from '../state/store.ts';
import { clockTime, dayTime, interval, span } from '../text/format.ts';
import { Icon, KindIcon, SeverityIcon } from '../ui/icons.tsx';
import { Failure, Loading, Time } from '../ui/parts.tsx';
import { ChartPanel } from './chart.tsx';
import { DevicePanel } from './device.tsx';
import { framesOf, PicturePanel } from './picture.tsx';
import { WhyPanel } from './why.tsx';

const REFRESH_MS = 1500;

function useDetail(id: string, live: Alert | undefined) {
  const [detail, setDetail] = useState<AlertDetail | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [tries, setTries] = useState(0);
  const lastRead = useRef({ id: '', at: 0 });
  const gone = useRef(false);
  // What makes a new reading worth while; the summary's numbers come with the alert itself.
  const mark =
    live === undefined ? '' : `${live.lastSeenAt}/${live.state}/${live.findings.length}/${live.draftCase}`;

  useEffect(() => {
    const wait = lastRead.current.id === id ? Math.max(0, lastRead.current.at + REFRESH_MS - Date.now()) : 0;
    const timer = setTimeout(() => {
      lastRead.current = { id, at: Date.now() };
      api
        .alert(id)
        .then((answer) => {
          if (lastRead.current.id !== id || gone.current) return;
          setError(null);
          setDetail(answer);
          noteAlert(answer.alert);
          if (answer.draftCase !== null) putDrafts([answer.draftCase]);
        })
        .catch((reason: unknown) => {
          if (lastRead.current.id === id && !gone.current)
            setError(reason instanceof ApiError ? reason : new ApiError('INTERNAL', 0, String(reason)));
        });
    }, wait);
    // An answer on its way is still good when the alert changes again; only the waiting one is put off.
    return () => clearTimeout(timer);
  }, [id, mark, tries]);
  useEffect(
    () => () => {
      gone.current = true;
    },
    [],
  );
  return { detail: detail?.alert.id === id ? detail : null, error, retry: () => setTries((n) => n + 1) };
}

export function Detail({ id }: { id: string }) {
  const { t, bi } = useTexts();
  const { book } = useStore(alerts);
  const live = book.get(id);
  const { detail, error, retry } = useDetail(id, live);
  const places = useStore(catalog);
  const deviceMap = useStore(devices);
  const knownDrafts = useStore(drafts);
  const names = namesOf(places, deviceMap);
  const alert = live ?? detail?.alert;

  if (alert === undefined) {
    const missing = error?.code === 'NOT_FOUND';
    return (
      <main class="detail">
        <BackButton />
        {error === null ? (
          <Loading text={t('alert.loading')} />
        ) : missing ? (
          <div class="note empty">{t('alert.missing')}</div>
        ) : (
          <Failure error={error} retry={retry} />
        )}
      </main>
    );
  }
  const device = detail?.device ?? deviceMap.get(alert.device) ?? null;
  const deviceName = bi(device?.name ?? names.device(alert.device));
  const area = names.area(alert.location);
  const findings = detail?.findings ?? [];
  const draftId = alert.draftCase ?? detail?.draftCase?.id ?? null;
  const draft = (draftId === null ? undefined : knownDrafts.get(draftId)) ?? detail?.draftCase ?? null;
  return (
    <main class="detail" data-testid="detail">
      <DetailHead
        alert={alert}
        place={[area === null ? null : bi(area), deviceName].filter(Boolean).join(' · ')}
      />
      <div class="detail-columns">
        <div class="evidence-column">
          {error !== null && <Failure error={error} retry={retry} />}
          {detail === null && error === null && <Loading text={t('alert.loading')} />}
          {detail !== null && (
            <>
              {framesOf(findings).length > 0 && <PicturePanel findings={findings} name={deviceName} />}
              <Charts
                alert={alert}
                findings={findings}
                device={device}
                name={deviceName}
                limits={places?.limits ?? []}
              />
              <WhyPanel findings={findings} matterName={(matter) => bi(names.matter(matter))} />
              <DevicePanel alert={alert} device={device} area={area === null ? null : bi(area)} />
            </>
          )}
        </div>
        <DraftPanel draft={draft} expected={draftId !== null || detail === null} names={names} />
      </div>
    </main>
  );
}

/** One chart for each datastream that the findings rest on, the newest finding's first; at most three. */
function Charts(props: {
  alert: Alert;
  findings: readonly Finding[];
  device: AlertDetail['device'];
  name: string;
  limits: Parameters<typeof ChartPanel>[0]['limits'];
}) {
  const byStream = new Map<string, Finding>();
  for (const finding of props.findings)
    for (const stream of finding.input.datastreams) byStream.set(stream, finding);
  return (
    <>
      {[...byStream].slice(0, 3).map(([datastream, finding]) => (
        <ChartPanel
          key={datastream}
          datastream={datastream}
          finding={finding}
          device={props.device}
          limits={props.limits}
          name={props.name}
        />
      ))}
    </>
  );
}

function BackButton() {
  const { t } = useTexts();
  return (
    <button
      type="button"
      class="icon-button back"
      aria-label={t('alert.close')}
      title={`${t('alert.close')} (Esc)`}
      onClick={() => openAlert(null)}
    >
      <Icon name="back" />
    </button>
  );
}

function DetailHead({ alert, place }: { alert: Alert; place: string }) {
  const texts = useTexts();
  const { t, bi } = texts;
  return (
    <header class={`detail-head ${alert.severity}`}>
      <BackButton />
      <SeverityIcon severity={alert.severity} />
      <div class="detail-title">
        <h2 title={bi(alert.summary)}>{bi(alert.summary)}</h2>
        <p>
          <span class="row-kind">
            <KindIcon kind={alert.kind} />
            {t(`kind.${alert.kind}`)}
          </span>
          <span>{place}</span>
          <span>
            {interval(alert.startedAt, alert.lastSeenAt)}
            {alert.lastSeenAt > alert.startedAt &&
              `${texts.language === 'zh' ? '，' : ', '}${t('alert.lasting', { span: span(alert.lastSeenAt - alert.startedAt, texts) })}`}
          </span>
          <span class="dim">
            {t('alert.raised')} <Time at={alert.raisedAt}>{clockTime(alert.raisedAt)}</Time>
            {alert.resolvedAt !== null &&
              ` · ${t('alert.resolvedAt', { time: clockTime(alert.resolvedAt) })}`}
          </span>
        </p>
      </div>
      <AlertStep alert={alert} />
    </header>
  );
}

/** The state, or the step that leads on from it. */
function AlertStep({ alert }: { alert: Alert }) {
  const { t } = useTexts();
  const may = useStore(session, (who) => who?.roles.some((role) => role !== 'administrator') ?? false);
  if (alert.state === 'open' && may) {
    return (
      <button type="button" class="button" onClick={() => void acknowledge(alert)} data-testid="acknowledge">
        {t('alert.acknowledge')}{' '}
        <span class="kbd" aria-hidden="true">
          A
        </span>
      </button>
    );
  }
  const title =
    alert.acknowledgedBy === null || alert.acknowledgedAt === null
      ? undefined
      : t('alert.acknowledgedBy', { who: alert.acknowledgedBy, time: dayTime(alert.acknowledgedAt) });
  return (
    <span class="tag" title={title} data-testid="alert-state">
      {t(`alert.state.${alert.state}`)}
      {alert.acknowledgedBy !== null && ` · ${alert.acknowledgedBy}`}
    </span>
  );
}

/** What stands in the room of the detail while no alert is open: the district, and what waits for a decision. */
import { useMemo } from 'preact/hooks';
import type { DraftCase, FindingKind } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import { DistrictMap } from '../map/map.tsx';
import { alerts, catalog, devices, drafts } from '../state/desk.ts';
import { KINDS } from '../state/filter.ts';
import { type Names, namesOf } from '../state/places.ts';
import { useNow } from '../state/product-clock.ts';
import { openAlert } from '../state/route.ts';
import { useStore } from '../state/store.ts';
import { fullTime, span } from '../text/format.ts';
import { KindIcon } from '../ui/icons.tsx';
import { Panel } from '../ui/parts.tsx';

const SHOWN = 50;

export function Overview() {
  const { t } = useTexts();
  const all = useStore(drafts);
  const places = useStore(catalog);
  const deviceMap = useStore(devices);
  const names = useMemo(() => namesOf(places, deviceMap), [places, deviceMap]);
  const waiting = useMemo(
    () => [...all.values()].filter((draft) => draft.state === 'draft').sort((a, b) => a.dueAt - b.dueAt),
    [all],
  );
  return (
    <main class="overview" data-testid="overview">
      <Panel title={t('overview.title')} class="map-panel">
        <DistrictMap />
        <p class="hint dim">{t('overview.hint')}</p>
      </Panel>
      <div class="overview-side">
        <ByKind />
        <ByUnit waiting={waiting} names={names} />
        <Panel
          title={t('overview.waiting')}
          class="waiting"
          aside={<span class="dim">{waiting.length}</span>}
        >
          {waiting.length === 0 && <p class="note empty">{t('overview.waiting.none')}</p>}
          <ul>
            {waiting.slice(0, SHOWN).map((draft) => (
              <Waiting key={draft.id} draft={draft} names={names} />
            ))}
          </ul>
        </Panel>
      </div>
    </main>
  );
}

function Waiting({ draft, names }: { draft: DraftCase; names: Names }) {
  const texts = useTexts();
  const { t, bi } = texts;
  const left = draft.dueAt - useNow(10_000);
  return (
    <li>
      <button type="button" onClick={() => openAlert(draft.alert)}>
        <span class="waiting-cause">{bi(draft.cause)}</span>
        <span class={left < 0 ? 'over' : 'dim'} title={fullTime(draft.dueAt)}>
          {left < 0
            ? t('draft.due.over', { span: span(-left, texts) })
            : t('draft.due.left', { span: span(left, texts) })}
        </span>
        <span class="waiting-unit">
          {draft.route.unit === null ? t('draft.desk.nobody') : bi(names.unit(draft.route.unit))}
        </span>
        <span class="number">{draft.number}</span>
      </button>
    </li>
  );
}

/** A name, a bar and a number in each row; the longest bar is the whole width. */
function Bars({ rows }: { rows: readonly { key: string; label: string; icon?: FindingKind; n: number }[] }) {
  const most = Math.max(1, ...rows.map((row) => row.n));
  return (
    <ul class="bars">
      {rows.map((row) => (
        <li key={row.key}>
          <span class="bar-label">
            {row.icon !== undefined && <KindIcon kind={row.icon} />}
            {row.label}
          </span>
          <span class="bar" aria-hidden="true">
            <span style={{ transform: `scaleX(${row.n / most})` }} />
          </span>
          <b>{row.n}</b>
        </li>
      ))}
    </ul>
  );
}

function ByKind() {
  const { t } = useTexts();
  const { book, version } = useStore(alerts);
  const sums = useMemo(() => {
    const byKind = new Map<FindingKind, number>();
    for (const alert of book.all()) {
      if (alert.state !== 'resolved') byKind.set(alert.kind, (byKind.get(alert.kind) ?? 0) + 1);
    }
    return byKind;
  }, [book, version]);
  return (
    <Panel title={t('overview.byKind')}>
      <Bars
        rows={KINDS.map((kind) => ({
          key: kind,
          label: t(`kind.${kind}`),
          icon: kind,
          n: sums.get(kind) ?? 0,
        }))}
      />
    </Panel>
  );
}

function ByUnit({ waiting, names }: { waiting: readonly DraftCase[]; names: Names }) {
  const { t, bi } = useTexts();
  const sums = new Map<string | null, number>();
  for (const { route } of waiting) sums.set(route.unit, (sums.get(route.unit) ?? 0) + 1);
  if (sums.size === 0) return null;
  const rows = [...sums].sort((a, b) => b[1] - a[1]);
  return (
    <Panel title={t('overview.byUnit')}>
      <Bars
        rows={rows.map(([unit, n]) => ({
          key: unit ?? '',
          label: unit === null ? t('draft.desk.nobody') : bi(names.unit(unit)),
          n,
        }))}
      />
    </Panel>
  );
}

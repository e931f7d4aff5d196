/**
 * The live list. Only the rows in sight exist, so ten thousand alerts scroll like ten. While the officer has scrolled
 * down, new alerts do not push what he reads away: the list keeps its place and a button tells how many came.
 */

import type { RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Alert, FindingKind } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import {
  alerts,
  alertsLoading,
  arrived,
  catalog,
  devices,
  drafts,
  loadAll,
  loadOlderAlerts,
  olderAlerts,
} from '../state/desk.ts';
import { type Filter, filterAlerts, NO_FILTER } from '../state/filter.ts';
import { namesOf, unitOf } from '../state/places.ts';
import { useNow } from '../state/product-clock.ts';
import { cursorId, openAlert, openAlertId } from '../state/route.ts';
import { createStore, useStore } from '../state/store.ts';
import { count } from '../text/format.ts';
import { Failure, Loading } from '../ui/parts.tsx';
import { Filters } from './filters.tsx';
import { AlertRow } from './row.tsx';
import { rowWindow, scrollToRow } from './window.ts';

export const ROW_HEIGHT = 72;
/** Kept outside of the list so that it survives looking at an alert on a phone. */
const filterStore = createStore<Filter>(NO_FILTER);
/** The ids as shown, for the keys. */
export const shownIds = createStore<readonly string[]>([]);

/** Moves the keyboard's place by `step` rows. */
export function moveCursor(step: number): void {
  const ids = shownIds.get();
  if (ids.length === 0) return;
  const at = ids.indexOf(cursorId.get() ?? '');
  const next = at === -1 ? 0 : Math.min(ids.length - 1, Math.max(0, at + step));
  cursorId.set(ids[next] ?? null);
}

function useShown(filter: Filter) {
  const { book, version } = useStore(alerts);
  const known = useStore(drafts);
  const places = useStore(catalog);
  const deviceMap = useStore(devices);
  const names = useMemo(() => namesOf(places, deviceMap), [places, deviceMap]);
  const shown = useMemo(() => {
    const searchable = (alert: Alert): string => {
      const unit = unitOf(alert, known);
      const parts = [
        names.device(alert.device),
        names.area(alert.location),
        unit === null ? null : names.unit(unit),
      ];
      return parts.map((part) => (part === null ? '' : `${part.zh} ${part.en}`)).join(' ');
    };
    return filterAlerts(book.all(), filter, searchable);
    // The book is one object; its version tells that it changed.
  }, [book, version, filter, known, names]);
  const perKind = useMemo(() => {
    const sums = new Map<FindingKind, number>();
    for (const alert of book.all())
      if (alert.state !== 'resolved') sums.set(alert.kind, (sums.get(alert.kind) ?? 0) + 1);
    return sums;
  }, [book, version]);
  return { shown, perKind, names, known, total: book.size };
}

/** Follows the scroll position and the height of the list. */
function useViewport(ref: RefObject<HTMLDivElement | null>) {
  const [view, setView] = useState({ top: 0, height: 600 });
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const read = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(read);
    observer.observe(element);
    element.addEventListener('scroll', read, { passive: true });
    read();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', read);
    };
  }, [ref]);
  return view;
}

export function AlertList({ searchRef }: { searchRef: RefObject<HTMLInputElement | null> }) {
  const texts = useTexts();
  const { t } = texts;
  const filter = useStore(filterStore);
  const open = useStore(openAlertId);
  const cursor = useStore(cursorId);
  const fresh = useStore(arrived);
  const now = useNow(5000);
  const scroller = useRef<HTMLDivElement>(null);
  const view = useViewport(scroller);
  const { shown, perKind, names, known, total } = useShown(filter);
  const [unseen, setUnseen] = useState(0);

  shownIds.set(useMemo(() => shown.map((alert) => alert.id), [shown]));

  // Keep what the officer reads where it is when rows come in above it.
  const firstSeen = useRef<string | null>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const anchor = firstSeen.current;
    if (element.scrollTop > ROW_HEIGHT && anchor !== null) {
      const moved =
        shown.findIndex((alert) => alert.id === anchor) - Math.floor(element.scrollTop / ROW_HEIGHT);
      if (moved > 0) {
        element.scrollTop += moved * ROW_HEIGHT;
        setUnseen((n) => n + moved);
      }
    }
  }, [shown]);
  useEffect(() => {
    firstSeen.current = shown[Math.floor(view.top / ROW_HEIGHT)]?.id ?? null;
    if (view.top < ROW_HEIGHT) setUnseen(0);
    if (view.top + view.height > shown.length * ROW_HEIGHT - 2000) void loadOlderAlerts();
  }, [view, shown]);
  useEffect(() => {
    const element = scroller.current;
    const index = cursor === null ? -1 : shownIds.get().indexOf(cursor);
    if (element === null || index === -1) return;
    const to = scrollToRow(index, element.scrollTop, element.clientHeight, ROW_HEIGHT);
    if (to !== null) element.scrollTop = to;
  }, [cursor]);

  const setFilter = useCallback((next: Filter) => {
    filterStore.set(next);
    if (scroller.current !== null) scroller.current.scrollTop = 0;
  }, []);
  const rows = rowWindow(view.top, view.height, ROW_HEIGHT, shown.length);

  return (
    <aside class="alerts" aria-label={t('list.label')}>
      <Filters filter={filter} onChange={setFilter} perKind={perKind} searchRef={searchRef} />
      <div class="list-status" aria-live="off">
        <span data-testid="shown">{t('list.count', { n: count(shown.length) })}</span>
        {unseen > 0 && (
          <button type="button" class="pill" onClick={() => scroller.current?.scrollTo({ top: 0 })}>
            ↑ {t('list.new', { n: unseen })}
          </button>
        )}
      </div>
      <div
        ref={scroller}
        class="list"
        role="listbox"
        tabIndex={0}
        aria-label={t('list.label')}
        {...(cursor !== null && shown.slice(rows.first, rows.end).some((alert) => alert.id === cursor)
          ? { 'aria-activedescendant': `alert-${cursor}` }
          : {})}
      >
        <div class="list-space" style={{ height: `${shown.length * ROW_HEIGHT}px` }}>
          {shown.slice(rows.first, rows.end).map((alert, i) => {
            const unit = unitOf(alert, known);
            const index = rows.first + i;
            return (
              <AlertRow
                key={alert.id}
                alert={alert}
                texts={texts}
                device={names.device(alert.device)}
                area={names.area(alert.location)}
                unit={unit === null ? null : names.unit(unit)}
                now={now}
                index={index}
                total={shown.length}
                top={index * ROW_HEIGHT}
                open={alert.id === open}
                cursor={alert.id === cursor}
                fresh={fresh.has(alert.id)}
                onOpen={() => openAlert(alert.id)}
              />
            );
          })}
        </div>
        <Nothing
          shown={shown.length}
          filtered={total > 0}
          clear={() => setFilter({ ...NO_FILTER, state: 'all' })}
        />
      </div>
    </aside>
  );
}

/** What stands where no row does: loading, failed, empty, or filtered away. */
function Nothing({ shown, filtered, clear }: { shown: number; filtered: boolean; clear: () => void }) {
  const { t } = useTexts();
  const loading = useStore(alertsLoading);
  const more = useStore(olderAlerts);
  if (shown > 0) return more === null ? null : <Loading text={t('list.older')} />;
  if (loading.state === 'loading') return <SkeletonRows />;
  if (loading.state === 'failed') return <Failure error={loading.error} retry={loadAll} />;
  return (
    <div class="note empty">
      <p>{filtered ? t('list.empty.filter') : t('list.empty')}</p>
      {filtered ? (
        <button type="button" class="button small" onClick={clear}>
          {t('list.clear')}
        </button>
      ) : (
        <p class="dim">{t('list.empty.hint')}</p>
      )}
    </div>
  );
}

const SkeletonRows = () => (
  <div aria-hidden="true">
    {[0, 1, 2, 3, 4, 5].map((n) => (
      <div key={n} class="row-skeleton" />
    ))}
  </div>
);

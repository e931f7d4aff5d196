/**
 * What the page knows, and how it comes to know it:
 *
 *   GET session ─▶ GET catalog, devices, alerts, draft cases, leads, counts   (once, and again after a broken line)
 *                    │
 *   GET events ──────┴─▶ stores below ─▶ components
 *
 * Live events are gathered for {@link BATCH_MS} and put into the stores together: fifty alerts a second cost twenty
 * drawings a second, not fifty. Stores hold new Map objects after a change, so that components see it.
 */
import type { Alert, DraftCase, RegisteredDevice } from '../../../contracts/index.ts';
import { ApiError, api } from '../api/client.ts';
import type { CatalogView, Counts, LeadRow, Session } from '../api/types.ts';
import { type LineState, openLine } from '../live/connection.ts';
import type { ServerEvent } from '../live/sse.ts';
import { setUtcOffset } from '../text/format.ts';
import { AlertBook } from './alert-book.ts';
import { setProductClock } from './product-clock.ts';
import { createStore } from './store.ts';

const BATCH_MS = 50;
const PAGE = 200;
const LINE_PATIENCE_MS = 800;
/** Devices on the map and draft cases in memory: enough for a district; more come with the device page. */
const DEVICE_PAGES = 10;

export const session = createStore<Session | null>(null);
export const line = createStore<LineState>({ state: 'connecting' });
export const catalog = createStore<CatalogView | null>(null);
/** By device id. */
export const devices = createStore<ReadonlyMap<string, RegisteredDevice>>(new Map());
/** The book is one object that changes; `version` counts its changes. */
export const alerts = createStore({ book: new AlertBook(), version: 0 });
/** By draft case id. */
export const drafts = createStore<ReadonlyMap<string, DraftCase>>(new Map());
/** By draft case id: the lead that came of it. */
export const leads = createStore<ReadonlyMap<string, LeadRow>>(new Map());
/** Counts, with those of about a second before, for rates. */
export const counts = createStore<{ now: Counts; at: number; perSecond: number | null } | null>(null);
/** Ids of alerts that came live and were not drawn before: they slide in. */
export const arrived = createStore<ReadonlySet<string>>(new Set());
export type Loading = { state: 'loading' } | { state: 'ready' } | { state: 'failed'; error: ApiError };
export const alertsLoading = createStore<Loading>({ state: 'loading' });
export const catalogLoading = createStore<Loading>({ state: 'loading' });
/** Cursor of the next older page; null = all are here. */
export const olderAlerts = createStore<string | null>(null);
/** The line was broken and is up again: a moment for a word to the officer. */
export const recoveries = createStore(0);

const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError('INTERNAL', 0, String(error));

const bookChanged = (): void => alerts.set({ book: alerts.get().book, version: alerts.get().version + 1 });

export function putAlert(alert: Alert): void {
  alerts.get().book.putLive(alert);
  bookChanged();
}

/** An alert that was asked for by itself, perhaps older than all in the list. */
export function noteAlert(alert: Alert): void {
  const { book } = alerts.get();
  if (book.get(alert.id) !== undefined) return;
  book.putList([alert], book.mark());
  bookChanged();
}

/** Only a newer version replaces a known one: answers and events may overtake each other. */
export function putDrafts(list: readonly DraftCase[]): void {
  const next = new Map(drafts.get());
  for (const draft of list)
    if ((next.get(draft.id)?.version ?? -1) <= draft.version) next.set(draft.id, draft);
  drafts.set(next);
}

function putLeads(list: readonly LeadRow[]): void {
  const next = new Map(leads.get());
  for (const lead of list) next.set(lead.draftCase, lead);
  leads.set(next);
}

function putCounts(now: Counts): void {
  const before = counts.get();
  const at = performance.now();
  if (before === null) {
    counts.set({ now, at, perSecond: null });
    return;
  }
  const seconds = (at - before.at) / 1000;
  // Two answers within the same moment make no rate.
  if (seconds < 0.5) {
    counts.set({ ...before, now });
    return;
  }
  const rate = Math.max(0, (now.observations.acknowledged - before.now.observations.acknowledged) / seconds);
  // Smoothed a little: a number that jumps cannot be read.
  const perSecond = before.perSecond === null ? rate : before.perSecond * 0.6 + rate * 0.4;
  counts.set({ now, at, perSecond });
}

let everLoaded = false;
async function loadAlerts(): Promise<void> {
  const { book } = alerts.get();
  const mark = book.mark();
  try {
    const page = await api.alerts({ limit: PAGE });
    // With no known alert among these there is a gap behind them: scrolling down fills it.
    const joins = page.items.some((alert) => book.get(alert.id) !== undefined);
    book.putList(page.items, mark);
    if (!everLoaded || !joins) olderAlerts.set(page.next);
    everLoaded = true;
    alertsLoading.set({ state: 'ready' });
    bookChanged();
  } catch (error) {
    if (book.size === 0) alertsLoading.set({ state: 'failed', error: asApiError(error) });
  }
}

let loadingOlder = false;
/** The next page of older alerts, when there is one and none is on its way. */
export async function loadOlderAlerts(): Promise<void> {
  const before = olderAlerts.get();
  if (before === null || loadingOlder) return;
  loadingOlder = true;
  try {
    const { book } = alerts.get();
    const mark = book.mark();
    const page = await api.alerts({ limit: PAGE, before });
    book.putList(page.items, mark);
    olderAlerts.set(page.next);
    bookChanged();
  } catch {
    // The cursor stays: scrolling on tries again.
  } finally {
    loadingOlder = false;
  }
}

async function loadCatalog(): Promise<void> {
  try {
    catalog.set(await api.catalog());
    catalogLoading.set({ state: 'ready' });
  } catch (error) {
    if (catalog.get() === null) catalogLoading.set({ state: 'failed', error: asApiError(error) });
  }
}

async function loadDevices(): Promise<void> {
  const known = new Map<string, RegisteredDevice>();
  let cursor: string | null = null;
  for (let page = 0; page < DEVICE_PAGES; page += 1) {
    const answer = await api.devices({ limit: 1000, ...(cursor === null ? {} : { after: cursor }) });
    for (const device of answer.items) known.set(device.id, device);
    if (answer.next === null || answer.next === undefined) break;
    cursor = answer.next;
  }
  devices.set(known);
}

const quietly = (work: Promise<unknown>): void => {
  // What fails here is tried again when the line comes back; the screen shows ids instead of names meanwhile.
  work.catch(() => undefined);
};

/** Reads everything that the live line does not repeat. */
export function loadAll(): void {
  quietly(loadAlerts());
  quietly(loadCatalog());
  quietly(loadDevices());
  quietly(api.draftCases({ limit: PAGE }).then((page) => putDrafts(page.items)));
  quietly(api.leads().then((page) => putLeads(page.items)));
  quietly(api.counts().then(putCounts));
}

function takeBatch(batch: readonly ServerEvent[]): void {
  const { book } = alerts.get();
  const fresh: string[] = [];
  const draftList: DraftCase[] = [];
  const leadList: LeadRow[] = [];
  let lastCounts: Counts | null = null;
  let alertsChanged = false;
  let isReset = false;
  for (const { event, data } of batch) {
    if (event === 'alert') {
      const alert = JSON.parse(data) as Alert;
      if (book.putLive(alert)) fresh.push(alert.id);
      alertsChanged = true;
    } else if (event === 'draft-case') draftList.push(JSON.parse(data) as DraftCase);
    else if (event === 'lead') leadList.push(JSON.parse(data) as LeadRow);
    else if (event === 'reset') isReset = true;
    else if (event === 'counts') lastCounts = JSON.parse(data) as Counts;
  }
  if (draftList.length > 0) putDrafts(draftList);
  if (leadList.length > 0) putLeads(leadList);
  if (lastCounts !== null) putCounts(lastCounts);
  if (fresh.length > 0) arrived.set(new Set(fresh));
  if (alertsChanged) bookChanged();
  // We were away for longer than the server keeps events.
  if (isReset) loadAll();
}

/** Starts the desk for a signed-in person; returns the way to stop it. */
export function startDesk(who: Session): () => void {
  setProductClock(who.clock);
  if (who.clock?.utcOffsetMinutes !== undefined) setUtcOffset(who.clock.utcOffsetMinutes);
  let batch: ServerEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    timer = undefined;
    const events = batch;
    batch = [];
    takeBatch(events);
  };
  // The lists are read once the line is up, so that nothing falls between them; without a line they are read all the same.
  let loaded = false;
  const loadOnce = (): void => {
    if (loaded) return;
    loaded = true;
    loadAll();
  };
  const patience = setTimeout(loadOnce, LINE_PATIENCE_MS);
  const close = openLine({
    url: '/api/events',
    onEvent(event) {
      batch.push(event);
      timer ??= setTimeout(flush, BATCH_MS);
    },
    onState: (state) => line.set(state),
    onOpen(again) {
      loadOnce();
      if (again) {
        loadAll();
        recoveries.set(recoveries.get() + 1);
        // The product may have been started anew, with another clock.
        quietly(api.session().then((fresh) => setProductClock(fresh.clock)));
      }
    },
  });
  return () => {
    clearTimeout(timer);
    clearTimeout(patience);
    close();
  };
}

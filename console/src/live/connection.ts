/**
 * The live line to the product. Promises: resumes with `Last-Event-ID` after every break, so that no event is missed
 * or shown twice as new; notices a line that has gone silent; backs off, and tells its state.
 * It does not buffer: an event is handed on at once.
 */
import { tellSignedOut } from '../api/client.ts';
import { eventParser, type ServerEvent } from './sse.ts';

export type LineState =
  | { state: 'connecting' }
  | { state: 'live' }
  /** Broken since `since`; the next try is on its way. */
  | { state: 'reconnecting'; since: number }
  /** Broken for longer than {@link LOST_AFTER_MS}: what the screen shows may be old. */
  | { state: 'lost'; since: number };

export const LOST_AFTER_MS = 10_000;
/** The server sends a heartbeat every 15 s; twice that and a bit is a dead line. */
const SILENCE_MS = 35_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

export interface LineOptions {
  url: string;
  onEvent: (event: ServerEvent) => void;
  onState: (state: LineState) => void;
  /** The line is up; `again` = it was broken before, so what came by other ways should be read anew. */
  onOpen: (again: boolean) => void;
}

/** Opens the line and keeps it; returns the way to close it. */
export function openLine(options: LineOptions): () => void {
  let closed = false;
  let lastId = '';
  let brokenSince: number | null = null;
  let retryMs = FIRST_RETRY_MS;
  let openedBefore = false;
  let abort = new AbortController();
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let lostTimer: ReturnType<typeof setTimeout> | undefined;

  const up = (): void => {
    clearTimeout(lostTimer);
    brokenSince = null;
    retryMs = FIRST_RETRY_MS;
    options.onState({ state: 'live' });
    options.onOpen(openedBefore);
    openedBefore = true;
  };

  const down = (): void => {
    if (closed) return;
    if (brokenSince === null) {
      const since = Date.now();
      brokenSince = since;
      options.onState({ state: 'reconnecting', since });
      lostTimer = setTimeout(() => options.onState({ state: 'lost', since }), LOST_AFTER_MS);
    }
    retryTimer = setTimeout(() => void connect(), retryMs);
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  };

  const read = async (body: ReadableStream<Uint8Array>, signal: AbortController): Promise<void> => {
    const parse = eventParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let isUp = false;
    for (;;) {
      const silence = setTimeout(() => signal.abort(), SILENCE_MS);
      const { value, done } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      // Only with the first bytes has the server chosen where the events begin: what is read elsewhere after this
      // moment, and the events, together miss nothing.
      if (!isUp) up();
      isUp = true;
      for (const event of parse(decoder.decode(value, { stream: true }))) {
        if (event.id !== '') lastId = event.id;
        options.onEvent(event);
      }
    }
  };

  const connect = async (): Promise<void> => {
    const mine = new AbortController();
    abort = mine;
    try {
      const response = await fetch(options.url, {
        headers: { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) },
        cache: 'no-store',
        signal: mine.signal,
      });
      if (response.status === 401) return tellSignedOut();
      if (response.ok && response.body !== null) await read(response.body, mine);
    } catch {
      // No line, a broken line or a silent one: all are tried again.
    }
    if (mine === abort) down();
  };

  const wake = (): void => {
    // The network came back: do not wait for the rest of the back-off.
    if (closed || brokenSince === null) return;
    clearTimeout(retryTimer);
    abort.abort();
    retryMs = FIRST_RETRY_MS;
    void connect();
  };

  options.onState({ state: 'connecting' });
  window.addEventListener('online', wake);
  void connect();
  return () => {
    closed = true;
    window.removeEventListener('online', wake);
    clearTimeout(retryTimer);
    clearTimeout(lostTimer);
    abort.abort();
  };
}

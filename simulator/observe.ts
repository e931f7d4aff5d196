/**
 * An observer outside the product: reads its live events as any client may, and notes when what arrived.
 *
 *   GET /api/events ──SSE──▶ alerts, draft cases, counts ──▶ buildReport (report.ts)
 *
 * Promises: goes on behind the last event after a broken connection; what does not follow the contracts is counted, not
 * guessed at; keeps the latest state of at most {@link MOST} alerts and as many draft cases.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Alert, DraftCase } from '../contracts/index.ts';
import type { ProductCounts, SeenAlert } from './report.ts';
import { type SseEvent, sseParser } from './sse.ts';

const MOST = 50_000;
const AGAIN_MS = 250;

const Tally = z.record(z.string(), z.number());
const Leads = z.object({ delivered: z.number(), pending: z.number(), failed: z.number() });
/** Of /api/counts what a report needs; more fields are welcome. */
const Counts = z.object({
  observations: z.object({ acknowledged: z.number(), stored: z.number() }),
  frames: z.number(),
  quarantined: z.number(),
  findings: Tally,
  alerts: Tally,
  drafts: Tally,
  leads: Leads,
});

export interface ObserverOptions {
  /** The product's address, `http://127.0.0.1:8080`. */
  url: string;
  /** What signs the observer in, e.g. `{ cookie: 'ql_session=…' }`. */
  headers?: Readonly<Record<string, string>>;
  /** Wall clock; handed in by tests. */
  wall?: () => number;
  onAlert?: (seen: SeenAlert) => void;
  onDraft?: (draft: DraftCase) => void;
}

export interface Observer {
  /** In order of their arrival. */
  alerts(): SeenAlert[];
  drafts(): DraftCase[];
  /** Events that do not follow the contracts, the latest with its reason. */
  malformed(): { count: number; last: string | null };
  /** Asks the product now. Throws when it does not answer with counts. */
  counts(): Promise<ProductCounts>;
  /** Resolves when the stream is open for the first time. */
  readonly connected: Promise<void>;
  stop(): Promise<void>;
}

export function observe(options: ObserverOptions): Observer {
  const { url, headers = {}, wall = Date.now } = options;
  /** By alert id. */
  const alerts = new Map<string, SeenAlert>();
  /** By draft case id. */
  const drafts = new Map<string, DraftCase>();
  const malformed = { count: 0, last: null as string | null };
  const ending = new AbortController();

  const take = ({ event, data }: SseEvent) => {
    const arrivedAt = wall();
    try {
      if (event === 'alert') takeAlert(Alert.parse(JSON.parse(data)), arrivedAt);
      else if (event === 'draft-case') takeDraft(DraftCase.parse(JSON.parse(data)));
    } catch (error) {
      malformed.count += 1;
      malformed.last = error instanceof Error ? error.message : String(error);
    }
  };
  const takeAlert = (alert: Alert, arrivedAt: number) => {
    const first = alerts.get(alert.id);
    const seen = { alert, arrivedAt: first?.arrivedAt ?? arrivedAt };
    keep(alerts, alert.id, seen);
    if (!first) options.onAlert?.(seen);
  };
  const takeDraft = (draft: DraftCase) => {
    keep(drafts, draft.id, draft);
    options.onDraft?.(draft);
  };

  let opened: () => void = () => undefined;
  const connected = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const reading = follow({
    url: `${url}/api/events`,
    headers,
    take,
    opened: () => opened(),
    signal: ending.signal,
  });
  return {
    alerts: () => [...alerts.values()],
    drafts: () => [...drafts.values()],
    malformed: () => ({ ...malformed }),
    connected,
    async counts() {
      const answer = await fetch(`${url}/api/counts`, { headers });
      if (!answer.ok) throw new Error(`GET /api/counts answered ${answer.status}`);
      return Counts.parse(await answer.json());
    },
    async stop() {
      ending.abort();
      await reading;
    },
  };
}

interface Following {
  url: string;
  headers: Readonly<Record<string, string>>;
  take(event: SseEvent): void;
  opened(): void;
  signal: AbortSignal;
}

/** Reads the stream until it is told to stop; a broken one is opened again behind the last event. */
async function follow({ url, headers, take, opened, signal }: Following): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    try {
      const resume: Record<string, string> = last === undefined ? {} : { 'last-event-id': last };
      const answer = await fetch(url, {
        headers: { ...headers, ...resume, accept: 'text/event-stream' },
        signal,
      });
      if (!answer.ok || answer.body === null) throw new Error(`GET ${url} answered ${answer.status}`);
      opened();
      const parse = sseParser();
      const text = new TextDecoder();
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        for (const event of parse(text.decode(chunk, { stream: true }))) {
          last = event.id ?? last;
          take(event);
        }
      }
    } catch {
      // The product is not up yet, or went away: it is asked again until the observer is stopped.
    }
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Puts a value at its place, forgetting the oldest beyond {@link MOST}. */
function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > MOST && !oldest.done) map.delete(oldest.value);
}

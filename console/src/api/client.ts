/**
 * The HTTP API as typed calls. Promises: every failure is an {@link ApiError} with the product's code, or `OFFLINE`
 * when no answer came; a session that ended is told once to `onSignedOut`. It keeps nothing and tries nothing twice.
 */
import type { Alert, DraftCase, RegisteredDevice } from '../../../contracts/index.ts';
import type {
  AlertDetail,
  CatalogView,
  Counts,
  ErrorBody,
  Evidence,
  LeadRow,
  Page,
  Series,
  Session,
} from './types.ts';

export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

const signedOutListeners = new Set<() => void>();

/** Called whenever the product says that nobody is signed in; returns the way to stop listening. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

/** To be called by whoever meets a 401 on a way of its own (the event stream). */
export function tellSignedOut(): void {
  for (const listener of signedOutListeners) listener();
}

type Query = Record<string, string | number | undefined>;

function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  const tail = search.toString();
  return tail === '' ? path : `${path}?${tail}`;
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as ErrorBody;
    return new ApiError(body.error.code, response.status, body.error.message);
  } catch {
    // A proxy in between answered in its own words.
    return new ApiError(`HTTP_${response.status}`, response.status, response.statusText);
  }
}

async function request<T>(
  method: string,
  path: string,
  options: { query?: Query; body?: unknown } = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address(path, options.query), {
      method,
      credentials: 'same-origin',
      ...(options.body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(options.body) }),
    });
  } catch (cause) {
    throw new ApiError('OFFLINE', 0, cause instanceof Error ? cause.message : String(cause));
  }
  if (response.status === 401 && path !== '/api/session') tellSignedOut();
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

const id = encodeURIComponent;

export const api = {
  session: () => request<Session>('GET', '/api/session'),
  signIn: (user: string, password: string) =>
    request<void>('POST', '/api/session', { body: { user, password } }),
  signOut: () => request<void>('DELETE', '/api/session'),

  alerts: (query: { state?: string; kind?: string; limit?: number; before?: string } = {}) =>
    request<Page<Alert>>('GET', '/api/alerts', { query }),
  alert: (alert: string) => request<AlertDetail>('GET', `/api/alerts/${id(alert)}`),
  acknowledge: (alert: string) =>
    request<Alert>('POST', `/api/alerts/${id(alert)}/acknowledge`, { body: {} }),

  draftCases: (query: { state?: string; limit?: number; before?: string } = {}) =>
    request<Page<DraftCase>>('GET', '/api/draft-cases', { query }),
  draftCase: (draft: string) => request<DraftCase>('GET', `/api/draft-cases/${id(draft)}`),
  decide: (draft: string, decision: 'confirm' | 'dismiss', body: { version: number; reason: string }) =>
    request<DraftCase>('POST', `/api/draft-cases/${id(draft)}/${decision}`, { body }),
  evidence: (draft: string) => request<Evidence>('GET', `/api/draft-cases/${id(draft)}/evidence`),

  leads: () => request<{ items: LeadRow[] }>('GET', '/api/leads'),
  counts: () => request<Counts>('GET', '/api/counts'),
  series: (query: { datastream: string; from: number; to: number; limit: number }) =>
    request<Series>('GET', '/api/series', { query }),
  catalog: () => request<CatalogView>('GET', '/api/catalog'),
  devices: (query: { limit?: number; before?: string; after?: string } = {}) =>
    request<Page<RegisteredDevice>>('GET', '/api/devices', { query }),
};

/** Where the bytes of a picture lie, by the SHA-256 that names them. */
export const blobUrl = (sha256: string): string => `/api/evidence/${sha256}`;

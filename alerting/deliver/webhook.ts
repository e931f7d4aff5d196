import type { Receiver } from './endpoints.ts';
import { signatureHeaders } from './sign.ts';

/** What came of one try. */
export type Attempt =
  | { result: 'delivered'; receipt: string }
  | { result: 'retry' | 'gone'; error: string; retryAfterMs: number | null };

/** A receipt is kept up to this many bytes. */
const RECEIPT_BYTES = 4096;

/**
 * Sends a lead once. Never throws: every failure is an {@link Attempt}. Redirects are not followed, so that no receiver
 * can point the product elsewhere. 410 Gone ends the tries, as Standard Webhooks asks; all else is tried again.
 */
export async function sendWebhook(
  receiver: Receiver,
  lead: { id: string; body: string },
  options: { timeoutMs: number; wallNow: number },
): Promise<Attempt> {
  const headers = signatureHeaders(receiver.secret, {
    id: lead.id,
    timestampS: Math.floor(options.wallNow / 1000),
    body: lead.body,
  });
  try {
    const response = await fetch(receiver.url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs),
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8', ...headers },
      body: lead.body,
    });
    return await judge(response);
  } catch (error) {
    return { result: 'retry', error: wordsOf(error, options.timeoutMs), retryAfterMs: null };
  }
}

async function judge(response: Response): Promise<Attempt> {
  const text = await bounded(response);
  if (response.ok) return { result: 'delivered', receipt: text };
  const redirect = response.status >= 300 && response.status < 400;
  const error = redirect ? `redirect-not-followed: HTTP ${response.status}` : `HTTP ${response.status}`;
  const shown = text === '' ? error : `${error}: ${text.slice(0, 200)}`;
  return {
    result: response.status === 410 ? 'gone' : 'retry',
    error: shown,
    retryAfterMs: retryAfter(response),
  };
}

async function bounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes >= RECEIPT_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, RECEIPT_BYTES).toString('utf8');
}

function retryAfter(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

function wordsOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `timeout: no answer within ${timeoutMs} ms`;
  const cause = error instanceof Error ? error.cause : undefined;
  const detail =
    cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error);
  return `unreachable: ${detail}`;
}

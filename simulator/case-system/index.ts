/**
 * A sample case system of a responsible unit: a real HTTP receiver of leads, and a difficult one when told to be.
 *
 *   POST /leads ──▶ signature? ──▶ CloudEvent of a lead? ──▶ seen before? ──▶ receipt ──▶ answer, as `behaviour` says
 *
 * Promises: believes only what is signed; one receipt per webhook-id, however often it comes; bounded memory. A lead is
 * taken before it is answered, so that a lost answer makes a repeat, never a loss.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeadEvent } from '../../contracts/index.ts';
import { type SignatureFault, signatureFault } from './signature.ts';

export { signatureFault } from './signature.ts';

/** How it answers a delivery that it believes. */
export type Behaviour =
  | { answer: 'at-once' }
  /** After so many ms. */
  | { answer: 'late'; afterMs: number }
  /** The whole answer twice on one connection, as a broken proxy does. */
  | { answer: 'twice' }
  /** Status and text of one's own: a fault, or a success without a receipt. */
  | { answer: 'wrong'; status: number; body: string }
  /** Takes the lead and never says so. */
  | { answer: 'never' }
  /** Takes the lead and cuts the connection. */
  | { answer: 'cut' }
  /** Unavailable when an id comes for the first time, as it should be from the second time on. */
  | { answer: 'second-time' };

export type Refusal = SignatureFault | 'not-a-lead' | 'too-large' | 'not-found';

export interface Receipt {
  /** webhook-id. */
  id: string;
  receipt: string;
  event: LeadEvent;
  /** How often it came. */
  deliveries: number;
  firstAt: number;
}

export interface CaseSystemOptions {
  /** 0 = any free port. */
  port: number;
  host?: string;
  /** `whsec_…`, of all senders. */
  secrets: readonly string[];
  behaviour?: Behaviour;
  /** Epoch ms; judges the timestamps of deliveries. Hand in the sender's clock where that is not the wall's. */
  now?: () => number;
}

export interface CaseSystemStats {
  /** Deliveries, good or bad. */
  received: number;
  /** Different leads taken. */
  accepted: number;
  /** Deliveries of a lead that was taken before. */
  repeats: number;
  refused: Partial<Record<Refusal, number>>;
}

export interface CaseSystem {
  /** Where leads are posted. */
  url: string;
  stats(): CaseSystemStats;
  /** The most recent ones, oldest first. */
  receipts(): Receipt[];
  /** From now on. */
  behave(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

const MOST_BYTES = 5 * 1024 * 1024;
const RECEIPTS_KEPT = 10_000;

export async function startCaseSystem(options: CaseSystemOptions): Promise<CaseSystem> {
  const { port, host = '127.0.0.1', secrets, now = Date.now } = options;
  let behaviour: Behaviour = options.behaviour ?? { answer: 'at-once' };
  const stats: CaseSystemStats = { received: 0, accepted: 0, repeats: 0, refused: {} };
  /** By webhook-id. */
  const receipts = new Map<string, Receipt>();
  const ending = new AbortController();

  const server = createServer((request, response) => {
    receive(request, response).catch(() => request.destroy());
  });

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = await readDelivery(request);
    stats.received += 1;
    const event = typeof read === 'string' ? read : judge(read, secrets, now());
    if (typeof event === 'string') {
      stats.refused[event] = (stats.refused[event] ?? 0) + 1;
      reply(response, STATUS[event], { refused: event });
      return;
    }
    const receipt = take(String(request.headers['webhook-id']), event);
    await answer(response, receipt, behaviour, ending.signal);
  }

  function take(id: string, event: LeadEvent): Receipt {
    const known = receipts.get(id);
    if (known) {
      known.deliveries += 1;
      stats.repeats += 1;
      return known;
    }
    stats.accepted += 1;
    const receipt: Receipt = { id, receipt: receiptNumber(id), event, deliveries: 1, firstAt: now() };
    receipts.set(id, receipt);
    const oldest = receipts.keys().next();
    if (receipts.size > RECEIPTS_KEPT && !oldest.done) receipts.delete(oldest.value);
    return receipt;
  }

  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/leads`,
    stats: () => structuredClone(stats),
    receipts: () => [...receipts.values()],
    behave(next) {
      behaviour = next;
    },
    async stop() {
      ending.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const STATUS: Record<Refusal, number> = {
  'headers-missing': 400,
  'timestamp-invalid': 400,
  'too-old': 401,
  'in-the-future': 401,
  'signature-wrong': 401,
  'not-a-lead': 422,
  'too-large': 413,
  'not-found': 404,
};

interface Delivery {
  request: IncomingMessage;
  body: Buffer;
}

async function readDelivery(request: IncomingMessage): Promise<Delivery | Refusal> {
  if (request.method !== 'POST' || request.url?.split('?')[0] !== '/leads') return 'not-found';
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    // Read on without keeping it: the sender hears why only if it may finish.
    if (size <= MOST_BYTES) parts.push(part);
  }
  return size > MOST_BYTES ? 'too-large' : { request, body: Buffer.concat(parts) };
}

function judge({ request, body }: Delivery, secrets: readonly string[], now: number): LeadEvent | Refusal {
  const header = (name: string) => request.headers[name]?.toString();
  const headers = {
    id: header('webhook-id'),
    timestamp: header('webhook-timestamp'),
    signature: header('webhook-signature'),
  };
  const fault = signatureFault(headers, body, secrets, now);
  if (fault) return fault;
  try {
    return LeadEvent.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return 'not-a-lead';
  }
}

/** The same for every delivery of the same lead, as a case system that keeps a book would say. */
function receiptNumber(id: string): string {
  return `AJ-${createHash('sha256').update(id).digest('hex').slice(0, 10).toUpperCase()}`;
}

async function answer(
  response: ServerResponse,
  receipt: Receipt,
  behaviour: Behaviour,
  ending: AbortSignal,
): Promise<void> {
  const good = { receipt: receipt.receipt };
  switch (behaviour.answer) {
    case 'at-once':
      return reply(response, 200, good);
    case 'late':
      await sleep(behaviour.afterMs, undefined, { signal: ending }).catch(() => undefined);
      return reply(response, 200, good);
    case 'twice':
      return replyTwice(response, good);
    case 'wrong':
      response.writeHead(behaviour.status, { 'content-type': 'text/plain' }).end(behaviour.body);
      return;
    case 'never':
      return;
    case 'cut':
      response.destroy();
      return;
    case 'second-time':
      return receipt.deliveries === 1
        ? reply(response, 503, { refused: 'busy' })
        : reply(response, 200, good);
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function replyTwice(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body);
  const whole = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  response.socket?.write(whole + whole, () => response.socket?.end());
}

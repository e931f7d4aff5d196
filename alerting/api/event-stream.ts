import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../../backbone/index.ts';
import type { EventLog } from '../store/events.ts';
import type { Counts } from './schemas.ts';

/** Events read from the log at once; a listener that is slow holds no more than these. */
const PAGE = 200;
const HEARTBEAT_MS = 15_000;
const COUNTS_EVERY_MS = 1000;
/** Other processes may write events too: look at least this often. */
const LOOK_EVERY_MS = 1000;

/**
 * Server-sent events. Promises: each listener gets every event once, in order, from the one after its `Last-Event-ID`,
 * or from now on without one. If that id is no longer kept, it is told so (`reset`: read everything anew). Bounded: a slow
 * listener is waited for, and its events stay in the log, not in memory. Counts are sent each second when changed; they
 * carry no id.
 */
export class EventStream {
  readonly #log: EventLog;
  readonly #logger: Log;
  readonly #counts: () => Promise<Counts>;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  /** JSON. */
  #lastCounts = '';
  #stopped = false;

  constructor(parts: { events: EventLog; log: Log; counts: () => Promise<Counts> }) {
    this.#log = parts.events;
    this.#logger = parts.log;
    this.#counts = parts.counts;
  }

  /** Answers a request with the stream; resolves when the listener has gone. */
  async serve(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const response = open(reply);
    const listener = new Listener(this.#log, response);
    this.#listeners.add(listener);
    this.#startCounting();
    if (this.#lastCounts !== '') listener.sendLater('counts', this.#lastCounts);
    try {
      await listener.run(lastEventId(request));
    } catch (err) {
      if (!response.destroyed) this.#logger.warn({ err }, 'an event stream broke off');
    } finally {
      this.#listeners.delete(listener);
      response.end();
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const listener of this.#listeners) listener.stop();
  }

  /** One clock for all listeners, and none while nobody listens. */
  #startCounting(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const beat = async () => {
      try {
        const counts = JSON.stringify(await this.#counts());
        if (counts !== this.#lastCounts) for (const one of this.#listeners) one.sendLater('counts', counts);
        this.#lastCounts = counts;
      } catch (err) {
        this.#logger.warn({ err }, 'counts cannot be read');
      }
      this.#timer = undefined;
      if (this.#listeners.size > 0) this.#startCounting();
    };
    // The first listener need not wait.
    this.#timer = setTimeout(() => void beat(), this.#lastCounts === '' ? 0 : COUNTS_EVERY_MS);
  }
}

class Listener {
  readonly #log: EventLog;
  readonly #response: ServerResponse;
  #ended = false;
  #wake: () => void = () => {};
  /** Counts that are to be sent: only the newest matter. */
  #pending: string | null = null;

  constructor(log: EventLog, response: ServerResponse) {
    this.#log = log;
    this.#response = response;
    response.on('close', () => this.stop());
  }

  stop(): void {
    this.#ended = true;
    this.#wake();
  }

  sendLater(type: string, json: string): void {
    this.#pending = `event: ${type}\ndata: ${json}\n\n`;
    this.#wake();
  }

  async run(lastId: number | null): Promise<void> {
    const offRing = this.#log.onRing(() => this.#wake());
    try {
      let at = await this.#begin(lastId);
      let quietSince = Date.now();
      while (!this.#ended) {
        const page = await this.#log.after(at, PAGE);
        for (const { id, type, body } of page)
          await this.#write(`id: ${id}\nevent: ${type}\ndata: ${body}\n\n`);
        at = page.at(-1)?.id ?? at;
        const pending = this.#pending;
        this.#pending = null;
        if (pending !== null) await this.#write(pending);
        if (page.length > 0 || pending !== null) quietSince = Date.now();
        else if (Date.now() - quietSince >= HEARTBEAT_MS) {
          await this.#write(': still here\n\n');
          quietSince = Date.now();
        }
        if (page.length < PAGE && this.#pending === null) await this.#sleep();
      }
    } finally {
      offRing();
    }
  }

  /** Where to go on; tells the listener when what it asks for is gone. */
  async #begin(lastId: number | null): Promise<number> {
    const { first, last } = await this.#log.ends();
    await this.#write('retry: 2000\n\n');
    if (lastId === null) return last;
    if (lastId >= first - 1 && lastId <= last) return lastId;
    await this.#write(`id: ${last}\nevent: reset\ndata: {}\n\n`);
    return last;
  }

  async #write(text: string): Promise<void> {
    if (this.#ended || this.#response.write(text)) return;
    await Promise.race([once(this.#response, 'drain'), once(this.#response, 'close')]);
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_EVERY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#ended) this.#wake();
    });
  }
}

function open(reply: FastifyReply): ServerResponse {
  // Keeps the security headers that the server has set on the reply.
  const headers = reply.getHeaders();
  reply.hijack();
  const response = reply.raw;
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) response.setHeader(name, value);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Proxies (nginx) must hand the events on at once.
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  return response;
}

function lastEventId(request: FastifyRequest): number | null {
  const header = request.headers['last-event-id'];
  const id = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : null;
  return id;
}

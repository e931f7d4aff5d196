import { QianliyanError } from '../../contracts/index.ts';
import { encodeFrame, encodeSegment } from '../hj212/encode.ts';
import type { CrcVariant } from '../hj212/index.ts';
import { parseSegment } from '../hj212/segment.ts';
import { cpOf, type Dialogue, dialogueOf, type Hj212Request, localQn, localTime } from './commands.ts';
import type { FrameHead } from './head.ts';

/**
 * Requests to devices, and what they answer (HJ 212-2017, 6.4):
 *
 *   request ──▶ 9011 QnRtn ──▶ data frames … ──▶ 9012 ExeRtn        matched by MN and QN
 *      ▲ again, at most `retries` times          ▲ each gives the device more time
 *
 * A request is sent again with the same QN until the device says anything of it. Data frames are stored by the ordinary
 * way; here they are only counted. Promises: every request ends, with a named outcome; at most MOST_PENDING a device.
 */
export type RequestOutcome =
  | 'done'
  /** QnRtn is not 1. */
  | 'refused'
  /** ExeRtn is not 1. */
  | 'failed'
  /** Nothing came, however often it was sent. */
  | 'no-answer'
  /** The device took it, and then fell silent. */
  | 'no-result'
  | 'connection-lost';

export interface RequestResult {
  cn: string;
  mn: string;
  qn: string;
  outcome: RequestOutcome;
  /** As the device gave them; null = it gave none. */
  qnRtn: number | null;
  exeRtn: number | null;
  /** Frames of data that came for it. */
  frames: number;
  /** Named values of the frame that answered a `read`: SystemTime, RtdInterval, MinInterval … */
  answer: Record<string, string>;
  /** How often it was sent. */
  tries: number;
}

/** A device that can be written to. */
export interface Link {
  mn: string;
  /** The newest frame it sent: its ST and PW are used when it is spoken to. */
  head: FrameHead;
  /** Version bits of Flag. */
  version: number;
  crc: CrcVariant;
  send(frame: Buffer): void;
}

export interface RequestsOptions {
  replyTimeoutS: number;
  executionTimeoutS: number;
  retries: number;
  utcOffsetMs: number;
  now(): number;
}

interface Pending {
  readonly link: Link;
  readonly request: Hj212Request;
  readonly dialogue: Dialogue;
  readonly result: RequestResult;
  readonly end: (result: RequestResult) => void;
  timer: NodeJS.Timeout;
}

const MOST_PENDING = 8;

export class Requests {
  readonly #options: RequestsOptions;
  /** By MN, then by QN. */
  readonly #pending = new Map<string, Map<string, Pending>>();
  #lastQnAt = 0;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** @throws QianliyanError TOO_MANY_REQUESTS */
  send(link: Link, request: Hj212Request): Promise<RequestResult> {
    const ofDevice = this.#pending.get(link.mn) ?? new Map<string, Pending>();
    if (ofDevice.size >= MOST_PENDING) {
      const detail = `${MOST_PENDING} requests to ${link.mn} wait for their result`;
      throw new QianliyanError('TOO_MANY_REQUESTS', detail);
    }
    this.#pending.set(link.mn, ofDevice);
    return new Promise((resolve) => {
      const qn = this.#newQn();
      const pending: Pending = {
        link,
        request,
        dialogue: dialogueOf(request.cn),
        result: { ...NOTHING_YET, cn: request.cn, mn: link.mn, qn, answer: {} },
        end: resolve,
        timer: setTimeout(() => undefined),
      };
      ofDevice.set(qn, pending);
      this.#try(pending);
    });
  }

  isPending(mn: string, cn: string): boolean {
    for (const { request } of this.#pending.get(mn)?.values() ?? []) if (request.cn === cn) return true;
    return false;
  }

  /** A sound frame of a device: perhaps it answers something. */
  hear(mn: string, head: FrameHead, segment: Buffer): void {
    const ofDevice = this.#pending.get(mn);
    if (ofDevice === undefined) return;
    const values = namedValues(segment);
    // In 2005 the QN of a reply stands in CP.
    const qn = head.qn ?? values.QN;
    const byQn = qn === undefined ? undefined : ofDevice.get(qn);
    switch (head.cn) {
      case '9011':
        if (byQn !== undefined) this.#onTaken(byQn, Number(values.QnRtn ?? 1));
        return;
      case '9012':
        if (byQn !== undefined) this.#onResult(byQn, Number(values.ExeRtn ?? 1));
        return;
      case '9013':
        if (byQn?.dialogue === 'stop') this.#finish(byQn, 'done');
        return;
      default:
        // Each packet of history may have a QN of its own (table C.49): then MN and CN tell what it belongs to.
        this.#onData(byQn ?? [...ofDevice.values()].find((p) => p.request.cn === head.cn), head, values);
    }
  }

  /** The connection is gone: what waits on it has no answer to hope for. */
  lost(link: (pending: Link) => boolean): void {
    for (const ofDevice of [...this.#pending.values()]) {
      for (const pending of [...ofDevice.values()])
        if (link(pending.link)) this.#finish(pending, 'connection-lost');
    }
  }

  #onTaken(pending: Pending, code: number): void {
    pending.result.qnRtn = code;
    if (code !== 1) this.#finish(pending, 'refused');
    else this.#awaitResult(pending);
  }

  #onResult(pending: Pending, code: number): void {
    pending.result.exeRtn = code;
    this.#finish(pending, code === 1 ? 'done' : 'failed');
  }

  #onData(pending: Pending | undefined, head: FrameHead, values: Record<string, string>): void {
    if (pending === undefined || head.cn !== pending.request.cn) return;
    if (pending.dialogue !== 'read' && pending.dialogue !== 'fetch') return;
    pending.result.frames += 1;
    if (pending.dialogue === 'read') Object.assign(pending.result.answer, values);
    this.#awaitResult(pending);
  }

  #try(pending: Pending): void {
    const { replyTimeoutS, retries } = this.#options;
    pending.result.tries += 1;
    pending.link.send(this.#encode(pending));
    this.#after(pending, replyTimeoutS, () => {
      if (pending.result.tries <= retries) this.#try(pending);
      else this.#finish(pending, 'no-answer');
    });
  }

  #awaitResult(pending: Pending): void {
    this.#after(pending, this.#options.executionTimeoutS, () => this.#finish(pending, 'no-result'));
  }

  #after(pending: Pending, seconds: number, run: () => void): void {
    clearTimeout(pending.timer);
    pending.timer = setTimeout(run, seconds * 1_000);
  }

  #finish(pending: Pending, outcome: RequestOutcome): void {
    clearTimeout(pending.timer);
    const { mn, qn } = pending.result;
    const ofDevice = this.#pending.get(mn);
    ofDevice?.delete(qn);
    if (ofDevice?.size === 0) this.#pending.delete(mn);
    pending.end({ ...pending.result, outcome });
  }

  /** Anew for each try: a clock is set to the time of sending. */
  #encode({ link, request, result }: Pending): Buffer {
    const { now, utcOffsetMs } = this.#options;
    const { st, pw } = link.head;
    const cp = cpOf(request, now(), (time) => localTime(time, utcOffsetMs));
    const flag = (link.version << 2) | 1;
    const fields = { qn: result.qn, st, cn: request.cn, pw, mn: link.mn, flag, cp };
    return encodeFrame(encodeSegment(fields), link.crc);
  }

  /** Never the same twice, also within a millisecond. */
  #newQn(): string {
    this.#lastQnAt = Math.max(this.#lastQnAt + 1, this.#options.now());
    return localQn(this.#lastQnAt, this.#options.utcOffsetMs);
  }
}

const NOTHING_YET = { outcome: 'no-answer', qnRtn: null, exeRtn: null, frames: 0, tries: 0 } as const;

/** The values of CP that have no factor code. What cannot be read has none: the codec says so elsewhere. */
function namedValues(segment: Buffer): Record<string, string> {
  try {
    const named = parseSegment(segment).items.filter((item) => item.field === null);
    return Object.fromEntries(named.map(({ code, value }) => [code, value]));
  } catch {
    return {};
  }
}

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR, MINUTE, SECOND } from '../time.ts';
import { frameOf, HostReader } from './frame.ts';
import { type MonitorState, meansText, realtimeText, repliesTo, stamp, VERSION_BITS } from './replies.ts';

/**
 * A monitor at work over one TCP connection: realtime data (2011), minute (2051) and hour data (2061), one frame at a time,
 * each sent again when no 9014 comes, as HJ 212-2017 6.4.1 has it; what was not answered in the end is kept and told later
 * (2025: with RF=1). It answers what the host asks, and obeys it.
 */
export interface MonitorOptions {
  host: string;
  port: number;
  state: MonitorState;
  /** Splits each frame into so many packets (PNUM, PNO), each with a QN of its own. */
  packets: number;
  /** A new connection begins with a request for the time (1013). */
  asksForTime: boolean;
  replyTimeoutMs: number;
  retries: number;
}

export interface MonitorCounts {
  /** Data frames, each counted once however often it was sent. */
  sent: number;
  acknowledged: number;
  /** Sendings of a frame after its first. */
  resent: number;
  /** Given up for the time being, and kept. */
  unanswered: number;
  /** Requests of the host, by CN. */
  requests: Record<string, number>;
}

export interface Monitor {
  counts(): MonitorCounts;
  stop(): Promise<void>;
}

interface Upload {
  cn: '2011' | '2051' | '2061';
  /** Of the data. */
  time: number;
  again: boolean;
}

const TURN_MS = 100;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** Records that are kept while there is no answer. */
const MOST_KEPT = 10_000;

export function startMonitor(options: MonitorOptions): Monitor {
  const monitor = new LiveMonitor(options);
  const ended = monitor.run();
  return {
    counts: () => monitor.counts,
    async stop() {
      monitor.stop();
      await ended;
    },
  };
}

class LiveMonitor {
  readonly counts: MonitorCounts = { sent: 0, acknowledged: 0, resent: 0, unanswered: 0, requests: {} };
  readonly #options: MonitorOptions;
  readonly #stopped = new AbortController();
  /** What waits for a 9013 or 9014, by QN. */
  readonly #waiting = new Map<string, () => void>();
  #socket: Socket | null = null;
  #kept: Upload[] = [];
  #lastQn = 0;
  #next: Record<Upload['cn'], number>;

  constructor(options: MonitorOptions) {
    this.#options = options;
    const now = Date.now() + options.state.clockAheadMs;
    this.#next = {
      2011: Math.floor(now / SECOND) * SECOND,
      2051: nextMultiple(now, options.state.minuteInterval * MINUTE),
      2061: nextMultiple(now, HOUR),
    };
  }

  stop(): void {
    this.#stopped.abort();
    this.#socket?.destroy();
  }

  async run(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !this.#isStopped; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      if (await this.#connect()) {
        pause = FIRST_PAUSE_MS;
        await this.#speak();
      }
      if (!this.#isStopped) await this.#sleep(pause);
    }
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  #connect(): Promise<boolean> {
    const { host, port, state } = this.#options;
    const socket = connect({ host, port, noDelay: true });
    const reader = new HostReader(state.checksum);
    this.#socket = socket;
    socket.on('data', (chunk) => {
      for (const frame of reader.push(chunk)) this.#hear(frame);
    });
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
  }

  /** Until the connection is lost. */
  async #speak(): Promise<void> {
    const { state } = this.#options;
    if (this.#options.asksForTime) await this.#ask('1013', '');
    while (this.#socket?.destroyed === false && !this.#isStopped) {
      const upload = this.#due(Date.now() + state.clockAheadMs);
      if (upload === null) await this.#sleep(TURN_MS);
      else if (!(await this.#deliver(upload))) this.#keep(upload);
    }
  }

  /** What is to be told now: fresh data first, then what was kept. */
  #due(now: number): Upload | null {
    const { state } = this.#options;
    const periods = {
      2011: state.realtimeIntervalS * SECOND,
      2051: state.minuteInterval * MINUTE,
      2061: HOUR,
    };
    for (const cn of ['2011', '2051', '2061'] as const) {
      // A clock that was set back has its next time a period away, and not in hours.
      const next = Math.min(this.#next[cn], nextMultiple(now, periods[cn]));
      this.#next[cn] = next;
      if (now < next) continue;
      this.#next[cn] = next + Math.ceil((now - next + 1) / periods[cn]) * periods[cn];
      if (cn === '2011' && !state.realtimeOn) continue;
      return {
        cn,
        time: cn === '2011' ? Math.floor(now / SECOND) * SECOND : next - periods[cn],
        again: false,
      };
    }
    return this.#kept.shift() ?? null;
  }

  #keep(upload: Upload): void {
    if (!upload.again) this.counts.unanswered += 1;
    this.#kept.push({ ...upload, again: true });
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
  }

  async #deliver({ cn, time, again }: Upload): Promise<boolean> {
    const { state, packets } = this.#options;
    const period = cn === '2051' ? state.minuteInterval * MINUTE : HOUR;
    const text = cn === '2011' ? realtimeText(state.mn, time) : meansText(state.mn, time, period);
    const parts = packetsOf(text, packets);
    if (!again) this.counts.sent += parts.length;
    for (const [i, cp] of parts.entries()) {
      const extra = packets > 1 ? `PNUM=${parts.length};PNO=${i + 1};` : '';
      const resent = again && state.edition === 2025 ? 'RF=1;' : '';
      if (!(await this.#ask(cn, cp, packets > 1 ? 2 : 0, extra + resent))) return false;
      this.counts.acknowledged += 1;
    }
    return true;
  }

  /** Sends until it is answered; false = it was not. */
  async #ask(cn: string, cp: string, flagBits = 0, extra = ''): Promise<boolean> {
    const { state, retries, replyTimeoutMs } = this.#options;
    this.#lastQn = Math.max(this.#lastQn + 1, Date.now() + state.clockAheadMs);
    const qn = stamp(this.#lastQn, 17);
    const flag = VERSION_BITS[state.edition] | flagBits | 1;
    const head = `QN=${qn};ST=${state.st};CN=${cn};PW=${state.pw};MN=${state.mn};Flag=${flag};`;
    const frame = frameOf(`${head}${extra}CP=&&${cp}&&`, state.checksum);
    for (let tries = 0; tries <= retries && this.#socket?.writable === true; tries++) {
      if (tries > 0) this.counts.resent += 1;
      this.#socket.write(frame);
      if (await this.#answered(qn, replyTimeoutMs)) return true;
    }
    return false;
  }

  async #answered(qn: string, withinMs: number): Promise<boolean> {
    const waited = new AbortController();
    const answer = new Promise<boolean>((resolve) => this.#waiting.set(qn, () => resolve(true)));
    const signal = AbortSignal.any([waited.signal, this.#stopped.signal]);
    const late = sleep(withinMs, false, { signal }).catch(() => false);
    const came = await Promise.race([answer, late]);
    waited.abort();
    this.#waiting.delete(qn);
    return came;
  }

  #hear(frame: Parameters<typeof repliesTo>[0]): void {
    const { state } = this.#options;
    const cn = frame.head.get('CN') ?? '';
    if (cn === '9013' || cn === '9014') {
      // In 2005 the QN of a reply stands in CP.
      this.#waiting.get(frame.head.get('QN') ?? frame.cp.get('QN') ?? '')?.();
      return;
    }
    this.counts.requests[cn] = (this.counts.requests[cn] ?? 0) + 1;
    for (const reply of repliesTo(frame, state, Date.now())) this.#socket?.write(reply);
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}

function nextMultiple(now: number, period: number): number {
  return (Math.floor(now / period) + 1) * period;
}

/** Each packet holds the DataTime and its share of the items. */
function packetsOf(text: string, packets: number): string[] {
  const [time = '', ...items] = text.split(';');
  if (packets <= 1) return [text];
  const share = Math.ceil(items.length / packets);
  const count = Math.ceil(items.length / share);
  return Array.from({ length: count }, (_, i) =>
    [time, ...items.slice(i * share, (i + 1) * share)].join(';'),
  );
}

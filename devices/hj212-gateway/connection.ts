import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../backbone/index.ts';
import type { QuarantineReason, RegisteredDevice } from '../../contracts/index.ts';
import { type FrameError, type FrameResult, FrameSplitter } from '../hj212/framing.ts';
import type { DeviceMessage } from '../message.ts';
import { type Answer, answerTo, encodeAnswer } from './answers.ts';
import type { Hj212GatewayConfig } from './config.ts';
import { type FrameHead, readHead } from './head.ts';
import type { Intake } from './intake.ts';
import type { Meters } from './meters.ts';
import { Outbox } from './outbox.ts';
import { ReadGate } from './read-gate.ts';
import { type AcceptOutcome, isUnverified, type StoringDeps, store } from './storing.ts';

/**
 * One TCP connection of a monitor, or of a relay that carries several.
 *
 *   bytes ─▶ FrameSplitter ─┬ sound frame ─▶ accept() ─▶ durable ─▶ 9014, in the order in which they become so
 *                           └ broken piece ─▶ accept() with its fault ─▶ quarantine; bounded, then the connection ends
 *
 * Promises: an answer leaves only after `accept` has resolved. When it rejects, the store is away: a frame that asks for an
 * answer gets none, and its device sends it again; one that asks for none will not come again, so it is held and tried
 * until it is stored. What waits is bounded (read-gate.ts).
 */
export interface ConnectionDeps extends StoringDeps {
  config: Hj212GatewayConfig;
  intake: Intake;
  meters: Meters;
  log: Log;
  find(mn: string): RegisteredDevice | undefined;
  /** A sound frame, by the MN that it names; before it is durable. */
  heard(connection: Connection, frame: SoundFrame): void;
  /** It is durable, and was answered if it asked for it. */
  stored(connection: Connection, frame: SoundFrame): void;
  /** `farewell`: the device closed it, in order. */
  closed(connection: Connection, farewell: boolean): void;
}

export interface SoundFrame {
  mn: string;
  head: FrameHead;
  segment: Buffer;
  device: RegisteredDevice | undefined;
}

/** Why the gateway ends a connection. Log and metric show this same word. */
export type EndReason =
  | 'too-much-broken'
  | 'too-many-strangers'
  | 'nothing-sound'
  | 'idle'
  | 'reads-no-answers'
  | 'device-unknown';

const FAULTS: Readonly<Record<FrameError, QuarantineReason>> = {
  'no-header': 'malformed',
  'too-long': 'payload-too-large',
  'length-mismatch': 'malformed',
  'crc-mismatch': 'crc-mismatch',
  'not-decrypted': 'not-decrypted',
  incomplete: 'malformed',
};

/** `##` and the length. */
const HEADER = 6;
const FRAMES_A_TURN = 32;
/** After a failure of storage nothing is read for so long. */
const REST_MS = 1_000;
const FAREWELL_MS = 1_000;
const MINUTE_MS = 60_000;

/** So many a minute, by the wall clock. */
class PerMinute {
  readonly #most: number;
  #since = performance.now();
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  allows(): boolean {
    const now = performance.now();
    if (now - this.#since > MINUTE_MS) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#most;
  }
}

export class Connection {
  /** `address:port`, for people. */
  readonly remote: string;
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  readonly #splitter: FrameSplitter;
  readonly #gate: ReadGate;
  readonly #outbox: Outbox;
  readonly #stopped = new AbortController();
  /** The MN of the first sound frame: broken pieces are put down to it. */
  #firstMn: string | null = null;
  /** Cut, and not looked at yet: the rest of a chunk waits for the next turns. */
  #cut: FrameResult[] = [];
  #working = false;
  /** The device has closed its side; ours follows when all is answered. */
  #ended = false;
  #closed = false;
  /** We have ended it: what it still says is not looked at. */
  #dropped = false;
  readonly #broken: PerMinute;
  readonly #strangers: PerMinute;
  #whenSettled: (() => void)[] = [];

  constructor(socket: Socket, deps: ConnectionDeps) {
    const { config } = deps;
    this.#socket = socket;
    this.#deps = deps;
    this.remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.#broken = new PerMinute(config.maxBrokenPerMinute);
    this.#strangers = new PerMinute(config.maxStrangersPerMinute);
    this.#gate = new ReadGate(socket, deps.intake, config.maxInFlight);
    this.#outbox = new Outbox(socket, () => this.end('reads-no-answers'));
    this.#splitter = new FrameSplitter({
      maxSegment: config.maxSegmentBytes,
      longer: (head) => this.#allowedSegment(head),
      // Both are cut; whether this device may use the one at hand is the codec's to judge, by its profile.
      crc: ['standard', 'modbus'],
    });
    this.#listen(socket, config);
  }

  #listen(socket: Socket, config: Hj212GatewayConfig): void {
    const newcomer = setTimeout(() => {
      if (this.#firstMn === null) this.end('nothing-sound');
    }, config.firstFrameS * 1_000);
    socket.setTimeout(config.idleS * 1_000, () => this.end('idle'));
    socket.setKeepAlive(true, MINUTE_MS);
    socket.on('data', (chunk: Buffer) => this.#take(this.#splitter.push(chunk)));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error) =>
      this.#deps.log.debug({ err: error, remote: this.remote }, 'HJ 212 connection error'),
    );
    socket.on('close', () => {
      clearTimeout(newcomer);
      this.#onClose();
    });
  }

  /** Leaves with this turn of the event loop, if the connection still stands. */
  send(frame: Buffer): void {
    this.#outbox.send(frame);
  }

  end(reason: EndReason): void {
    if (this.#closed || this.#dropped) return;
    this.#dropped = true;
    this.#deps.meters.ended.inc({ reason });
    this.#deps.log.info({ remote: this.remote, mn: this.#firstMn, reason }, 'HJ 212 connection ended');
    this.#socket.destroy();
  }

  /** Reads no more, and resolves when what has come is durable and answered, or after `patienceMs`. */
  async stop(patienceMs: number): Promise<void> {
    this.#ended = true;
    this.#gate.close();
    this.#work(this.#cut.length);
    if (this.#gate.inFlight > 0) {
      const settled = new Promise<void>((resolve) => this.#whenSettled.push(resolve));
      const late = sleep(patienceMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      await Promise.race([settled, late]);
    }
    this.#outbox.flush();
    this.#stopped.abort();
    this.#socket.destroySoon();
    // A device that reads nothing does not hold up the stop.
    setTimeout(() => this.#socket.destroy(), FAREWELL_MS).unref();
  }

  #take(results: readonly FrameResult[]): void {
    for (const result of results) this.#cut.push(result);
    if (!this.#working) this.#work();
  }

  /**
   * A few frames a turn of the event loop: answers and other connections get theirs in between, also when thousands of
   * frames lie ready.
   */
  #work(most = FRAMES_A_TURN): void {
    for (const result of this.#cut.splice(0, most)) {
      if (this.#dropped) break;
      this.#deps.meters.frames.inc({ result: result.ok ? 'ok' : result.code });
      if (result.ok) this.#onSound(result);
      else this.#onBroken(result);
    }
    if (this.#dropped) this.#cut = [];
    this.#working = this.#cut.length > 0;
    this.#gate.busy = this.#working;
    if (this.#working) setImmediate(() => this.#work());
    else this.#settle();
  }

  #onSound(result: FrameResult & { ok: true }): void {
    const head = readHead(result.segment);
    const { mn } = head;
    if (mn === null) {
      const fault = { reason: 'malformed', detail: 'MN: the frame names no device' } as const;
      this.#handOn(this.#message(result.raw, null, fault), head, () => 'not-sound');
      return;
    }
    const device = this.#deps.find(mn);
    // Each goes to quarantine, which is bounded: one sender must not push out what others have there.
    if (device === undefined && !this.#strangers.allows()) {
      this.end('too-many-strangers');
      return;
    }
    this.#firstMn ??= mn;
    const frame: SoundFrame = { mn, head, segment: result.segment, device };
    this.#deps.heard(this, frame);
    const variantFits = result.crc === (device?.hj212?.crc ?? 'standard');
    this.#handOn(this.#message(result.raw, mn), head, (outcome) =>
      this.#answer(frame, variantFits && !isUnverified(outcome)),
    );
  }

  /** What is no sound frame. An encrypted one looks so too: its checksum is that of the plain text. */
  #onBroken(result: FrameResult & { ok: false }): void {
    const { code, message, raw } = result;
    const head = readHead(raw.subarray(HEADER));
    const device = head.mn === null ? undefined : this.#deps.find(head.mn);
    const encrypted =
      code === 'not-decrypted' || (code === 'crc-mismatch' && device?.hj212?.encrypted === true);
    if (encrypted && head.mn !== null && device !== undefined) {
      this.#onEncrypted(raw, { mn: head.mn, head, segment: raw.subarray(HEADER), device });
      return;
    }
    if (!this.#broken.allows()) {
      this.end('too-much-broken');
      return;
    }
    // What a broken head says is not believed: the connection tells whose it is.
    const mn = this.#firstMn ?? (device === undefined ? null : head.mn);
    const fault = { reason: FAULTS[code], detail: `frame: ${code}: ${message}` };
    this.#handOn(this.#message(raw, mn, fault), head, () => 'not-sound');
  }

  /** 2025, SM4: only the codec, which has the key, can tell whether it is sound. */
  #onEncrypted(raw: Buffer, frame: SoundFrame): void {
    this.#handOn(this.#message(raw, frame.mn), frame.head, (outcome) => {
      if (isUnverified(outcome)) return 'not-sound';
      this.#firstMn ??= frame.mn;
      if (!this.#closed) this.#deps.heard(this, frame);
      return this.#answer(frame, true);
    });
  }

  /** It is durable. */
  #answer(frame: SoundFrame, sound: boolean): Answer {
    const { head, device } = frame;
    const isStranger = device === undefined && this.#deps.config.unknownDevices === 'disconnect';
    const answer = !sound ? 'not-sound' : isStranger ? 'device-unknown' : answerTo(head, this.#deps.config);
    if (answer === '9013' || answer === '9014') this.send(encodeAnswer(answer, head, device?.hj212 ?? null));
    this.#deps.stored(this, frame);
    if (isStranger) this.end('device-unknown');
    return answer;
  }

  #message(raw: Buffer, mn: string | null, fault?: DeviceMessage['fault']): DeviceMessage {
    const topic = mn === null ? 'hj212' : `hj212/${mn}`;
    const message: DeviceMessage = { topic, payload: raw, clientId: this.remote, authenticatedDevice: null };
    return fault === undefined ? message : { ...message, fault };
  }

  /** `durable` says what the frame was answered with. */
  #handOn(message: DeviceMessage, head: FrameHead, durable: (outcome: AcceptOutcome) => Answer): void {
    const { meters, log } = this.#deps;
    const bytes = message.payload.length;
    this.#gate.enter(bytes);
    store(message, this.#deps, {
      // Broken pieces, like frames that ask for no answer, will not come again.
      comesAgain: message.fault === undefined && head.flag !== null && (head.flag & 1) === 1,
      signal: this.#stopped.signal,
      failed: () => {
        meters.unstored.inc();
        this.#gate.rest(REST_MS);
      },
    })
      .then((outcome) => {
        if (outcome !== null) meters.answers.inc({ answer: durable(outcome) });
      })
      .catch((error: unknown) => log.error({ err: error, remote: this.remote }, 'answering a frame failed'))
      .finally(() => {
        this.#gate.leave(bytes);
        this.#settle();
      });
  }

  #settle(): void {
    if (this.#gate.inFlight > 0 || this.#cut.length > 0) return;
    for (const tell of this.#whenSettled.splice(0)) tell();
    if (this.#ended && !this.#closed) this.#closeOurSide();
  }

  #onEnd(): void {
    this.#ended = true;
    this.#take(this.#splitter.end());
  }

  #closeOurSide(): void {
    // Behind the answers that leave with this turn.
    setImmediate(() => {
      this.#outbox.flush();
      this.#socket.end();
    });
  }

  #onClose(): void {
    this.#closed = true;
    if (!this.#ended) this.#take(this.#splitter.end());
    this.#work(this.#cut.length);
    this.#gate.close();
    this.#deps.closed(this, this.#ended);
  }

  #allowedSegment(head: Buffer): number {
    const { mn } = readHead(head);
    const device = mn === null ? undefined : this.#deps.find(mn);
    return Math.max(this.#deps.config.maxSegmentBytes, device?.hj212?.maxSegmentBytes ?? 0);
  }
}

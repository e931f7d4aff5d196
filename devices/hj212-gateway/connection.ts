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

/**
 * One TCP connection of a monitor, or of a relay that carries several.
 *
 *   bytes ─▶ FrameSplitter ─┬ sound frame ─▶ accept() ─▶ durable ─▶ 9014, in the order in which they become so
 *                           └ broken piece ─▶ accept() with its fault ─▶ quarantine; bounded, then the connection ends
 *
 * Promises: an answer leaves only after `accept` has resolved. When it rejects, the store is away: a frame that asks for an
 * answer gets none, and its device sends it again; one that asks for none will not come again, so it is held and tried
 * until it is stored. What waits is bounded (frames of the connection, bytes of all): beyond, nothing more is read.
 */
export interface ConnectionDeps {
  config: Hj212GatewayConfig;
  intake: Intake;
  meters: Meters;
  log: Log;
  find(mn: string): RegisteredDevice | undefined;
  accept(message: DeviceMessage): Promise<AcceptOutcome>;
  /** One log line when storage goes, one when it is back. */
  outage: { begun(error: unknown): void; over(): void };
  /** A sound frame, by the MN that it names; before it is durable. */
  heard(connection: Connection, frame: SoundFrame): void;
  /** It is durable, and was answered if it asked for it. */
  stored(connection: Connection, frame: SoundFrame): void;
  closed(connection: Connection, farewell: boolean): void;
}

/** What ingest says of a message; see its Receipt. */
export interface AcceptOutcome {
  outcome: 'accepted' | 'duplicate' | 'quarantined';
  reason: QuarantineReason | null;
}

export interface SoundFrame {
  mn: string;
  head: FrameHead;
  segment: Buffer;
  device: RegisteredDevice | undefined;
}

/** Why the gateway ends a connection. Log and metric show this same word. */
export type EndReason = 'too-much-broken' | 'nothing-sound' | 'idle' | 'reads-no-answers' | 'device-unknown';

const FAULTS: Readonly<Record<FrameError, QuarantineReason>> = {
  'no-header': 'malformed',
  'too-long': 'payload-too-large',
  'length-mismatch': 'malformed',
  'crc-mismatch': 'crc-mismatch',
  'not-decrypted': 'not-decrypted',
  incomplete: 'malformed',
};

const HEADER = 6;
const FRAMES_A_TURN = 32;
/** A device that sends without ever reading its answers is let go. */
const MOST_UNREAD_BYTES = 256 * 1024;
/** After a failure of storage nothing is read for so long. */
const REST_MS = 1_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
const MINUTE_MS = 60_000;

export class Connection {
  /** `address:port`, for people. */
  readonly remote: string;
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  readonly #splitter: FrameSplitter;
  readonly #stopped = new AbortController();
  readonly #goOn = () => this.#readOn();
  /** The MN of the first sound frame: broken pieces are put down to it. */
  #firstMn: string | null = null;
  /** Cut, and not looked at yet: the rest of a chunk waits for the next turns. */
  #cut: FrameResult[] = [];
  #working = false;
  #inFlight = 0;
  #resting = false;
  #reading = true;
  /** The device has closed its side; ours follows when all is answered. */
  #ended = false;
  #closed = false;
  #isDropped = false;
  #answers: Buffer[] = [];
  #broken = { since: performance.now(), count: 0 };
  #whenSettled: (() => void)[] = [];

  constructor(socket: Socket, deps: ConnectionDeps) {
    const { config } = deps;
    this.#socket = socket;
    this.#deps = deps;
    this.remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.#splitter = new FrameSplitter({
      maxSegment: config.maxSegmentBytes,
      longer: (head) => this.#allowedSegment(head),
      // Both are cut; whether this device may use the one at hand is the codec's to judge, by its profile.
      crc: ['standard', 'modbus'],
    });
    const newcomer = setTimeout(() => {
      if (this.#firstMn === null) this.end('nothing-sound');
    }, config.firstFrameS * 1_000);
    socket.setTimeout(config.idleS * 1_000, () => this.end('idle'));
    socket.setKeepAlive(true, MINUTE_MS);
    socket.on('data', (chunk: Buffer) => this.#take(this.#splitter.push(chunk)));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error) =>
      deps.log.debug({ err: error, remote: this.remote }, 'HJ 212 connection error'),
    );
    socket.on('close', () => {
      clearTimeout(newcomer);
      this.#onClose();
    });
  }

  send(frame: Buffer): void {
    this.#answers.push(frame);
    if (this.#answers.length === 1) setImmediate(() => this.#flush());
  }

  end(reason: EndReason): void {
    if (this.#closed) return;
    this.#deps.meters.ended.inc({ reason });
    this.#deps.log.info({ remote: this.remote, mn: this.#firstMn, reason }, 'HJ 212 connection ended');
    this.#isDropped = true;
    this.#socket.destroy();
  }

  /** Reads no more, and resolves when what is under way is durable and answered, or after `patienceMs`. */
  async stop(patienceMs: number): Promise<void> {
    this.#ended = true;
    this.#socket.pause();
    this.#work(this.#cut.length);
    if (this.#inFlight > 0) {
      const settled = new Promise<void>((resolve) => this.#whenSettled.push(resolve));
      await Promise.race([
        settled,
        sleep(patienceMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined),
      ]);
    }
    this.#flush();
    this.#stopped.abort();
    this.#socket.destroySoon();
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
      // What is left of a connection that was ended for what it sent is not looked at.
      if (this.#isDropped) break;
      this.#deps.meters.frames.inc({ result: result.ok ? 'ok' : result.code });
      if (result.ok) this.#onSound(result);
      else this.#onBroken(result);
    }
    if (this.#isDropped) this.#cut = [];
    this.#working = this.#cut.length > 0;
    if (!this.#working) {
      this.#settle();
      return;
    }
    this.#hold();
    setImmediate(() => this.#work());
  }

  #onSound(result: FrameResult & { ok: true }): void {
    const head = readHead(result.segment);
    const { mn } = head;
    if (mn === null) {
      const detail = 'MN: the frame names no device';
      this.#handOn(this.#message(result.raw, null, { reason: 'malformed', detail }), head, () => 'not-sound');
      return;
    }
    this.#firstMn ??= mn;
    const device = this.#deps.find(mn);
    const frame: SoundFrame = { mn, head, segment: result.segment, device };
    this.#deps.heard(this, frame);
    const variantFits = result.crc === (device?.hj212?.crc ?? 'standard');
    this.#handOn(this.#message(result.raw, mn), head, (outcome) => {
      const answer = this.#answerFor(frame, variantFits && !isUnverified(outcome));
      if (answer === '9013' || answer === '9014')
        this.send(encodeAnswer(answer, head, device?.hj212 ?? null));
      this.#deps.stored(this, frame);
      if (outcome.reason === 'device-unknown' && answer === 'device-unknown') this.end('device-unknown');
      return answer;
    });
  }

  /** What is no sound frame. An encrypted one looks so too: its checksum is that of the plain text. */
  #onBroken(result: FrameResult & { ok: false }): void {
    const head = readHead(result.raw.subarray(HEADER));
    const device = head.mn === null ? undefined : this.#deps.find(head.mn);
    const encrypted =
      result.code === 'not-decrypted' ||
      (result.code === 'crc-mismatch' && device?.hj212?.encrypted === true);
    if (encrypted && head.mn !== null && device !== undefined) {
      this.#onEncrypted(result.raw, head, head.mn, device);
      return;
    }
    if (this.#tooMuchBroken()) {
      this.end('too-much-broken');
      return;
    }
    // What a broken head says is not believed: the connection tells whose it is.
    const mn = this.#firstMn ?? (device === undefined ? null : head.mn);
    const fault = { reason: FAULTS[result.code], detail: `frame: ${result.code}: ${result.message}` };
    this.#handOn(this.#message(result.raw, mn, fault), head, () => 'not-sound');
  }

  /** 2025, SM4: only the codec, which has the key, can tell whether it is sound. */
  #onEncrypted(raw: Buffer, head: FrameHead, mn: string, device: RegisteredDevice): void {
    this.#handOn(this.#message(raw, mn), head, (outcome) => {
      if (isUnverified(outcome)) return 'not-sound';
      this.#firstMn ??= mn;
      const frame = { mn, head, segment: raw.subarray(HEADER), device };
      if (!this.#closed) this.#deps.heard(this, frame);
      const answer = this.#answerFor(frame, true);
      if (answer === '9013' || answer === '9014') this.send(encodeAnswer(answer, head, device.hj212));
      this.#deps.stored(this, frame);
      return answer;
    });
  }

  #answerFor({ head, device }: SoundFrame, sound: boolean): Answer {
    if (!sound) return 'not-sound';
    if (device === undefined && this.#deps.config.unknownDevices === 'disconnect') return 'device-unknown';
    return answerTo(head, this.#deps.config);
  }

  #message(raw: Buffer, mn: string | null, fault?: DeviceMessage['fault']): DeviceMessage {
    const topic = mn === null ? 'hj212' : `hj212/${mn}`;
    const message: DeviceMessage = { topic, payload: raw, clientId: this.remote, authenticatedDevice: null };
    return fault === undefined ? message : { ...message, fault };
  }

  /** `durable` says what the frame was answered with. */
  #handOn(message: DeviceMessage, head: FrameHead, durable: (outcome: AcceptOutcome) => Answer): void {
    const bytes = message.payload.length;
    this.#inFlight += 1;
    this.#deps.intake.enter(bytes);
    if (this.#inFlight >= this.#deps.config.maxInFlight || this.#deps.intake.full) this.#hold();
    // Broken pieces, like frames that ask for no answer, will not come again.
    const comesAgain = message.fault === undefined && head.flag !== null && (head.flag & 1) === 1;
    this.#store(message, comesAgain)
      .then((outcome) => {
        if (outcome !== null) this.#deps.meters.answers.inc({ answer: durable(outcome) });
      })
      .catch((error: unknown) =>
        this.#deps.log.error({ err: error, remote: this.remote }, 'answering a frame failed'),
      )
      .finally(() => {
        this.#inFlight -= 1;
        this.#deps.intake.leave(bytes);
        this.#settle();
      });
  }

  /** Null: it was not stored, and its device will send it again. */
  async #store(message: DeviceMessage, comesAgain: boolean): Promise<AcceptOutcome | null> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
      try {
        const outcome = await this.#deps.accept(message);
        this.#deps.outage.over();
        return outcome;
      } catch (error) {
        this.#deps.outage.begun(error);
        this.#deps.meters.unstored.inc();
        this.#rest();
        if (comesAgain || this.#stopped.signal.aborted) return null;
        await sleep(wait, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
        if (this.#stopped.signal.aborted) return null;
      }
    }
  }

  #settle(): void {
    if (this.#inFlight === 0 && this.#cut.length === 0) {
      for (const tell of this.#whenSettled.splice(0)) tell();
      if (this.#ended && !this.#closed) this.#closeOurSide();
    }
    this.#readOn();
  }

  #hold(): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.#socket.pause();
  }

  #readOn(): void {
    if (this.#reading || this.#ended || this.#resting || this.#cut.length > 0) return;
    if (this.#inFlight > this.#deps.config.maxInFlight / 2) return;
    if (this.#deps.intake.full) {
      this.#deps.intake.whenRoom(this.#goOn);
      return;
    }
    this.#reading = true;
    this.#socket.resume();
  }

  #rest(): void {
    this.#hold();
    if (this.#resting || this.#closed) return;
    this.#resting = true;
    setTimeout(() => {
      this.#resting = false;
      this.#readOn();
    }, REST_MS).unref();
  }

  /** What became due in one turn of the event loop leaves in one write. */
  #flush(): void {
    const answers = this.#answers;
    this.#answers = [];
    if (answers.length === 0 || this.#socket.destroyed || !this.#socket.writable) return;
    this.#socket.write(answers.length === 1 ? (answers[0] ?? '') : Buffer.concat(answers));
    if (this.#socket.writableLength > MOST_UNREAD_BYTES) this.end('reads-no-answers');
  }

  #onEnd(): void {
    this.#ended = true;
    this.#take(this.#splitter.end());
  }

  #closeOurSide(): void {
    // Behind the answers that leave with this turn.
    setImmediate(() => {
      this.#flush();
      this.#socket.end();
    });
  }

  #onClose(): void {
    this.#closed = true;
    if (!this.#ended) this.#take(this.#splitter.end());
    this.#work(this.#cut.length);
    this.#deps.intake.forget(this.#goOn);
    this.#deps.closed(this, this.#ended);
  }

  #tooMuchBroken(): boolean {
    const now = performance.now();
    if (now - this.#broken.since > MINUTE_MS) this.#broken = { since: now, count: 0 };
    this.#broken.count += 1;
    return this.#broken.count > this.#deps.config.maxBrokenPerMinute;
  }

  #allowedSegment(head: Buffer): number {
    const { mn } = readHead(head);
    const device = mn === null ? undefined : this.#deps.find(mn);
    return Math.max(this.#deps.config.maxSegmentBytes, device?.hj212?.maxSegmentBytes ?? 0);
  }
}

/** The codec did not find the checksum that the device's profile asks for. */
function isUnverified({ outcome, reason }: AcceptOutcome): boolean {
  return outcome === 'quarantined' && (reason === 'crc-mismatch' || reason === 'not-decrypted');
}

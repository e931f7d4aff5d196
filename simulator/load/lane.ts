import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Meter } from './report.ts';
import type { Heard, Key, Wire } from './wire.ts';

/**
 * One connection of the load. Promises: at most WINDOW messages wait for their acknowledgement, so that a slow product slows
 * the load; what was sent and not acknowledged is sent again, the same bytes, over every new connection, until it is; new
 * connections are tried with growing pauses. What the product takes twice it can tell by its content.
 */
export interface Address {
  host: string;
  port: number;
  tls: boolean;
}

interface Sent {
  bytes: Buffer;
  firstSentAt: number;
  lastSentAt: number;
}

const WINDOW = 500;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export class Lane {
  readonly #address: Address;
  readonly #wire: Wire;
  readonly #meter: Meter;
  readonly #heard: Heard;
  /** By key, in the order of their first sending. */
  readonly #waiting = new Map<Key, Sent>();
  readonly #isTaken = (key: Key) => this.#waiting.has(key);
  #socket: Socket | null = null;
  #ready = false;
  #closing = false;
  #pauseMs = FIRST_PAUSE_MS;
  #outbox: Buffer[] = [];
  #opened: { resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor(address: Address, wire: Wire, meter: Meter) {
    this.#address = address;
    this.#wire = wire;
    this.#meter = meter;
    this.#heard = {
      ready: () => this.#onReady(),
      acknowledged: (key) => this.#onAcknowledged(key),
      refused: (reason) => this.#onRefused(reason),
      answer: (bytes) => this.#outbox.push(bytes),
    };
  }

  /** Rejects when the first connection does not come about; later ones are tried until they do. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.#connect();
    });
  }

  get inFlight(): number {
    return this.#waiting.size;
  }

  get hasRoom(): boolean {
    return this.#ready && this.#waiting.size < WINDOW;
  }

  /** Leaves with the next `flush`. */
  send(device: number): void {
    const { key, bytes } = this.#wire.next(device, this.#isTaken);
    const now = performance.now();
    this.#waiting.set(key, { bytes, firstSentAt: now, lastSentAt: now });
    this.#meter.published();
    this.#outbox.push(bytes);
  }

  flush(): void {
    if (this.#outbox.length === 0 || !this.#ready) return;
    this.#socket?.write(this.#outbox.length === 1 ? (this.#outbox[0] ?? '') : Buffer.concat(this.#outbox));
    this.#outbox = [];
  }

  /** What had no answer for too long is sent again. */
  repeat(): void {
    const { repeatAfterMs } = this.#wire;
    if (repeatAfterMs === null || !this.#ready) return;
    const before = performance.now() - repeatAfterMs;
    this.#sendAgain((sent) => sent.lastSentAt < before);
  }

  close(): void {
    this.#closing = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    const { host, port, tls } = this.#address;
    const socket = tls
      ? connectTls({ host, port, servername: host })
      : connect({ host, port, noDelay: true });
    this.#socket = socket;
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      const hello = this.#wire.hello();
      if (hello === null) this.#onReady();
      else socket.write(hello);
    });
    socket.on('data', (chunk: Buffer) => {
      this.#wire.receive(chunk, this.#heard);
      this.flush();
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#onClose());
  }

  #onReady(): void {
    this.#ready = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#outbox = [];
    if (this.#opened === null) this.#meter.reconnected();
    this.#opened?.resolve();
    this.#opened = null;
    this.#sendAgain(() => true);
  }

  #onAcknowledged(key: Key): void {
    const sent = this.#waiting.get(key);
    if (sent === undefined) return;
    this.#waiting.delete(key);
    this.#meter.acknowledged(performance.now() - sent.firstSentAt);
  }

  #onRefused(reason: string): void {
    this.#fail(new Error(reason));
    this.#socket?.destroy();
  }

  #onClose(): void {
    this.#ready = false;
    this.#fail(new Error('the connection was closed'));
    if (this.#closing) return;
    setTimeout(() => {
      if (!this.#closing) this.#connect();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }

  /** Before the first connection stands, nothing is tried again: the address is wrong. */
  #fail(error: Error): void {
    if (this.#opened === null) return;
    this.#closing = true;
    this.#opened.reject(error);
    this.#opened = null;
  }

  #sendAgain(which: (sent: Sent) => boolean): void {
    const now = performance.now();
    let count = 0;
    for (const sent of this.#waiting.values()) {
      if (!which(sent)) continue;
      sent.lastSentAt = now;
      this.#outbox.push(this.#wire.again(sent.bytes));
      count += 1;
    }
    this.#meter.resent(count);
    this.flush();
  }
}

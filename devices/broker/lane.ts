import type { Duplex } from 'node:stream';

/**
 * The way of one connection's messages from the parser to durable storage: how much may be under way, and the
 * acknowledgements, which leave in the order in which the messages came (MQTT 3.1.1, [MQTT-4.6.0-2]) although storage
 * may finish them in another. Acknowledgements that fall due in one turn of the event loop leave in one write.
 */
export interface Lane {
  /** A message came in. */
  enter(bytes: number): void;
  /** As much is under way as may be: nothing more should be read. */
  readonly full: boolean;
  /** Calls back once when there is room again; half of the lane is empty then. */
  whenRoom(proceed: () => void): void;
  /** A message is durable, or was dropped. */
  leave(bytes: number): void;
  /** Keeps the place of a QoS 1 message in the order of acknowledgements; gives its number. */
  expectAck(messageId: number): number;
  /** The message with that number may be acknowledged. */
  acknowledge(number: number): void;
  close(): void;
}

export interface LaneLimits {
  messages: number;
  bytes: number;
}

/** A client that sends without ever reading its acknowledgements is let go. */
const MAX_UNREAD_BYTES = 256 * 1024;

export function lane(connection: Duplex, limits: LaneLimits): Lane {
  return new ConnectionLane(connection, limits);
}

class ConnectionLane implements Lane {
  readonly #connection: Duplex;
  readonly #limits: LaneLimits;
  /** Ring of those that wait, by number modulo its size, a power of two: message id, and whether it is due. */
  #ids = new Uint16Array(8);
  #due = new Uint8Array(8);
  /** Number of the first that has not left, and of the next to come. */
  #first = 0;
  #next = 0;
  #flushing = false;
  #messages = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(connection: Duplex, limits: LaneLimits) {
    this.#connection = connection;
    this.#limits = limits;
  }

  get full(): boolean {
    return this.#messages > this.#limits.messages || this.#bytes > this.#limits.bytes;
  }

  enter(bytes: number): void {
    this.#messages += 1;
    this.#bytes += bytes;
  }

  whenRoom(proceed: () => void): void {
    if (!this.full) proceed();
    else this.#waiting.push(proceed);
  }

  leave(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
    if (this.#waiting.length === 0 || this.#closed) return;
    // Half empty before it is read again: one stop and go for many messages.
    if (this.#messages > this.#limits.messages / 2 || this.#bytes > this.#limits.bytes / 2) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const proceed of waiting) proceed();
  }

  expectAck(messageId: number): number {
    if (this.#next - this.#first === this.#ids.length) this.#grow();
    const number = this.#next++;
    const place = number & (this.#ids.length - 1);
    this.#ids[place] = messageId;
    this.#due[place] = 0;
    return number;
  }

  acknowledge(number: number): void {
    this.#due[number & (this.#due.length - 1)] = 1;
    if (this.#flushing || this.#closed) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#closed) return;
    const mask = this.#ids.length - 1;
    let end = this.#first;
    while (end < this.#next && this.#due[end & mask] === 1) end += 1;
    if (end === this.#first) return;
    this.#connection.write(this.#pubacks(end));
    this.#first = end;
    if (this.#connection.writableLength > MAX_UNREAD_BYTES) this.#connection.destroy();
  }

  /** PUBACK packets (clause 3.4) one behind the other, from the first that waits to before `end`. */
  #pubacks(end: number): Buffer {
    const bytes = Buffer.allocUnsafe((end - this.#first) * 4);
    const mask = this.#ids.length - 1;
    let at = 0;
    for (let number = this.#first; number < end; number++) {
      const id = this.#ids[number & mask] ?? 0;
      bytes[at] = 0x40;
      bytes[at + 1] = 2;
      bytes[at + 2] = id >> 8;
      bytes[at + 3] = id & 0xff;
      at += 4;
    }
    return bytes;
  }

  #grow(): void {
    const [ids, due] = [this.#ids, this.#due];
    this.#ids = new Uint16Array(ids.length * 2);
    this.#due = new Uint8Array(ids.length * 2);
    for (let number = this.#first; number < this.#next; number++) {
      const from = number & (ids.length - 1);
      const to = number & (this.#ids.length - 1);
      this.#ids[to] = ids[from] ?? 0;
      this.#due[to] = due[from] ?? 0;
    }
  }
}

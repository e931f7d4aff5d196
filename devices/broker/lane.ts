import type { Duplex } from 'node:stream';

/**
 * The way of one connection's messages from the parser to durable storage: how much may be under way, and the
 * acknowledgements, which leave in the order in which the messages came (MQTT 3.1.1, [MQTT-4.6.0-2]) although storage
 * may finish them in another. Acknowledgements that fall due in one turn of the event loop leave in one write.
 */
export interface Lane {
  /** A message came in. `proceed` is called at once, or when there is room again: until then nothing more is read. */
  enter(bytes: number, proceed: () => void): void;
  /** It is durable, or was dropped. */
  leave(bytes: number): void;
  /** Keeps the place of a QoS 1 message; the returned function says that it may be acknowledged. */
  expectAck(messageId: number): () => void;
  close(): void;
}

export interface LaneLimits {
  messages: number;
  bytes: number;
}

interface PendingAck {
  messageId: number;
  due: boolean;
}

/** A client that sends without ever reading its acknowledgements is let go. */
const MAX_UNREAD_BYTES = 256 * 1024;

export function lane(connection: Duplex, limits: LaneLimits): Lane {
  return new ConnectionLane(connection, limits);
}

class ConnectionLane implements Lane {
  readonly #connection: Duplex;
  readonly #limits: LaneLimits;
  /** In the order of arrival; `#first` is the first that has not left. */
  #acks: PendingAck[] = [];
  #first = 0;
  #flushing = false;
  #messages = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(connection: Duplex, limits: LaneLimits) {
    this.#connection = connection;
    this.#limits = limits;
  }

  enter(bytes: number, proceed: () => void): void {
    this.#messages += 1;
    this.#bytes += bytes;
    if (this.#messages <= this.#limits.messages && this.#bytes <= this.#limits.bytes) proceed();
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

  expectAck(messageId: number): () => void {
    const ack: PendingAck = { messageId, due: false };
    this.#acks.push(ack);
    return () => {
      ack.due = true;
      if (this.#flushing) return;
      this.#flushing = true;
      setImmediate(() => this.#flush());
    };
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#acks = [];
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#closed) return;
    let end = this.#first;
    while (this.#acks[end]?.due === true) end += 1;
    if (end === this.#first) return;
    this.#connection.write(pubacks(this.#acks, this.#first, end));
    this.#first = end;
    if (this.#first > 1_000 || this.#first === this.#acks.length) {
      this.#acks = this.#acks.slice(this.#first);
      this.#first = 0;
    }
    if (this.#connection.writableLength > MAX_UNREAD_BYTES) this.#connection.destroy();
  }
}

/** PUBACK packets (clause 3.4) one behind the other. */
function pubacks(acks: readonly PendingAck[], from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe((to - from) * 4);
  for (let i = from; i < to; i++) {
    const at = (i - from) * 4;
    bytes[at] = 0x40;
    bytes[at + 1] = 2;
    bytes.writeUInt16BE(acks[i]?.messageId ?? 0, at + 2);
  }
  return bytes;
}

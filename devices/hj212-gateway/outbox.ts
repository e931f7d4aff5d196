import type { Socket } from 'node:net';

/** A device that sends without ever reading its answers is let go. */
const MOST_UNREAD_BYTES = 256 * 1024;

/** What is said to a device: what falls due in one turn of the event loop leaves in one write. */
export class Outbox {
  readonly #socket: Socket;
  readonly #isUnread: () => void;
  #frames: Buffer[] = [];

  /** `isUnread` is called when the device does not read what it is told. */
  constructor(socket: Socket, isUnread: () => void) {
    this.#socket = socket;
    this.#isUnread = isUnread;
  }

  send(frame: Buffer): void {
    this.#frames.push(frame);
    if (this.#frames.length === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    const frames = this.#frames;
    this.#frames = [];
    if (frames.length === 0 || !this.#socket.writable) return;
    this.#socket.write(frames.length === 1 ? (frames[0] ?? '') : Buffer.concat(frames));
    if (this.#socket.writableLength > MOST_UNREAD_BYTES) this.#isUnread();
  }
}

import type { Socket } from 'node:net';
import type { Intake } from './intake.ts';

/**
 * Whether a connection is read on. It is not while too many of its frames wait for storage, while all connections together
 * hold too much, for a moment after storage has failed, and while frames that came already are not looked at.
 */
export class ReadGate {
  readonly #socket: Socket;
  readonly #intake: Intake;
  readonly #most: number;
  readonly #goOn = () => this.tryOpen();
  #inFlight = 0;
  #open = true;
  #busy = false;
  #resting = false;
  #closed = false;

  /** `most`: frames that may wait; half of them must be gone before it opens again. */
  constructor(socket: Socket, intake: Intake, most: number) {
    this.#socket = socket;
    this.#intake = intake;
    this.#most = most;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  enter(bytes: number): void {
    this.#inFlight += 1;
    this.#intake.enter(bytes);
    if (this.#inFlight >= this.#most || this.#intake.full) this.#shut();
  }

  leave(bytes: number): void {
    this.#inFlight -= 1;
    this.#intake.leave(bytes);
    this.tryOpen();
  }

  /** Frames lie ready that are not looked at yet; false: no longer. */
  set busy(busy: boolean) {
    this.#busy = busy;
    if (busy) this.#shut();
    else this.tryOpen();
  }

  rest(ms: number): void {
    this.#shut();
    if (this.#resting || this.#closed) return;
    this.#resting = true;
    setTimeout(() => {
      this.#resting = false;
      this.tryOpen();
    }, ms).unref();
  }

  /** For good. */
  close(): void {
    this.#closed = true;
    this.#shut();
    this.#intake.forget(this.#goOn);
  }

  tryOpen(): void {
    if (this.#open || this.#closed || this.#resting || this.#busy) return;
    if (this.#inFlight > this.#most / 2) return;
    if (this.#intake.full) {
      this.#intake.whenRoom(this.#goOn);
      return;
    }
    this.#open = true;
    this.#socket.resume();
  }

  #shut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.pause();
  }
}

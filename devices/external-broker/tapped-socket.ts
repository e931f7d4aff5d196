import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { PublishTap } from '../mqtt5/publish-tap.ts';

/**
 * A socket as the MQTT library sees it: PUBLISH packets have been taken out by the tap. Whole packets of ours (PUBACK) may
 * be written beside the library's own, because every write of either is one packet or a row of them.
 * While `hold` holds, nothing is read: the kernel's buffer fills and the broker waits.
 */
export class TappedSocket extends Duplex {
  readonly #socket: Socket;
  #held = false;

  constructor(socket: Socket, tap: PublishTap) {
    super({ emitClose: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      const rest = tap.pass(chunk);
      if (rest !== null && !this.push(rest)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  get held(): boolean {
    return this.#held;
  }

  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  release(): void {
    this.#held = false;
    this.#socket.resume();
  }

  override _read(): void {
    if (!this.#held) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.write(chunk)) done();
    else this.#socket.once('drain', () => done());
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

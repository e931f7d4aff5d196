import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { generate, type Packet, parser } from 'mqtt-packet';
import { readFixedHeader } from './publish-packet.ts';
import { PublishTap, type TappedPublish } from './publish-tap.ts';
import { Translator } from './translate.ts';

/**
 * A connection that speaks MQTT 5, as a connection that speaks 3.1.1:
 *
 *   socket ─▶ CONNECT ─▶ translated ─▶ (the broker lets it in) ─▶ tap ─┬─ PUBLISH, with its user properties ─▶ publish()
 *      ◀──── translated ◀──── what the broker writes                   └─ all else ─▶ translated ─▶ the broker
 *
 * Nothing behind the CONNECT is looked at before the CONNACK. At most `controlBytes` of a packet that is no PUBLISH are
 * held, and at most `maxBytes` of a PUBLISH. What is malformed ends the connection, after `fault`.
 */
export interface Mqtt5Options {
  maxBytes: number;
  controlBytes: number;
  newClientId(): string;
  publish(publish: TappedPublish): void;
  fault(message: string): void;
}

const V4 = { protocolVersion: 4 };
const V5 = { protocolVersion: 5 };

export class Mqtt5Socket extends Duplex {
  readonly #socket: Socket;
  readonly #options: Mqtt5Options;
  readonly #tap: PublishTap;
  readonly #translator: Translator;
  readonly #fromClient = parser(V5);
  readonly #fromBroker = parser(V4);
  #state: 'connecting' | 'waiting' | 'open' | 'over' = 'connecting';
  /** Before the CONNACK: what came and was not looked at. */
  #early: Buffer[] = [];

  constructor(socket: Socket, options: Mqtt5Options) {
    super();
    this.#socket = socket;
    this.#options = options;
    this.#translator = new Translator(options.newClientId);
    const limits = { maxBytes: options.maxBytes, controlBytes: options.controlBytes };
    this.#tap = new PublishTap(limits, {
      publish: options.publish,
      fault: (message) => this.#fault(message),
    });
    this.#fromClient.on('packet', (packet) => this.#fromClientPacket(packet));
    this.#fromClient.on('error', (error) => this.#fault(error.message));
    this.#fromBroker.on('packet', (packet) => this.#fromBrokerPacket(packet));
    this.#fromBroker.on('error', (error) => this.destroy(error));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** Reads no more until `release`: the kernel's buffer fills, and the client waits. */
  hold(): void {
    this.#socket.pause();
  }

  release(): void {
    if (this.#state === 'open') this.#socket.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#state === 'over') return;
    if (this.#state === 'open') {
      const rest = this.#tap.pass(chunk);
      if (rest !== null) this.#parse(rest);
      return;
    }
    this.#early.push(chunk);
    if (this.#state === 'connecting') this.#tryConnect();
  }

  /** Hands the CONNECT on once it is whole, and then waits for the answer to it. */
  #tryConnect(): void {
    const bytes = Buffer.concat(this.#early);
    this.#early = [bytes];
    const header = readFixedHeader(bytes, 0);
    if (header === 'incomplete') return;
    if (header === 'malformed') {
      this.#fault('a remaining length of more than four bytes');
      return;
    }
    const end = header[0] + header[1];
    if (end > this.#options.controlBytes) {
      this.#fault(`a CONNECT of ${end} bytes`);
      return;
    }
    if (end > bytes.length) return;
    this.#state = 'waiting';
    this.#early = [bytes.subarray(end)];
    this.#socket.pause();
    this.#parse(bytes.subarray(0, end));
  }

  /** The parser tells of most faults by an event, and throws at some. */
  #parse(bytes: Buffer): void {
    try {
      this.#fromClient.parse(bytes);
    } catch (error) {
      this.#fault(error instanceof Error ? error.message : String(error));
    }
  }

  #fromClientPacket(packet: Packet): void {
    if (this.#state === 'over') return;
    const inbound = this.#translator.inbound(packet);
    if ('fault' in inbound) this.#fault(inbound.fault);
    else if ('refuse' in inbound) this.#socket.end(generate(inbound.refuse, V5));
    else if ('end' in inbound) {
      // The library sees a connection that broke: so the will is due.
      this.#state = 'over';
      this.destroy();
    } else {
      if (inbound.old.cmd === 'disconnect') this.#state = 'over';
      this.push(generate(inbound.old, V4));
    }
  }

  #fromBrokerPacket(packet: Packet): void {
    const translated = this.#translator.outbound(packet);
    this.#socket.write(generate(translated, V5));
    if (packet.cmd === 'connack' && packet.returnCode === 0) this.#open();
  }

  #open(): void {
    this.#state = 'open';
    const early = Buffer.concat(this.#early);
    this.#early = [];
    // In a turn of its own: the broker has not yet finished letting the client in.
    setImmediate(() => {
      if (this.destroyed) return;
      if (early.length > 0) this.#take(early);
      this.#socket.resume();
    });
  }

  #fault(message: string): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#options.fault(message);
    this.destroy();
  }

  override _read(): void {
    // Pushed as it comes: control packets are few and small.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#fromBroker.parse(chunk);
    if (this.#socket.writableNeedDrain && !this.#socket.destroyed) this.#socket.once('drain', () => done());
    else done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What was written, a refusal perhaps, leaves first.
    if (error === null) this.#socket.destroySoon();
    else this.#socket.destroy();
    done(error);
  }
}

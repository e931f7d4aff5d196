/**
 * What a protocol has to say of itself, so that one lane serves all: how a connection begins, how a message is written, and
 * what comes back. One wire a lane; it keeps what its connection has said so far, and no messages.
 */
export interface Wire {
  /** The first bytes on a new connection; null when it may speak at once. */
  hello(): Buffer | null;
  /** The next message of a device. The key stands in its acknowledgement; `taken` says which keys are in use. */
  next(device: number, taken: (key: Key) => boolean): Message;
  /** The bytes of a message that is sent again. */
  again(bytes: Buffer): Buffer;
  /** Takes what came. */
  receive(chunk: Buffer, heard: Heard): void;
  /** Ms without an acknowledgement after which a message is sent again on the same connection; null: never. */
  readonly repeatAfterMs: number | null;
}

export type Key = number | string;

export interface Message {
  key: Key;
  bytes: Buffer;
}

export interface Heard {
  /** The other side has let us in. */
  ready(): void;
  acknowledged(key: Key): void;
  /** It has not, and trying again is no use. */
  refused(reason: string): void;
  /** Something has to be said to it now. */
  answer(bytes: Buffer): void;
}

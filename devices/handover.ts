import type { DeviceMessage, Outgoing } from './message.ts';

/**
 * How an entrance hands a message on. With a callback rather than a promise, because this happens for every message and a
 * promise for each is what garbage collection then spends its time on. Either `durable` or `failed` is called, once.
 */
export interface Settled {
  /** Whatever became of the message is durable: it may be acknowledged. `send` goes back to the device. */
  durable(outcome: { send?: Outgoing[] }): void;
  /** A store is away: it must not be acknowledged, and comes again. */
  failed(error: unknown): void;
}

export type HandOn = (message: DeviceMessage, settled: Settled) => void;

/** For whoever has a function with a promise. */
export function handOnTo(accept: (message: DeviceMessage) => Promise<{ send?: Outgoing[] }>): HandOn {
  return (message, settled) => {
    accept(message).then(
      (outcome) => settled.durable(outcome),
      (error: unknown) => settled.failed(error),
    );
  };
}

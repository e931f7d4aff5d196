import type { Stream, StreamRecord } from '../backbone/index.ts';
import { TOPICS } from '../contracts/index.ts';

/**
 * The one ordered way to the observations topic: readings, device events and ticks leave in the order in which they
 * came here, so that a tick never runs ahead of readings that ingest had before it. What comes within one turn of the
 * event loop goes in one append; the stream joins those to commits. Nothing is kept here beyond the append under way;
 * how much that can be is bounded where the messages come in.
 */
export interface Line {
  /** Takes a record along; its passenger is told when it is durable, or that it is not. */
  send(record: StreamRecord, passenger: Passenger): void;
  /** The same with a promise. `undo` is called instead, before the rejection, when it is not durable. */
  append(record: StreamRecord, undo: () => void): Promise<void>;
  /** To every partition, behind all that came before it. */
  broadcast(value: Uint8Array): Promise<void>;
  /** Resolves when all that came before is durable; rejects when some of it is not. */
  settled(): Promise<void>;
}

/** One of the two is called, once. */
export interface Passenger {
  arrived(): void;
  lost(error: unknown): void;
}

/** What leaves together. */
interface Load {
  readonly records: StreamRecord[];
  readonly passengers: Passenger[];
  /** Of the whole load; whoever waits for `settled` waits for it. */
  readonly done: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

export function line(stream: Stream): Line {
  let waiting: Load | null = null;
  const underWay = new Set<Promise<void>>();

  function track(sent: Promise<void>): Promise<void> {
    underWay.add(sent);
    const forget = () => underWay.delete(sent);
    sent.then(forget, forget);
    return sent;
  }

  function open(): Load {
    const load = emptyLoad();
    void track(load.done);
    setImmediate(() => depart(load));
    return load;
  }

  function depart(load: Load): void {
    // A broadcast may have sent it off before its turn ended.
    if (waiting !== load) return;
    waiting = null;
    stream.append(TOPICS.observations, load.records).then(
      () => {
        for (const passenger of load.passengers) passenger.arrived();
        load.resolve();
      },
      (error: unknown) => {
        for (const passenger of load.passengers) passenger.lost(error);
        load.reject(error);
      },
    );
  }

  function send(record: StreamRecord, passenger: Passenger): void {
    waiting ??= open();
    waiting.records.push(record);
    waiting.passengers.push(passenger);
  }

  return {
    send,
    append(record, undo) {
      return new Promise((arrived, reject) => {
        send(record, {
          arrived,
          lost(error) {
            undo();
            reject(error);
          },
        });
      });
    },
    broadcast(value) {
      if (waiting !== null) depart(waiting);
      return track(stream.broadcast(TOPICS.observations, value));
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}

function emptyLoad(): Load {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const done = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { records: [], passengers: [], done, resolve, reject };
}

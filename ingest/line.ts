import type { Stream, StreamRecord } from '../backbone/index.ts';
import { TOPICS } from '../contracts/index.ts';

/**
 * The one ordered way to the observations topic: readings, device events and ticks leave in the order in which they
 * came here, so that a tick never runs ahead of readings that ingest had before it. What comes within one turn of the
 * event loop goes in one append; the stream joins those to commits. Nothing is kept here beyond the append under way;
 * how much that can be is bounded where the messages come in.
 */
export interface Line {
  /** Resolves when the record is durable. `undo` is called instead, before the rejection, when it is not. */
  append(record: StreamRecord, undo: () => void): Promise<void>;
  /** To every partition, behind all that came before it. */
  broadcast(value: Uint8Array): Promise<void>;
  /** Resolves when all that came before is durable; rejects when some of it is not. */
  settled(): Promise<void>;
}

/** What leaves together; all of it shares one promise. */
interface Load {
  readonly records: StreamRecord[];
  readonly undo: (() => void)[];
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
    stream.append(TOPICS.observations, load.records).then(load.resolve, (error: unknown) => {
      for (const undo of load.undo) undo();
      load.reject(error);
    });
  }

  return {
    append(record, undo) {
      waiting ??= open();
      waiting.records.push(record);
      waiting.undo.push(undo);
      return waiting.done;
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
  return { records: [], undo: [], done, resolve, reject };
}

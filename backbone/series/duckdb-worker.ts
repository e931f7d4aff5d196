import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, Argument, Question, Reply, SeriesCall, WorkerData } from './duckdb-protocol.ts';
import { DuckDbStore } from './duckdb-store.ts';

/**
 * The series thread: DuckDB's appends run on the calling thread, so they get one of their own.
 * Calls that write run one after the other in the order in which they came; reads run beside them.
 *
 * After an error that DuckDB calls fatal (a full disk during a commit) the database refuses everything until it is
 * opened anew, which the next call does.
 */

const { file, memoryLimit } = workerData as WorkerData;
let store: DuckDbStore | null = null;
let lastWrite: Promise<unknown> = Promise.resolve();

type Handlers = { [C in SeriesCall]: (argument: Argument<C>) => Answer<C> | Promise<Answer<C>> };

const handlers: Handlers = {
  names: () => inOrder((open) => open.names()),
  write: (batch) => inOrder((open) => open.write(batch)),
  deleteBefore: (time) => inOrder((open) => open.deleteBefore(time)),
  position: ({ topic, partition }) => inOrder(async (open) => open.position(topic, partition)),
  latest: async (series) => (await opened()).latest(series),
  range: async (query) => (await opened()).queries.range(query),
  windows: async (query) => (await opened()).queries.windows(query),
  totals: async () => (await opened()).queries.totals(),
  close: async () => {
    await lastWrite.catch(() => undefined);
    await store?.close();
    store = null;
    return null;
  },
};

let opening: Promise<DuckDbStore> | null = null;

function opened(): Promise<DuckDbStore> {
  if (store !== null) return Promise.resolve(store);
  opening ??= DuckDbStore.open(file, memoryLimit)
    .then((open) => {
      store = open;
      return open;
    })
    .finally(() => {
      opening = null;
    });
  return opening;
}

function inOrder<T>(work: (open: DuckDbStore) => Promise<T>): Promise<T> {
  const result = lastWrite.then(async () => work(await opened()));
  lastWrite = result.catch(reopenAfterFatal);
  return result;
}

async function reopenAfterFatal(error: unknown): Promise<void> {
  if (!/FATAL|invalidated/i.test(String(error))) return;
  const broken = store;
  store = null;
  await broken?.close().catch(() => undefined);
}

async function answer({ id, call, argument }: Question): Promise<Reply> {
  try {
    const handler = handlers[call] as (argument: unknown) => unknown;
    return { id, answer: await handler(argument) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (question: Question) => {
  void answer(question).then((reply) => parentPort?.postMessage(reply));
});

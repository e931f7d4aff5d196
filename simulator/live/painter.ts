/**
 * Paints pictures in a thread of its own, so that no reading waits for a picture. Bounded by its callers: each camera
 * asks for one picture at a time.
 */
import { Worker } from 'node:worker_threads';
import type { Story } from '../scenes/index.ts';

export interface Painter {
  /** The JPEG of that moment. Rejects when it cannot be painted, or the painter was stopped. */
  paint(story: Story, time: number): Promise<Buffer>;
  stop(): Promise<void>;
}

export interface PaintOrder {
  id: number;
  story: Story;
  time: number;
}
export type PaintAnswer = { id: number; jpeg: Uint8Array } | { id: number; error: string };

interface Waiting {
  resolve(jpeg: Buffer): void;
  reject(error: Error): void;
}

export function startPainter(): Painter {
  /** By number of the order. */
  const waiting = new Map<number, Waiting>();
  const worker = startWorker();
  let orders = 0;
  let ended: Error | undefined;
  const failAll = (error: Error) => {
    ended = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', (answer: PaintAnswer) => {
    const order = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('jpeg' in answer) order?.resolve(Buffer.from(answer.jpeg));
    else order?.reject(new Error(answer.error));
  });
  worker.on('error', (error) => failAll(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => failAll(new Error('the painter has ended')));
  return {
    paint(story, time) {
      if (ended) return Promise.reject(ended);
      const id = ++orders;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, story, time } satisfies PaintOrder);
      });
    },
    async stop() {
      await worker.terminate();
    },
  };
}

/** Built, the worker is the .js beside this one; from source it is the .ts behind a file that makes tsx read it. */
function startWorker(): Worker {
  const file = import.meta.url.endsWith('.js') ? './painter-worker.js' : './painter-from-source.mjs';
  return new Worker(new URL(file, import.meta.url), { execArgv: [] });
}

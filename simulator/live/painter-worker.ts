/** The thread behind painter.ts: one order after the other, each answered. */
import { parentPort } from 'node:worker_threads';
import { picture } from '../scenes/index.ts';
import type { PaintAnswer, PaintOrder } from './painter.ts';

let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (order: PaintOrder) => {
  last = last.then(async () => parentPort?.postMessage(await answer(order)));
});

async function answer({ id, story, time }: PaintOrder): Promise<PaintAnswer> {
  try {
    const { jpeg } = await picture(story, time);
    return { id, jpeg };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

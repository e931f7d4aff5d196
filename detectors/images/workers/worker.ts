/**
 * A thread that looks at pictures: JPEG bytes in, detections out. Loads its model once and keeps the session. Takes as
 * many pictures at a time as it is given; while one is in the model the next is decoded.
 */

import { parentPort, workerData } from 'node:worker_threads';
import sharp from 'sharp';
import { QianliyanError } from '../../../contracts/index.ts';
import { loadModel, type Model } from '../models/model.ts';
import { UnreadablePicture } from '../picture/pixels.ts';
import type { LookAt, WorkerSays, WorkerStart } from './messages.ts';

const port = parentPort;
if (!port) throw new Error('worker.ts runs as a worker thread only');
const { folder, session, minScore } = workerData as WorkerStart;
const say = (message: WorkerSays) => port.postMessage(message);

// Each worker is one lane of work: libvips must not open four more, nor keep pictures that never come again.
sharp.concurrency(1);
sharp.cache(false);

try {
  const model = await loadModel(folder, session);
  port.on('message', (job: LookAt) => void look(model, job));
  say({ type: 'ready' });
} catch (error) {
  const problems = error instanceof QianliyanError ? [...error.problems] : [];
  say({
    type: 'refused',
    error: { message: error instanceof Error ? error.message : String(error), problems },
  });
}

async function look(model: Model, { id, bytes }: LookAt): Promise<void> {
  try {
    say({ type: 'seen', id, seen: await model.detect(bytes, minScore) });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    if (error instanceof UnreadablePicture) say({ type: 'unreadable', id, reason: error.reason, detail });
    else say({ type: 'failed', id, detail });
  }
}

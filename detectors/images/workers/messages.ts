/** What passes between the pool and a worker. */

import type { Seen, SessionOptions } from '../models/model.ts';
import type { PictureFault } from '../picture/pixels.ts';

/** `workerData`. */
export interface WorkerStart {
  folder: string;
  session: SessionOptions;
  minScore: number;
}

export interface LookAt {
  id: number;
  bytes: Uint8Array;
}

export type WorkerSays =
  | { type: 'ready' }
  | { type: 'refused'; error: { message: string; problems: unknown[] } }
  | { type: 'seen'; id: number; seen: Seen }
  /** The picture's fault: trying again is of no use. */
  | { type: 'unreadable'; id: number; reason: PictureFault; detail: string }
  /** Ours or the runtime's: another worker may do better. */
  | { type: 'failed'; id: number; detail: string };

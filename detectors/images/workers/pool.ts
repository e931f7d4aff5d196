/**
 * Worker threads that look at pictures.
 *
 * Promises: every picture that is handed in gets an answer, detections or a named reason; a worker that dies or hangs is
 * replaced and its pictures are taken up again, each at most `maxTries` times; at most `workers` × `framesInFlight`
 * pictures are in work. Does not bound what waits: the caller hands in one batch at a time.
 */

import type { Worker } from 'node:worker_threads';
import type { Log } from '../../../backbone/log.ts';
import { pause } from '../../../backbone/retry.ts';
import { startThread } from '../../../backbone/thread.ts';
import { type Problem, QianliyanError } from '../../../contracts/index.ts';
import type { Seen } from '../models/model.ts';
import type { PictureFault } from '../picture/pixels.ts';
import type { LookAt, WorkerSays, WorkerStart } from './messages.ts';

/** Why a frame was set aside without having been looked at. */
export type SetAsideReason = PictureFault | 'worker-died' | 'model-failed';

export type Answer = { ok: true; seen: Seen } | { ok: false; reason: SetAsideReason; detail: string };

export interface PoolOptions extends WorkerStart {
  workers: number;
  framesInFlight: number;
  maxTries: number;
  /** Real milliseconds. */
  frameTimeoutMs: number;
  log: Log;
  onRestart?: () => void;
  /** Started instead of the real worker; for tests. */
  start?: (data: WorkerStart) => Worker;
}

interface Job extends LookAt {
  tries: number;
  answer(answer: Answer): void;
}

interface Lane {
  worker: Worker;
  /** Jobs in this worker's hands, by id, with the timer that runs out for each. */
  jobs: Map<number, { job: Job; timer: NodeJS.Timeout }>;
  ready: boolean;
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #lanes = new Set<Lane>();
  readonly #waiting: Job[] = [];
  #nextId = 0;
  #closing = false;
  restarts = 0;

  private constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Resolves when every worker has its model loaded and warm. @throws QianliyanError MODEL_INVALID */
  static async start(options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    try {
      await Promise.all(Array.from({ length: options.workers }, () => pool.#open()));
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  /** Never rejects. The bytes are copied: they stay the caller's. */
  look(bytes: Uint8Array): Promise<Answer> {
    return new Promise((answer) => {
      this.#waiting.push({ id: this.#nextId++, bytes, tries: 0, answer });
      this.#feed();
    });
  }

  /** Pictures in work and waiting. */
  get load(): number {
    return this.#waiting.length + [...this.#lanes].reduce((n, lane) => n + lane.jobs.size, 0);
  }

  async close(): Promise<void> {
    this.#closing = true;
    const lanes = [...this.#lanes];
    await Promise.all(lanes.map((lane) => lane.worker.terminate()));
    for (const job of this.#waiting.splice(0))
      job.answer({ ok: false, reason: 'worker-died', detail: 'the pool was closed' });
  }

  #open(): Promise<void> {
    const { folder, session, minScore, start } = this.#options;
    const data: WorkerStart = { folder, session, minScore };
    const worker = start?.(data) ?? startThread('./worker.ts', import.meta.url, { workerData: data });
    const lane: Lane = { worker, jobs: new Map(), ready: false };
    this.#lanes.add(lane);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: WorkerSays) => {
        if (message.type === 'ready') {
          lane.ready = true;
          resolve();
          this.#feed();
        } else if (message.type === 'refused') {
          reject(
            new QianliyanError('MODEL_INVALID', message.error.message, {
              problems: message.error.problems as Problem[],
            }),
          );
        } else {
          this.#finish(lane, message);
        }
      });
      worker.on('error', (error) => {
        this.#options.log.error({ err: error }, 'image worker died');
        reject(error);
      });
      worker.on('exit', (code) => {
        reject(new QianliyanError('INTERNAL', `an image worker ended with code ${code} before it was ready`));
        this.#bury(lane);
      });
    });
  }

  #feed(): void {
    for (const lane of this.#lanes) {
      while (lane.ready && lane.jobs.size < this.#options.framesInFlight) {
        const job = this.#waiting.shift();
        if (!job) return;
        job.tries++;
        const timer = setTimeout(() => void lane.worker.terminate(), this.#options.frameTimeoutMs);
        lane.jobs.set(job.id, { job, timer });
        lane.worker.postMessage({ id: job.id, bytes: job.bytes } satisfies LookAt);
      }
    }
  }

  #finish(lane: Lane, message: Exclude<WorkerSays, { type: 'ready' | 'refused' }>): void {
    const held = lane.jobs.get(message.id);
    if (!held) return;
    clearTimeout(held.timer);
    lane.jobs.delete(message.id);
    if (message.type === 'seen') held.job.answer({ ok: true, seen: message.seen });
    else if (message.type === 'unreadable')
      held.job.answer({ ok: false, reason: message.reason, detail: message.detail });
    else this.#again(held.job, 'model-failed', message.detail);
    this.#feed();
  }

  #again(job: Job, reason: SetAsideReason, detail: string): void {
    if (this.#closing || job.tries >= this.#options.maxTries) job.answer({ ok: false, reason, detail });
    // In front, so that a camera's frames do not wait for each other longer than they must.
    else this.#waiting.unshift(job);
  }

  /** Takes the dead worker's jobs back and puts a new worker in its place. */
  #bury(lane: Lane): void {
    this.#lanes.delete(lane);
    for (const { job, timer } of lane.jobs.values()) {
      clearTimeout(timer);
      this.#again(job, 'worker-died', `${job.tries} workers died with this picture in hand`);
    }
    if (this.#closing || !lane.ready) return;
    this.restarts++;
    this.#options.onRestart?.();
    void this.#replace();
  }

  /** A model that loaded once loads again, but memory or a file may be short for a while. */
  async #replace(): Promise<void> {
    for (let wait = 100; !this.#closing; wait = Math.min(10_000, wait * 2)) {
      try {
        return await this.#open();
      } catch (error) {
        if (this.#closing) return;
        this.#options.log.error({ err: error }, 'image worker does not start again');
        await pause(wait);
      }
    }
  }
}

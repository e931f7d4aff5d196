import { Worker } from 'node:worker_threads';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { type PoolOptions, WorkerPool } from './pool.ts';

/**
 * Real threads that do as the first byte of the picture says, so that death and delay come when the story wants them:
 * 0 answers, 1 says it is no picture, 2 ends the thread, 3 hangs, 4 fails, 5 ends the thread at the first try only.
 */
const ACTS = `
  const { parentPort, workerData } = require('node:worker_threads');
  const tried = new Int32Array(workerData.tried);
  parentPort.on('message', ({ id, bytes }) => {
    const act = bytes[0];
    if (act === 2 || (act === 5 && Atomics.add(tried, 0, 1) === 0)) process.exit(1);
    if (act === 3) return;
    if (act === 1) parentPort.postMessage({ type: 'unreadable', id, reason: 'not-a-picture', detail: '' });
    else if (act === 4) parentPort.postMessage({ type: 'failed', id, detail: 'out of memory' });
    else parentPort.postMessage({ type: 'seen', id, seen: { width: bytes[1], height: 1, detections: [] } });
  });
  parentPort.postMessage({ type: 'ready' });
`;

const pools: WorkerPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((p) => p.close()));
});

async function pool(over: Partial<PoolOptions> = {}): Promise<WorkerPool> {
  const tried = new SharedArrayBuffer(4);
  const made = await WorkerPool.start({
    folder: '',
    minScore: 0.3,
    session: {},
    workers: 2,
    framesInFlight: 2,
    maxTries: 3,
    frameTimeoutMs: 20_000,
    log: pino({ level: 'silent' }),
    start: () => new Worker(ACTS, { eval: true, workerData: { tried } }),
    ...over,
  });
  pools.push(made);
  return made;
}

const picture = (act: number, mark = 7) => Uint8Array.from([act, mark]);

describe('every picture gets an answer', () => {
  it('in work or waiting, many at once', async () => {
    const p = await pool();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => p.look(picture(0, i))));
    expect(answers.map((a) => a.ok && a.seen.width)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(p.load).toBe(0);
  });

  it('what is no picture has its reason, and is not tried again', async () => {
    const p = await pool();
    expect(await p.look(picture(1))).toMatchObject({ ok: false, reason: 'not-a-picture' });
    expect(p.restarts).toBe(0);
  });

  it('when a worker dies, its pictures are taken up again by another', async () => {
    const p = await pool({ workers: 1 });
    const answers = await Promise.all([p.look(picture(5, 1)), p.look(picture(0, 2)), p.look(picture(0, 3))]);
    expect(answers.map((a) => a.ok && a.seen.width)).toEqual([1, 2, 3]);
    expect(p.restarts).toBe(1);
  });

  it('a picture that kills every worker is set aside, and the others are looked at', async () => {
    const p = await pool({ workers: 1, framesInFlight: 1 });
    const [bad, good] = await Promise.all([p.look(picture(2)), p.look(picture(0, 9))]);
    expect(bad).toMatchObject({ ok: false, reason: 'worker-died' });
    expect(good).toMatchObject({ ok: true, seen: { width: 9 } });
    expect(p.restarts).toBe(3);
  });

  it('a worker that hangs is replaced', async () => {
    const p = await pool({ workers: 1, maxTries: 1, frameTimeoutMs: 200 });
    expect(await p.look(picture(3))).toMatchObject({ ok: false, reason: 'worker-died' });
    expect(await p.look(picture(0, 4))).toMatchObject({ ok: true });
  });

  it('a run that fails is tried again, then set aside', async () => {
    const p = await pool();
    expect(await p.look(picture(4))).toMatchObject({
      ok: false,
      reason: 'model-failed',
      detail: 'out of memory',
    });
  });

  it('after closing as well', async () => {
    const p = await pool({ workers: 1, framesInFlight: 1 });
    const waiting = [p.look(picture(3)), p.look(picture(0))];
    await p.close();
    expect((await Promise.all(waiting)).map((a) => a.ok)).toEqual([false, false]);
  });
});

describe('a pool that cannot start', () => {
  it('says why', async () => {
    const refuses = `require('node:worker_threads').parentPort.postMessage({ type: 'refused', error: { message: 'wrong hash', problems: [{ path: 'sha256', found: 1, allowed: '2' }] } })`;
    const start = () => new Worker(refuses, { eval: true });
    await expect(pool({ start })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      problems: [{ path: 'sha256' }],
    });
  });

  it('says so when a worker ends before it is ready', async () => {
    await expect(pool({ start: () => new Worker('process.exit(3)', { eval: true }) })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
  });
});

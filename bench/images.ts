/**
 * How much of the model's own speed is left when everything around it is there: whole worker threads (JPEG in, detections
 * out) against `session.run` alone on the same prepared tensors, in the same run, on as many threads.
 */

import { availableParallelism } from 'node:os';
import pino from 'pino';
import { resolveModel } from '../detectors/images/models/catalogue.ts';
import { loadModel } from '../detectors/images/models/model.ts';
import { WorkerPool } from '../detectors/images/workers/pool.ts';
import { picture, type Story } from '../simulator/scenes/index.ts';
import { type BenchGoal, type BenchReport, type BenchRow, machine, measure } from './report.ts';

export interface ImageBenchOptions {
  model?: string;
  dataFolder?: string;
  /** Pictures measured; a fifth as many go before as warm-up. */
  pictures?: number;
  threads?: number;
  /** Least share of `session.run` alone. */
  goal?: number;
}

const T0 = Date.parse('2026-11-22T21:40:00+08:00');
const story: Story = {
  view: 'cam-01',
  seed: 3,
  utcOffsetMs: 8 * 3_600_000,
  weather: 'clear',
  caption: 'BENCH',
  trafficPerMin: 8,
  walkersPerMin: 6,
  shortcutsPerMin: 1,
  stays: [],
};

/** @throws QianliyanError MODEL_INVALID */
export async function benchImages(options: ImageBenchOptions = {}): Promise<BenchReport> {
  const { model: name = 'street-scenes', pictures = 400, goal = 0.7 } = options;
  const threads = options.threads ?? Math.min(2, availableParallelism());
  const folder = await resolveModel(name, options.dataFolder);
  const jpegs: Buffer[] = [];
  for (let i = 0; i < 16; i++) jpegs.push((await picture(story, T0 + i * 60_000)).jpeg);
  const alone = await sessionAlone(folder, jpegs, pictures, threads);
  const { row, latencies } = await wholeWorker(folder, jpegs, pictures, threads);
  const share = Number((row.ratePerS / alone.ratePerS).toFixed(3));
  const goals: BenchGoal[] = [
    {
      what: `${name}: whole worker against session.run alone, ${threads} threads`,
      goal,
      got: share,
      holds: share >= goal,
    },
  ];
  const percentile = (p: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * p))] ?? 0;
  const note = `p50 ${percentile(0.5).toFixed(1)} ms, p99 ${percentile(0.99).toFixed(1)} ms in the worker`;
  return {
    name: 'images',
    machine: machine(),
    rows: [alone, { ...row, case: `${row.case} (${note})` }],
    goals,
  };
}

/** As many sessions as threads, each fed with ready tensors one after the other: the most that the model can give. */
async function sessionAlone(
  folder: string,
  jpegs: Buffer[],
  pictures: number,
  threads: number,
): Promise<BenchRow> {
  const models = await Promise.all(Array.from({ length: threads }, () => loadModel(folder)));
  const [first] = models;
  if (!first) throw new RangeError('threads must be at least 1');
  const tensors = await Promise.all(jpegs.map(async (j) => (await first.prepare(j)).tensor));
  const lane = async (model: (typeof models)[number], count: number) => {
    for (let i = 0; i < count; i++) await model.run(tensors[i % tensors.length] as Float32Array);
  };
  const each = Math.ceil(pictures / threads);
  await Promise.all(models.map((m) => lane(m, Math.ceil(each / 5))));
  const row = await measure('session.run alone', async () => {
    await Promise.all(models.map((m) => lane(m, each)));
    return each * threads;
  });
  await Promise.all(models.map((m) => m.close()));
  return row;
}

async function wholeWorker(folder: string, jpegs: Buffer[], pictures: number, threads: number) {
  const pool = await WorkerPool.start({
    folder,
    minScore: 0.3,
    session: { threads: 1 },
    workers: threads,
    framesInFlight: 2,
    maxTries: 1,
    frameTimeoutMs: 60_000,
    log: pino({ level: 'silent' }),
  });
  const latencies: number[] = [];
  const look = async (i: number) => {
    const began = performance.now();
    await pool.look(jpegs[i % jpegs.length] as Buffer);
    latencies.push(performance.now() - began);
  };
  // Two pictures a worker at a time, as the stage has it; more would only wait.
  const run = async (count: number) => {
    let next = 0;
    const lane = async () => {
      while (next < count) await look(next++);
    };
    await Promise.all(Array.from({ length: threads * 2 }, lane));
    return count;
  };
  await run(Math.ceil(pictures / 5));
  latencies.length = 0;
  const row = await measure('JPEG in, detections out', () => run(pictures));
  await pool.close();
  return { row, latencies: latencies.sort((a, b) => a - b) };
}

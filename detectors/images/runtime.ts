/**
 * Image detection as a stage: consumes `frames`, appends to `findings`.
 *
 * Promises:
 * - The same frames give the same findings, ids and order included, however many workers there are and wherever the process
 *   was stopped: answers are put back into the order of the stream, time is the frames' own, and state is saved together
 *   with the place in the stream, after the findings are durable. What is told twice after a crash has the same id and
 *   revision.
 * - Memory is bounded: one batch of a partition is in work at a time.
 * - A frame that cannot be looked at is set aside with a named reason, counted and logged; none stops the stage.
 *
 * Does not promise to look at every frame: when behind by more than `behindS` only each camera's newest are looked at,
 * and the others are counted as dropped (`whenBehind: wait` looks at all).
 */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Catalog } from '../../backbone/catalog.ts';
import { decodeRecord, encodeRecord } from '../../backbone/codec.ts';
import type {
  Blobs,
  Clock,
  DeviceDirectory,
  Log,
  Stream,
  StreamBatch,
  Subscription,
} from '../../backbone/index.ts';
import { type Finding, type Frame, TOPICS } from '../../contracts/index.ts';
import { type CameraState, DETECTOR, type ModelIdentity, NEW_CAMERA, watchFrame } from './camera-watch.ts';
import type { ImageDetectorsConfig } from './config.ts';
import { resolveModel } from './models/catalogue.ts';
import { readModel } from './models/model.ts';
import { type Answer, type SetAsideReason, WorkerPool } from './workers/pool.ts';

export const GROUP = 'image-detectors';

export interface ImageDetectorsDeps {
  stream: Stream;
  blobs: Blobs;
  clock: Clock;
  log: Log;
  metrics: Registry;
  directory: DeviceDirectory;
  catalog: Catalog;
  /** The product's data folder, where added models lie. Without it only the product's own models and folders are found. */
  dataFolder?: string;
}

export interface ImageDetectors {
  stop(): Promise<void>;
  health(): { ok: boolean; detail: string };
  counts(): ImageCounts;
}

/** Why a frame gave no detections. */
export type FrameFate = SetAsideReason | 'blob-missing' | 'camera-unknown' | 'out-of-order';

export interface ImageCounts {
  frames: number;
  /** Skipped because newer ones of the same camera were there. */
  dropped: number;
  /** By named reason. */
  setAside: Partial<Record<FrameFate, number>>;
  detections: number;
  /** By state: open, update, closed. */
  findings: Record<Finding['state'], number>;
  workerRestarts: number;
}

/** State of one partition: which record comes next, and each camera's state, by id. */
interface PartitionState {
  nextOffset: number;
  cameras: Map<string, CameraState>;
}

/** @throws QianliyanError MODEL_INVALID */
export async function startImageDetectors(
  config: ImageDetectorsConfig,
  deps: ImageDetectorsDeps,
): Promise<ImageDetectors> {
  if (!config.enabled) return idle();
  const folder = await resolveModel(config.model, deps.dataFolder);
  const { manifest } = await readModel(folder);
  const minScore = config.minScore ?? Math.min(manifest.minScore, config.tracking.lowScore);
  const meters = makeMeters(deps.metrics);
  const pool = await WorkerPool.start({
    folder,
    minScore,
    session: { threads: config.threadsPerWorker, executionProviders: config.executionProviders },
    workers: config.workers,
    framesInFlight: config.framesInFlight,
    maxTries: config.maxTries,
    frameTimeoutMs: config.frameTimeoutS * 1000,
    log: deps.log,
    onRestart: () => meters.restarts.inc(),
  });
  const stage = new Stage(
    config,
    deps,
    pool,
    { name: manifest.name, version: manifest.version, sha256: manifest.sha256, minScore },
    meters,
  );
  deps.log.info({ model: manifest.name, workers: config.workers }, 'image detection started');
  await stage.begin();
  return stage;
}

function idle(): ImageDetectors {
  const counts: ImageCounts = {
    frames: 0,
    dropped: 0,
    setAside: {},
    detections: 0,
    findings: { open: 0, update: 0, closed: 0 },
    workerRestarts: 0,
  };
  return { stop: async () => {}, health: () => ({ ok: true, detail: 'switched off' }), counts: () => counts };
}

class Stage implements ImageDetectors {
  readonly #config: ImageDetectorsConfig;
  readonly #deps: ImageDetectorsDeps;
  readonly #pool: WorkerPool;
  readonly #model: ModelIdentity;
  readonly #meters: Meters;
  /** By partition. */
  readonly #partitions = new Map<number, PartitionState>();
  readonly #counts: ImageCounts = idle().counts();
  #subscription: Subscription | null = null;
  #failure: string | null = null;

  constructor(
    config: ImageDetectorsConfig,
    deps: ImageDetectorsDeps,
    pool: WorkerPool,
    model: ModelIdentity,
    meters: Meters,
  ) {
    this.#config = config;
    this.#deps = deps;
    this.#pool = pool;
    this.#model = model;
    this.#meters = meters;
  }

  async begin(): Promise<void> {
    const options = {
      topic: TOPICS.frames,
      group: GROUP,
      maxRecords: this.#config.batchFrames,
      commit: 'manual' as const,
    };
    this.#subscription = await this.#deps.stream.subscribe(options, (batch) => this.#take(batch));
    this.#subscription.ended.catch((error: unknown) => {
      this.#failure = error instanceof Error ? error.message : String(error);
      this.#deps.log.error({ err: error }, 'image detection stopped');
    });
  }

  async stop(): Promise<void> {
    await this.#subscription?.stop();
    await this.#pool.close();
  }

  health(): { ok: boolean; detail: string } {
    return this.#failure
      ? { ok: false, detail: this.#failure }
      : { ok: true, detail: `model ${this.#model.name}` };
  }

  counts(): ImageCounts {
    return {
      ...this.#counts,
      setAside: { ...this.#counts.setAside },
      findings: { ...this.#counts.findings },
      workerRestarts: this.#pool.restarts,
    };
  }

  async #take(batch: StreamBatch): Promise<void> {
    const state = await this.#stateFor(batch);
    const frames = batch.records.map((r) => decodeRecord<Frame>(r.value));
    const looked = this.#worthLooking(frames);
    const answers = await Promise.all(looked.map((frame) => this.#look(frame)));
    // Worked on a copy: when the append fails the same batch comes again and must find the state as it was.
    const cameras = new Map(state.cameras);
    const findings = looked.flatMap((frame, i) => this.#follow(cameras, frame, answers[i] as FrameAnswer));
    if (findings.length > 0) {
      await this.#deps.stream.append(
        TOPICS.findings,
        findings.map((f) => ({ key: f.device, value: encodeRecord(f) })),
      );
    }
    const saved = encodeRecord({ detector: DETECTOR, cameras: Object.fromEntries(cameras) });
    await this.#deps.stream.saveCheckpoint(GROUP, batch.topic, batch.partition, {
      nextOffset: batch.nextOffset,
      state: saved,
    });
    this.#partitions.set(batch.partition, { nextOffset: batch.nextOffset, cameras });
    this.#count(looked, answers, findings, frames.length - looked.length);
  }

  /** In memory when this batch follows the last one; else as saved: after a start, or when the partition came back. */
  async #stateFor({ topic, partition, records, nextOffset }: StreamBatch): Promise<PartitionState> {
    const first = records[0]?.offset ?? nextOffset;
    const held = this.#partitions.get(partition);
    if (held && held.nextOffset === first) return held;
    const checkpoint = await this.#deps.stream.loadCheckpoint(GROUP, topic, partition);
    if (!checkpoint?.state) return { nextOffset: first, cameras: new Map() };
    const saved = decodeRecord<{ detector: typeof DETECTOR; cameras: Record<string, CameraState> }>(
      checkpoint.state,
    );
    if (saved.detector.version === DETECTOR.version)
      return { nextOffset: first, cameras: new Map(Object.entries(saved.cameras)) };
    this.#deps.log.warn(
      { saved: saved.detector.version, now: DETECTOR.version },
      'tracks of another version of the detector are forgotten',
    );
    return { nextOffset: first, cameras: new Map() };
  }

  #worthLooking(frames: readonly Frame[]): Frame[] {
    const { clock } = this.#deps;
    const oldest = Math.min(...frames.map((f) => f.receivedAt));
    const behindMs = (clock.now() - oldest) / clock.speed;
    this.#meters.lag.set(Math.max(0, behindMs / 1000));
    if (this.#config.whenBehind === 'wait' || behindMs <= this.#config.behindS * 1000) return [...frames];
    return newestPerCamera(frames, this.#config.queuePerCamera);
  }

  async #look(frame: Frame): Promise<FrameAnswer> {
    const began = performance.now();
    if (!this.#deps.directory.get(frame.camera))
      return { ok: false, reason: 'camera-unknown', detail: frame.camera };
    const bytes = await this.#deps.blobs.get(frame.blob);
    if (!bytes) return { ok: false, reason: 'blob-missing', detail: frame.blob };
    const answer = await this.#pool.look(bytes);
    this.#meters.seconds.observe((performance.now() - began) / 1000);
    return answer;
  }

  /** One camera's step; puts the camera's new state into `cameras`. */
  #follow(cameras: Map<string, CameraState>, frame: Frame, answer: FrameAnswer): Finding[] {
    if (!answer.ok) {
      this.#deps.log.warn(
        { camera: frame.camera, time: frame.time, reason: answer.reason, detail: answer.detail },
        'frame set aside',
      );
      return [];
    }
    const before = cameras.get(frame.camera) ?? NEW_CAMERA;
    const { directory } = this.#deps;
    const device = directory.at(frame.camera, frame.time) ?? directory.get(frame.camera);
    if (!device) return [];
    if (frame.time <= before.lastTime) {
      this.#counts.setAside['out-of-order'] = (this.#counts.setAside['out-of-order'] ?? 0) + 1;
      this.#meters.setAside.inc({ reason: 'out-of-order' });
      return [];
    }
    const { state, findings } = watchFrame(
      before,
      { frame, ...answer.seen },
      device,
      this.#config,
      this.#model,
    );
    cameras.set(frame.camera, state);
    return findings;
  }

  #count(
    looked: readonly Frame[],
    answers: readonly FrameAnswer[],
    findings: readonly Finding[],
    dropped: number,
  ): void {
    const { frames, dropped: droppedMeter, setAside, detections, findings: findingsMeter } = this.#meters;
    this.#counts.frames += looked.length;
    this.#counts.dropped += dropped;
    frames.inc(looked.length);
    droppedMeter.inc(dropped);
    for (const answer of answers) {
      if (answer.ok) {
        this.#counts.detections += answer.seen.detections.length;
        detections.inc(answer.seen.detections.length);
      } else {
        this.#counts.setAside[answer.reason] = (this.#counts.setAside[answer.reason] ?? 0) + 1;
        setAside.inc({ reason: answer.reason });
      }
    }
    for (const { state, reason } of findings) {
      this.#counts.findings[state]++;
      findingsMeter.inc({ reason, state });
    }
  }
}

type FrameAnswer = Answer | { ok: false; reason: FrameFate; detail: string };

/** The last `keep` frames of each camera, in the order of the stream. */
export function newestPerCamera(frames: readonly Frame[], keep: number): Frame[] {
  /** Frames already kept, by camera. */
  const kept = new Map<string, number>();
  return frames
    .toReversed()
    .filter(({ camera }) => {
      const n = kept.get(camera) ?? 0;
      kept.set(camera, n + 1);
      return n < keep;
    })
    .reverse();
}

type Meters = ReturnType<typeof makeMeters>;

function makeMeters(registry: Registry) {
  const registers = [registry];
  return {
    frames: new Counter({
      name: 'qianliyan_image_frames_total',
      help: 'Frames looked at or set aside',
      registers,
    }),
    dropped: new Counter({
      name: 'qianliyan_image_frames_dropped_total',
      help: 'Frames skipped for newer ones of the same camera',
      registers,
    }),
    setAside: new Counter({
      name: 'qianliyan_image_frames_set_aside_total',
      help: 'Frames that could not be looked at',
      labelNames: ['reason'],
      registers,
    }),
    detections: new Counter({ name: 'qianliyan_image_detections_total', help: 'Things seen', registers }),
    findings: new Counter({
      name: 'qianliyan_image_findings_total',
      help: 'Findings told',
      labelNames: ['reason', 'state'],
      registers,
    }),
    restarts: new Counter({
      name: 'qianliyan_image_worker_restarts_total',
      help: 'Workers that died and were replaced',
      registers,
    }),
    lag: new Gauge({
      name: 'qianliyan_image_lag_seconds',
      help: 'Age of the oldest frame in work, in real seconds',
      registers,
    }),
    seconds: new Histogram({
      name: 'qianliyan_image_frame_seconds',
      help: 'From blob to detections',
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    }),
  };
}

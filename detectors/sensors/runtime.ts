import type { Registry } from 'prom-client';
import type { Catalog } from '../../backbone/catalog.ts';
import type { Clock } from '../../backbone/clock.ts';
import type { DeviceDirectory } from '../../backbone/directory.ts';
import type { Log } from '../../backbone/log.ts';
import type { Stream, StreamBatch, Subscription } from '../../backbone/stream/port.ts';
import { type FindingKind, QianliyanError, TOPICS } from '../../contracts/index.ts';
import { plansOf, type SensorDetectorsConfig } from './config.ts';
import { registerMetrics } from './metrics.ts';
import { Partition } from './partition.ts';
import type { Plan } from './plan.ts';
import { SensorRouter } from './routing.ts';
import { type Fault, Tally } from './tally.ts';

/**
 * Starts sensor detection on the stream. Promises what `partition.ts` and `routing.ts` promise, for every partition of
 * `observations` that this process is given. Findings go to `findings`, keyed by device. Does not read a clock for
 * anything but the spacing of checkpoints.
 */
export interface SensorDetectorsDeps {
  stream: Stream;
  clock: Clock;
  log: Log;
  metrics: Registry;
  directory: DeviceDirectory;
  catalog: Catalog;
  /** Local time = UTC + this: windows are aligned to it, hours of the day are meant in it. 8 h for Beijing. */
  utcOffsetMs: number;
  /**
   * Which partition a device's records lie in: with it, devices that never spoke are followed too. Left out: this is
   * known only where the topic has a single partition, and `never-heard` is silent elsewhere.
   */
  partitionOf?: (device: string) => number;
}

export interface SensorDetectors {
  stop(): Promise<void>;
  health(): SensorDetectorsHealth;
  counts(): SensorDetectorsCounts;
  /** Limits or other rules changed: watches are attached again, state stays where parameters are equal. */
  useCatalog(catalog: Catalog): void;
}

export interface SensorDetectorsHealth {
  ok: boolean;
  /** Why not: the consumer ended with an error, or watches were stopped. */
  stalled: string | null;
  /** Watches that threw and were stopped, the latest 50. */
  faults: readonly Fault[];
  /** Why nothing could be said, the latest 50. */
  notes: readonly { detector: string; reason: string; text: string }[];
}

export interface SensorDetectorsCounts {
  observations: number;
  repeats: number;
  outOfOrder: number;
  undeclared: number;
  devices: number;
  /** Findings opened, by kind. */
  findings: Partial<Record<FindingKind, number>>;
}

export const SENSOR_GROUP = 'sensor-detectors';

export async function startSensorDetectors(
  config: SensorDetectorsConfig,
  deps: SensorDetectorsDeps,
): Promise<SensorDetectors> {
  const stage = new Stage(config, deps);
  await stage.begin();
  return stage;
}

/** Sensor detection while it runs. */
class Stage implements SensorDetectors {
  readonly #config: SensorDetectorsConfig;
  readonly #deps: SensorDetectorsDeps;
  readonly #plans: readonly Plan[];
  readonly #tally = new Tally();
  /** By partition number. */
  readonly #partitions = new Map<number, Partition>();
  #partitionCount = 1;
  #catalog: Catalog;
  #stalled: string | null = null;
  #stopListening = (): void => {};
  #subscription: Subscription | null = null;

  constructor(config: SensorDetectorsConfig, deps: SensorDetectorsDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#plans = plansOf(config);
    this.#catalog = deps.catalog;
  }

  async begin(): Promise<void> {
    const { directory, stream, metrics } = this.#deps;
    this.#stopListening = directory.onChange((id) => this.#deviceChanged(id));
    this.#subscription = await stream.subscribe(
      {
        topic: TOPICS.observations,
        group: SENSOR_GROUP,
        commit: 'manual',
        startAt: (partition) => this.#startAt(partition),
      },
      (batch) => this.#handle(batch),
    );
    this.#subscription.ended.catch((error: unknown) => this.#stall(error));
    registerMetrics(metrics, this.#tally, () => this.#devices());
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await this.#subscription?.stop();
    for (const partition of this.#partitions.values()) await partition.end();
  }

  health(): SensorDetectorsHealth {
    const { latestFaults, latestNotes } = this.#tally;
    const ok = this.#stalled === null && latestFaults.length === 0;
    return { ok, stalled: this.#stalled, faults: latestFaults, notes: latestNotes };
  }

  counts(): SensorDetectorsCounts {
    return countsOf(this.#tally, this.#devices());
  }

  useCatalog(catalog: Catalog): void {
    this.#catalog = catalog;
    for (const partition of this.#partitions.values()) partition.useCatalog(catalog);
  }

  /** A partition is (again) given to this process: its state is what the checkpoint says, nothing older. */
  async #startAt(number: number): Promise<number | null> {
    const { stream, directory } = this.#deps;
    const partition = this.#makePartition(number);
    this.#partitions.set(number, partition);
    const nextOffset = await partition.begin();
    const { length } = await stream.ends(TOPICS.observations);
    this.#partitionCount = Math.max(this.#partitionCount, length, number + 1);
    for (const device of directory.all()) this.#expect(device.id);
    return nextOffset;
  }

  #makePartition(partition: number): Partition {
    const { stream, log, clock } = this.#deps;
    return new Partition({
      stream,
      log,
      group: SENSOR_GROUP,
      partition,
      router: this.#makeRouter(),
      checkpointEveryMs: this.#config.checkpointEveryS * 1000,
      checkpointEveryRecords: this.#config.checkpointEveryRecords,
      now: () => clock.now() / clock.speed,
    });
  }

  #makeRouter(): SensorRouter {
    const { directory, utcOffsetMs, log } = this.#deps;
    return new SensorRouter({
      plans: this.#plans,
      directory,
      catalog: this.#catalog,
      tally: this.#tally,
      utcOffsetMs,
      updateEveryMs: this.#config.updateEveryS * 1000,
      tickGapMs: this.#config.tickGapS * 1000,
      onFault: (detector, about, error) =>
        log.error({ detector, about, err: error }, 'a detector threw and is stopped for this datastream'),
    });
  }

  async #handle(batch: StreamBatch): Promise<void> {
    const partition = this.#partitions.get(batch.partition);
    if (partition === undefined) {
      throw new QianliyanError('INTERNAL', `partition ${batch.partition} began without its checkpoint`);
    }
    await partition.handle(batch);
  }

  #deviceChanged(id: string): void {
    for (const { router } of this.#partitions.values()) router.unsettle(id);
    this.#expect(id);
  }

  #expect(id: string): void {
    for (const [number, { router }] of this.#partitions) {
      if (this.#partitionCount <= 1 || this.#deps.partitionOf?.(id) === number) router.expect(id);
    }
  }

  #stall(error: unknown): void {
    this.#stalled = error instanceof Error ? error.message : String(error);
    this.#deps.log.error({ err: error }, 'sensor detection has stopped');
  }

  #devices(): number {
    let devices = 0;
    for (const { router } of this.#partitions.values()) devices += router.following.entries.size;
    return devices;
  }
}

function countsOf(tally: Tally, devices: number): SensorDetectorsCounts {
  const findings: Partial<Record<FindingKind, number>> = {};
  for (const [key, count] of tally.findings) {
    const [, kind, state] = key.split(' ') as [string, FindingKind, string];
    if (state === 'open') findings[kind] = (findings[kind] ?? 0) + count;
  }
  return {
    observations: tally.observed,
    repeats: tally.repeats,
    outOfOrder: tally.outOfOrder,
    undeclared: tally.undeclared,
    devices,
    findings,
  };
}

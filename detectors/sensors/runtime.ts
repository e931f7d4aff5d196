import type { Registry } from 'prom-client';
import type { Catalog } from '../../backbone/catalog.ts';
import type { Clock } from '../../backbone/clock.ts';
import type { DeviceDirectory } from '../../backbone/directory.ts';
import type { Log } from '../../backbone/log.ts';
import type { Stream } from '../../backbone/stream/port.ts';
import { type FindingKind, QianliyanError, TOPICS } from '../../contracts/index.ts';
import { plansOf, type SensorDetectorsConfig } from './config.ts';
import { registerMetrics } from './metrics.ts';
import { Partition } from './partition.ts';
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
  const { stream, log, directory } = deps;
  const tally = new Tally();
  /** By partition number. */
  const partitions = new Map<number, Partition>();
  let partitionCount = 1;
  const plans = plansOf(config);
  let catalog = deps.catalog;
  let stalled: string | null = null;

  const makePartition = (partition: number): Partition => {
    const router = new SensorRouter({
      plans,
      directory,
      catalog,
      tally,
      utcOffsetMs: deps.utcOffsetMs,
      updateEveryMs: config.updateEveryS * 1000,
      tickGapMs: config.tickGapS * 1000,
      onFault: (detector, about, error) =>
        log.error({ detector, about, err: error }, 'a detector threw and is stopped for this datastream'),
    });
    const made = new Partition({
      stream,
      log,
      group: SENSOR_GROUP,
      partition,
      router,
      checkpointEveryMs: config.checkpointEveryS * 1000,
      checkpointEveryRecords: config.checkpointEveryRecords,
      now: () => deps.clock.now() / deps.clock.speed,
    });
    partitions.set(partition, made);
    return made;
  };

  const expect = (id: string): void => {
    for (const [number, { router }] of partitions) {
      if (partitionCount <= 1 || deps.partitionOf?.(id) === number) router.expect(id);
    }
  };

  /** A partition is (again) given to this process: its state is what the checkpoint says, nothing older. */
  const startAt = async (number: number): Promise<number | null> => {
    const nextOffset = await makePartition(number).begin();
    const { length } = await stream.ends(TOPICS.observations);
    partitionCount = Math.max(partitionCount, length, number + 1);
    for (const device of directory.all()) expect(device.id);
    return nextOffset;
  };

  const stopListening = directory.onChange((id) => {
    for (const { router } of partitions.values()) router.unsettle(id);
    expect(id);
  });
  const subscription = await stream.subscribe(
    { topic: TOPICS.observations, group: SENSOR_GROUP, commit: 'manual', startAt },
    async (batch) => {
      const partition = partitions.get(batch.partition);
      if (partition === undefined) {
        throw new QianliyanError('INTERNAL', `partition ${batch.partition} began without its checkpoint`);
      }
      await partition.handle(batch);
    },
  );
  subscription.ended.catch((error: unknown) => {
    stalled = error instanceof Error ? error.message : String(error);
    log.error({ err: error }, 'sensor detection has stopped');
  });
  registerMetrics(deps.metrics, tally, () => devicesIn(partitions));

  return {
    async stop() {
      stopListening();
      await subscription.stop();
      for (const partition of partitions.values()) await partition.end();
    },
    health: () => ({
      ok: stalled === null && tally.latestFaults.length === 0,
      stalled,
      faults: tally.latestFaults,
      notes: tally.latestNotes,
    }),
    counts: () => countsOf(tally, devicesIn(partitions)),
    useCatalog(changed) {
      catalog = changed;
      for (const partition of partitions.values()) partition.useCatalog(changed);
    },
  };
}

function devicesIn(partitions: ReadonlyMap<number, Partition>): number {
  let devices = 0;
  for (const { router } of partitions.values()) devices += router.entries.size;
  return devices;
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

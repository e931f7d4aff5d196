import type { z } from 'zod';
import type { Catalog } from '../../backbone/catalog.ts';
import type { Datastream, Finding, Quality, RegisteredDevice } from '../../contracts/index.ts';

/**
 * The shape of every sensor detector. A detector is a factory of watches; a watch follows one datastream, takes its
 * time from the data, and can be saved and restored between any two observations with no change in what it finds.
 * Metrics, partitions, checkpoints, order and repeats are the runtime's: a watch sees strictly increasing times.
 */
export interface SensorDetector<P = unknown> {
  readonly name: string;
  /** Changes whenever the same input could give another result. */
  readonly version: string;
  readonly params: z.ZodType<P>;
  /** Null: there is nothing to watch on this datastream. */
  attach(context: DatastreamContext, params: P): DatastreamWatch | null;
}

/** All that a detector may know about a datastream besides its data. */
export interface DatastreamContext {
  id: string;
  device: RegisteredDevice;
  datastream: Datastream;
  catalog: Catalog;
  /** Region code of the jurisdiction that the device stands in; '' when it stands in none. */
  region: string;
  /** Local time = UTC + this; 8 h for Beijing. */
  utcOffsetMs: number;
}

export interface DatastreamWatch {
  observe(time: number, value: number, quality: Quality, say: Say): void;
  /** The product's time went on to `time`, with or without observations. */
  tick?(time: number, say: Say): void;
  /** State as JSON; `restore(save())` continues bit for bit. */
  save(): unknown;
  restore(state: unknown): void;
}

/** What a watch says; the runtime adds id, device, datastream, detector, trigger and revision. */
export type Said = Pick<
  Finding,
  'state' | 'kind' | 'reason' | 'severity' | 'matter' | 'interval' | 'measure' | 'summary' | 'clause'
> & {
  /** What the finding's id is made of, besides detector and datastream: the start of the happening. */
  since: number;
  /** What the result depends on besides the data and the configured parameters: rule id, version, limit … */
  parameters?: Record<string, unknown>;
  /** First and last time of the observations that it rests on. */
  input: { from: number; to: number };
};

export type Say = (said: Said) => void;

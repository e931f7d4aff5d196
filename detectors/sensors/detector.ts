import type { z } from 'zod';
import type { Catalog } from '../../backbone/catalog.ts';
import type { Datastream, DeviceEvent, Finding, Quality, RegisteredDevice } from '../../contracts/index.ts';

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
  /** For what concerns a device as a whole, however many datastreams it has. Null: nothing to watch. */
  attachDevice?(context: DeviceContext, params: P): DeviceWatch | null;
  /**
   * How long before a finding's interval the data that it rests on begins, so that `explain` need read no more.
   * Left out: the whole past of the datastream (a detector that learns).
   */
  lookbackMs?(params: P): number;
}

/** All that a detector may know about a device besides its data. */
export interface DeviceContext {
  device: RegisteredDevice;
  catalog: Catalog;
  /** Region code of the jurisdiction that the device stands in; '' when it stands in none. */
  region: string;
  /** Local time = UTC + this; 8 h for Beijing. */
  utcOffsetMs: number;
  /**
   * Tells why nothing could be said, as a named reason with a sentence: counted in a metric, the latest are shown in the
   * health. Never a finding. Takes effect on nothing: a watch works the same without it.
   */
  note?: Note;
}

/** All that a detector may know about a datastream besides its data. */
export interface DatastreamContext extends DeviceContext {
  id: string;
  datastream: Datastream;
}

export type Note = (reason: string, text?: string) => void;

/** What every watch has in common. */
export interface Watch {
  /**
   * The product's time at which it next wants a tick; null: not at all. A pure function of its state, and cheap: it is
   * asked after every call. A tick is handed on in the second after it (the runtime keeps due times by the second), never
   * before. A watch without `wakeAt` gets no ticks.
   */
  wakeAt?(): number | null;
  /** State as JSON (finite numbers); `restore(save())` continues bit for bit. */
  save(): unknown;
  restore(state: unknown): void;
}

export interface DatastreamWatch extends Watch {
  observe(time: number, value: number, quality: Quality, say: Say): void;
  /** The product's time went on to `time`, with or without observations. */
  tick?(time: number, say: Say): void;
}

/** Follows a device: that it speaks, not what. Times are the product's (`receivedAt`, ticks), not the device's. */
export interface DeviceWatch extends Watch {
  /** A message of the device came in; `receivedAt` never goes back within a device. */
  heard(receivedAt: number, say: Say): void;
  event?(event: DeviceEvent, say: Say): void;
  /** `attendedSince`: since when ingest was up without a gap; what was before cannot be held against a device. */
  tick(time: number, say: Say, attendedSince: number): void;
}

/** What a watch says; the runtime adds id, device, datastream, detector, trigger and revision. */
export type Said = Pick<
  Finding,
  'state' | 'kind' | 'reason' | 'severity' | 'matter' | 'interval' | 'measure' | 'summary' | 'clause'
> & {
  /** What the finding's id is made of, besides detector and datastream: the start of the happening. */
  since: number;
  /** Tells apart two happenings of one reason and one start on the same datastream, e.g. the limit's id. */
  key?: string;
  /** What the result depends on besides the data and the configured parameters: rule id, version, limit … */
  parameters?: Record<string, unknown>;
  /** First and last time of the observations that it rests on. */
  input: { from: number; to: number };
};

export type Say = (said: Said) => void;

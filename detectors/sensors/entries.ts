import type { Catalog } from '../../backbone/catalog.ts';
import { type Datastream, datastreamId, type RegisteredDevice } from '../../contracts/index.ts';
import type { DatastreamWatch, DeviceContext, DeviceWatch, Note, Watch } from './detector.ts';
import type { OpenFindings } from './ledger.ts';
import { fingerprintOf, type Plan } from './plan.ts';
import { regionOf } from './region.ts';

/**
 * What the routing core holds: one entry a device, one a datastream that has spoken, one attached watch for each detector
 * that has something to watch there. Small plain objects, since there are a million of them.
 */
export interface DeviceEntry {
  readonly id: string;
  device: RegisteredDevice;
  /** The registry knows another version than `device`: look again before the next record. */
  unsettled: boolean;
  /** Latest `receivedAt`; 0: never heard. (A number always, since it is written for every message.) */
  heardAt: number;
  watches: Attached[];
  streams: StreamEntry[];
  /** Index in `streams` where the next observation is expected: devices send in the same order each time. */
  next: number;
  /** Number of the snapshot that has it already. */
  savedIn: number;
}

export interface StreamEntry {
  readonly id: string;
  /** Time of the latest observation handed on. */
  lastTime: number;
  watches: Attached[];
}

export interface Attached {
  readonly plan: Plan;
  readonly owner: DeviceEntry;
  /** Null: it watches the device. */
  readonly stream: string | null;
  readonly ofStream: DatastreamWatch | null;
  readonly ofDevice: DeviceWatch | null;
  readonly fingerprint: string;
  /** `due`: asks for ticks by due time; `every`: wants each; `none`. */
  readonly ticks: 'due' | 'every' | 'none';
  /** The second for which it waits in the due times; Infinity: it does not. */
  slot: number;
  /** Taken away: what still waits for it is let pass. */
  gone: boolean;
  /** Why it was stopped. */
  fault: string | null;
  open: OpenFindings | null;
}

export const watchOf = (attached: Attached): Watch | null => attached.ofStream ?? attached.ofDevice;

export interface AttachOptions {
  plans: readonly Plan[];
  utcOffsetMs: number;
  note: (label: string, reason: string, text?: string) => void;
  /** An `attach` that throws stops only itself. */
  fault: (label: string, about: string, error: unknown) => void;
}

/** Attaches the watches of all plans to devices and datastreams, by the catalog in force. */
export class Attacher {
  readonly #options: AttachOptions;
  readonly #notes: Map<Plan, Note>;
  /** Fingerprints by plan label and datastream definition. */
  readonly #fingerprints = new Map<string, string>();
  /** Regions by location, so that a new version of a device at the same place costs nothing. */
  readonly #regions = new Map<string, string>();
  #catalog: Catalog;

  constructor(options: AttachOptions, catalog: Catalog) {
    this.#options = options;
    this.#catalog = catalog;
    this.#notes = new Map(
      options.plans.map((plan) => [plan, (reason, text) => options.note(plan.label, reason, text)]),
    );
  }

  useCatalog(catalog: Catalog): void {
    this.#catalog = catalog;
    this.#regions.clear();
  }

  toDevice(owner: DeviceEntry): Attached[] {
    return this.#attach(owner, null, null, (plan, context) => {
      const watch = plan.detector.attachDevice?.(context, plan.params) ?? null;
      return watch && { ofDevice: watch, ofStream: null };
    });
  }

  /** Null: the device declares no such datastream. */
  toStream(owner: DeviceEntry, id: string): Attached[] | null {
    const datastream = declared(owner.device, id);
    if (datastream === undefined) return null;
    return this.#attach(owner, id, datastream, (plan, context) => {
      if (plan.properties !== null && !plan.properties.has(datastream.property)) return null;
      const watch = plan.detector.attach({ ...context, id, datastream }, plan.params);
      return watch && { ofStream: watch, ofDevice: null };
    });
  }

  #attach(
    owner: DeviceEntry,
    stream: string | null,
    datastream: Datastream | null,
    make: (plan: Plan, context: DeviceContext) => Pick<Attached, 'ofStream' | 'ofDevice'> | null,
  ): Attached[] {
    const attached: Attached[] = [];
    for (const plan of this.#options.plans) {
      if (plan.devices !== null && !plan.devices.has(owner.id)) continue;
      try {
        const watch = make(plan, this.#context(owner.device, plan));
        if (watch !== null) attached.push(this.#entry(plan, owner, stream, datastream, watch));
      } catch (error) {
        this.#options.fault(plan.label, stream ?? owner.id, error);
      }
    }
    return attached;
  }

  #entry(
    plan: Plan,
    owner: DeviceEntry,
    stream: string | null,
    datastream: Datastream | null,
    watch: Pick<Attached, 'ofStream' | 'ofDevice'>,
  ): Attached {
    return {
      plan,
      owner,
      stream,
      ofStream: watch.ofStream,
      ofDevice: watch.ofDevice,
      fingerprint: this.#fingerprint(plan, datastream),
      ticks: ticksOf(watch.ofStream ?? watch.ofDevice),
      slot: Number.POSITIVE_INFINITY,
      gone: false,
      fault: null,
      open: null,
    };
  }

  #context(device: RegisteredDevice, plan: Plan): DeviceContext {
    const { utcOffsetMs } = this.#options;
    const note = this.#notes.get(plan);
    const context = { device, catalog: this.#catalog, region: this.#region(device), utcOffsetMs };
    return note === undefined ? context : { ...context, note };
  }

  #region(device: RegisteredDevice): string {
    const place = device.location.join(',');
    let region = this.#regions.get(place);
    if (region === undefined) {
      region = regionOf(this.#catalog, device.location);
      if (this.#regions.size > 100_000) this.#regions.clear();
      this.#regions.set(place, region);
    }
    return region;
  }

  #fingerprint(plan: Plan, datastream: Datastream | null): string {
    const key = `${plan.label}\n${datastream === null ? '' : JSON.stringify(datastream)}`;
    let fingerprint = this.#fingerprints.get(key);
    if (fingerprint === undefined) {
      fingerprint = fingerprintOf(plan, datastream);
      if (this.#fingerprints.size > 100_000) this.#fingerprints.clear();
      this.#fingerprints.set(key, fingerprint);
    }
    return fingerprint;
  }
}

function ticksOf(watch: DatastreamWatch | DeviceWatch | null): Attached['ticks'] {
  if (watch?.tick === undefined) return 'none';
  return watch.wakeAt === undefined ? 'every' : 'due';
}

function declared(device: RegisteredDevice, id: string): Datastream | undefined {
  return device.datastreams.find((d) => datastreamId(device.id, d.property, d.statistic) === id);
}

/** Hands the state of old watches on to new ones of the same plan and fingerprint; returns those that found no heir. */
export function inherit(old: readonly Attached[], heirs: readonly Attached[]): Attached[] {
  const left: Attached[] = [];
  for (const from of old) {
    from.gone = true;
    const to = heirs.find((heir) => heir.plan === from.plan && heir.fingerprint === from.fingerprint);
    if (to === undefined || from.fault !== null) {
      left.push(from);
      continue;
    }
    watchOf(to)?.restore(watchOf(from)?.save());
    to.open = from.open;
  }
  return left;
}

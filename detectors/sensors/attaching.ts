import type { Catalog } from '../../backbone/catalog.ts';
import { type Datastream, datastreamId, type RegisteredDevice } from '../../contracts/index.ts';
import type { DeviceContext, Note } from './detector.ts';
import { type Attached, type DeviceEntry, watchOf } from './entries.ts';
import { fingerprintOf, type Plan } from './plan.ts';
import { regionOf } from './region.ts';

/**
 * Attaches watches: every plan's, where it is to look, by the catalog in force; and hands state on from old watches to
 * new ones. Promises: the order of the plans; an `attach` that throws stops only itself. Holds no watch; what it keeps
 * (regions, fingerprints) is bounded and can be computed again.
 */
export interface AttachOptions {
  plans: readonly Plan[];
  utcOffsetMs: number;
  note: (label: string, reason: string, text?: string) => void;
  fault: (label: string, about: string, error: unknown) => void;
}

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
      wantsTicks: (watch.ofStream ?? watch.ofDevice)?.wakeAt !== undefined,
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
    return remembered(this.#regions, place, () => regionOf(this.#catalog, device.location));
  }

  #fingerprint(plan: Plan, datastream: Datastream | null): string {
    const key = `${plan.label}\n${datastream === null ? '' : JSON.stringify(datastream)}`;
    return remembered(this.#fingerprints, key, () => fingerprintOf(plan, datastream));
  }
}

const REMEMBERED = 100_000;

/** What was made for a key before, or made now; begins anew when there is too much of it. */
function remembered(made: Map<string, string>, key: string, make: () => string): string {
  const before = made.get(key);
  if (before !== undefined) return before;
  const now = make();
  if (made.size > REMEMBERED) made.clear();
  made.set(key, now);
  return now;
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

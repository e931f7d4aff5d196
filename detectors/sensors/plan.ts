import { createHash } from 'node:crypto';
import type { Datastream } from '../../contracts/index.ts';
import type { SensorDetector } from './detector.ts';

/** A configured detector, ready to be attached: the detector, its checked parameters, and where it is to look. */
export interface Plan {
  /** Name of this instance; the detector's own name unless configured otherwise. Unique. */
  readonly label: string;
  readonly detector: SensorDetector;
  readonly params: unknown;
  /** The same, as a finding names them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Only these properties / devices; null: all. */
  readonly properties: ReadonlySet<string> | null;
  readonly devices: ReadonlySet<string> | null;
}

export function makePlan<P extends object>(
  detector: SensorDetector<P>,
  params: P,
  options: { label?: string; properties?: readonly string[]; devices?: readonly string[] } = {},
): Plan {
  return {
    label: options.label ?? detector.name,
    detector: detector as SensorDetector,
    params,
    parameters: { ...(params as Record<string, unknown>) },
    properties: options.properties === undefined ? null : new Set(options.properties),
    devices: options.devices === undefined ? null : new Set(options.devices),
  };
}

/**
 * What a watch's state depends on besides the data: kept state fits a new watch exactly when this word is the same.
 * What depends on more than this (limits on the catalog's rules) sorts its state out itself in `restore`.
 */
export function fingerprintOf(plan: Plan, datastream: Datastream | null): string {
  const basis = JSON.stringify([plan.detector.name, plan.detector.version, plan.params, datastream]);
  return createHash('sha256').update(basis).digest('base64url').slice(0, 12);
}

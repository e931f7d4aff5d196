import { isDeepStrictEqual } from 'node:util';
import type { Catalog } from '../backbone/catalog.ts';
import type { DeviceDirectory } from '../backbone/directory.ts';
import type { Series, SeriesPoint } from '../backbone/series/port.ts';
import {
  datastreamId,
  type Finding,
  type ObservationRecord,
  QianliyanError,
  type RegisteredDevice,
} from '../contracts/index.ts';
import { DETECTORS, type SensorDetectorConfig } from './sensors/config.ts';
import type { SensorDetector } from './sensors/detector.ts';
import { makePlan, type Plan } from './sensors/plan.ts';
import { SensorRouter } from './sensors/routing.ts';

/**
 * Computes a finding again from stored data, through the same routing core, with the parameters that the finding names.
 *
 *   finding ─▶ detector, parameters, device as it was ─▶ stored points in the order received, up to its trigger ─▶ core ─▶ compare
 *
 * Promises: `equal` means equal to the last bit in all that the finding claims (kind, reason, interval, measure, wording,
 * clause, parameters, input). The revision and the moment of telling are not compared: how often a lasting finding was told
 * depends on ticks, which are not stored. Does not promise equality under another version of the detector (it says so),
 * nor when points of that time have been deleted by retention.
 */
export interface Explanation {
  finding: Finding;
  /** Null: from the stored data there is no such finding. */
  recomputed: Finding | null;
  equal: boolean;
  steps: ExplainStep[];
}

export interface ExplainStep {
  step: 'detector' | 'device' | 'data' | 'replay' | 'compare';
  /** A named outcome, e.g. `same-version`, `points-read`, `equal`, `differs`. */
  outcome: string;
  detail: Record<string, unknown>;
}

export interface ExplainDeps {
  series: Series;
  directory: DeviceDirectory;
  catalog: Catalog;
  /** As handed to `startSensorDetectors`, else windows are cut elsewhere than they were. */
  utcOffsetMs: number;
}

const PAGE = 10_000;
const BEGINNING = Date.parse('2000-01-01T00:00:00Z');

/** @throws QianliyanError NOT_FOUND when the detector or the device is not known here. */
export async function explainFinding(finding: Finding, deps: ExplainDeps): Promise<Explanation> {
  const steps: ExplainStep[] = [];
  const plan = planFor(finding, steps);
  const device = deviceFor(finding, deps.directory, steps);
  const points = await readPoints(finding, plan, device, deps.series);
  steps.push({ step: 'data', outcome: 'points-read', detail: describe(points) });
  const told = replay(finding, plan, points, deps);
  steps.push({ step: 'replay', outcome: 'replayed', detail: { findings: told.length } });
  const recomputed = closest(finding, told);
  const differences = recomputed === null ? ['it is not found again'] : differing(finding, recomputed);
  const equal = differences.length === 0;
  steps.push({ step: 'compare', outcome: equal ? 'equal' : 'differs', detail: { differences } });
  return { finding, recomputed, equal, steps };
}

function planFor(finding: Finding, steps: ExplainStep[]): Plan {
  const { name, version, parameters } = finding.detector;
  const detector = Object.hasOwn(DETECTORS, name)
    ? DETECTORS[name as SensorDetectorConfig['type']]
    : undefined;
  if (detector === undefined) {
    throw new QianliyanError('NOT_FOUND', `no sensor detector is called '${name}'`);
  }
  const outcome = detector.version === version ? 'same-version' : 'other-version';
  steps.push({ step: 'detector', outcome, detail: { name, version, present: detector.version } });
  // A finding names the configured parameters and what its own rule adds: the detector's schema knows its own.
  const own = ownParameters(detector.params, parameters);
  const { instance } = parameters;
  return makePlan(
    detector as SensorDetector<object>,
    own,
    typeof instance === 'string' ? { label: instance } : {},
  );
}

function ownParameters(schema: unknown, parameters: Record<string, unknown>): object {
  const { shape } = schema as { shape: Record<string, unknown> };
  const own = Object.fromEntries(Object.entries(parameters).filter(([key]) => Object.hasOwn(shape, key)));
  return (schema as { parse(value: unknown): object }).parse(own);
}

function deviceFor(finding: Finding, directory: DeviceDirectory, steps: ExplainStep[]): RegisteredDevice {
  const device = directory.at(finding.device, finding.trigger.receivedAt) ?? directory.get(finding.device);
  if (device === undefined) {
    throw new QianliyanError('NOT_FOUND', `no device ${finding.device} is registered`);
  }
  steps.push({ step: 'device', outcome: 'found', detail: { device: device.id, version: device.version } });
  return device;
}

/** All points that the finding may rest on, of its datastream or, for a finding about a device, of all. */
async function readPoints(
  finding: Finding,
  plan: Plan,
  device: RegisteredDevice,
  series: Series,
): Promise<SeriesPoint[]> {
  const lookback = plan.detector.lookbackMs?.(plan.params);
  const from = lookback === undefined ? BEGINNING : finding.interval.from - lookback;
  const to = Math.max(finding.trigger.time, finding.trigger.receivedAt, finding.interval.to) + 1;
  const datastreams =
    finding.datastream === undefined
      ? device.datastreams.map((d) => datastreamId(device.id, d.property, d.statistic))
      : [finding.datastream];
  const points: SeriesPoint[] = [];
  for (const datastream of datastreams) {
    for await (const page of pages(series, datastream, from, to)) points.push(...page);
  }
  return points
    .filter((point) => point.receivedAt <= finding.trigger.receivedAt)
    .sort((a, b) => a.receivedAt - b.receivedAt || a.time - b.time);
}

/** A stretch of one datastream, a bounded page at a time. */
async function* pages(series: Series, datastream: string, from: number, to: number) {
  for (let next = from; ; ) {
    const page = await series.range({ datastream, from: next, to, limit: PAGE, order: 'asc' });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    next = last.time + 1;
  }
}

/** The core hears the points as it once did, and one tick at the end, should a tick have been the trigger. */
function replay(finding: Finding, plan: Plan, points: readonly SeriesPoint[], deps: ExplainDeps): Finding[] {
  const router = new SensorRouter({
    plans: [plan],
    directory: deps.directory,
    catalog: deps.catalog,
    utcOffsetMs: deps.utcOffsetMs,
    // Every step is wanted, so that the one that was told is among them.
    updateEveryMs: 0,
    tickGapMs: Number.POSITIVE_INFINITY,
  });
  router.expect(finding.device);
  const told: Finding[] = [];
  const hear = (record: ObservationRecord): void => router.handle(record, (f) => told.push(f));
  const first = points[0];
  if (first !== undefined) hear({ type: 'tick', time: first.receivedAt - 1000 });
  for (const { datastream, time, value, quality, receivedAt } of points) {
    if (receivedAt === finding.trigger.receivedAt && time > finding.trigger.time) continue;
    const observations = [{ datastream, time, value, quality }];
    hear({ type: 'observations', device: finding.device, receivedAt, observations });
  }
  hear({ type: 'tick', time: finding.trigger.receivedAt });
  return told;
}

/** Of the findings of the same id, the one that says the same, else the latest of the same state. */
function closest(finding: Finding, told: readonly Finding[]): Finding | null {
  const same = told.filter((f) => f.id === finding.id);
  return (
    same.find((f) => differing(finding, f).length === 0) ??
    same.findLast((f) => f.state === finding.state) ??
    same.at(-1) ??
    null
  );
}

const CLAIMS = [
  'id',
  'state',
  'kind',
  'reason',
  'severity',
  'matter',
  'device',
  'datastream',
  'interval',
  'measure',
  'summary',
  'clause',
  'detector',
  'input',
] as const satisfies (keyof Finding)[];

/** Names of the claims that differ; JSON-equal, which for numbers is equality to the last bit. */
function differing(a: Finding, b: Finding): string[] {
  return CLAIMS.filter((claim) => claim !== 'state' || a.state === 'closed' || b.state === 'closed').filter(
    (claim) => !isDeepStrictEqual(plain(a[claim]), plain(b[claim])),
  );
}

const plain = (value: unknown): unknown => (value === undefined ? null : JSON.parse(JSON.stringify(value)));

function describe(points: readonly SeriesPoint[]): Record<string, unknown> {
  const times = points.map((point) => point.time);
  return {
    points: points.length,
    valid: points.filter((point) => point.quality === 'valid').length,
    from: times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    to: times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  };
}

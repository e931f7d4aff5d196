/**
 * All that is followed of one camera: tracks, and each rule in each zone. A pure step per frame; the state is JSON, so
 * that `step(restored state)` goes on exactly where the saved one was.
 *
 *   detections ─▶ tracker ─▶ rules, zone by zone ─▶ what they say ─▶ findings with id, revision and evidence
 */

import { createHash } from 'node:crypto';
import type { Detection, Finding, Frame, RegisteredDevice, Zone } from '../../contracts/index.ts';
import type { ImageDetectorsConfig, ZoneRuleConfig } from './config.ts';
import { inHours, ruleOf, type ZoneSaid } from './rules/index.ts';
import { NO_TRACKS, type TrackerState, track } from './tracking/tracker.ts';
import { polygonInPixels } from './tracking/zone.ts';

/** Changes whenever the same frames could give another result. */
export const DETECTOR = { name: 'image-zones', version: '1' } as const;

/** Who looked: part of every finding, so that it can be computed again. */
export interface ModelIdentity {
  name: string;
  version: string;
  sha256: string;
  minScore: number;
}

export interface CameraState {
  /** Time of the last frame that was looked at. */
  lastTime: number;
  tracker: TrackerState;
  /** State of each rule in each zone, by `<rule index>:<rule reason>/<zone id>@<zone version>`. */
  rules: Record<string, { zone: Zone; state: unknown }>;
  /** Revision and time of the last telling of each open finding, by finding id. */
  open: Record<string, { revision: number; toldAt: number }>;
}

export const NEW_CAMERA: CameraState = { lastTime: 0, tracker: NO_TRACKS, rules: {}, open: {} };

export interface CameraFrame {
  frame: Frame;
  width: number;
  height: number;
  detections: readonly Detection[];
}

export type WatchConfig = Pick<ImageDetectorsConfig, 'tracking' | 'rules' | 'updateEveryS' | 'utcOffsetMin'>;

/** @param device the camera as registered when the frame was taken */
export function watchFrame(
  before: CameraState,
  seen: CameraFrame,
  device: RegisteredDevice,
  config: WatchConfig,
  model: ModelIdentity,
): { state: CameraState; findings: Finding[] } {
  const { frame } = seen;
  const tracked = track(before.tracker, frame.time, seen.detections, config.tracking);
  const state: CameraState = {
    lastTime: frame.time,
    tracker: tracked.state,
    rules: {},
    open: { ...before.open },
  };
  const findings: Finding[] = [];
  const tell = (said: ZoneSaid, rule: ZoneRuleConfig, zone: Zone) => {
    const finding = complete(said, rule, zone, seen, config, model, state.open);
    if (finding) findings.push(finding);
  };
  config.rules.forEach((rule, index) => {
    for (const zone of zonesOf(device, rule)) {
      const key = keyOf(index, rule, zone);
      const evidence = {
        blob: frame.blob,
        time: frame.time,
        detections: tracked.detections,
        zone: polygonInPixels(zone, seen.width, seen.height),
      };
      const sight = {
        time: frame.time,
        detections: tracked.detections,
        ended: tracked.ended,
        evidence,
        width: seen.width,
        height: seen.height,
      };
      const { step, initial } = bound(rule);
      const result = step(
        before.rules[key]?.state ?? initial,
        sight,
        zone,
        rule,
        inForce(rule, frame.time, config),
      );
      state.rules[key] = { zone, state: result.state };
      for (const said of result.said) tell(said, rule, zone);
    }
  });
  endRest(before, state, config, tell);
  return { state, findings };
}

const bound = (rule: ZoneRuleConfig) => {
  const found = ruleOf(rule.type);
  return { initial: found.initial, step: found.step.bind(found), end: found.end.bind(found) };
};

/** A zone that was moved or taken away, or a rule no longer configured: what it had open is over. */
function endRest(
  before: CameraState,
  state: CameraState,
  config: WatchConfig,
  tell: (said: ZoneSaid, rule: ZoneRuleConfig, zone: Zone) => void,
): void {
  for (const [key, { zone, state: old }] of Object.entries(before.rules)) {
    const rule = config.rules[Number(key.split(':')[0])];
    if (state.rules[key] || !rule) continue;
    for (const said of bound(rule).end(old, zone, rule)) tell(said, rule, zone);
  }
}

const keyOf = (index: number, rule: ZoneRuleConfig, zone: Zone) =>
  `${index}:${rule.reason}/${zone.id}@${zone.version}`;

function zonesOf(device: RegisteredDevice, rule: ZoneRuleConfig): Zone[] {
  return device.zones.filter(
    (z) =>
      z.matter === rule.matter &&
      (rule.zones.length === 0 || rule.zones.includes(z.id)) &&
      !rule.exemptZones.includes(z.id),
  );
}

function inForce(rule: ZoneRuleConfig, time: number, config: WatchConfig): boolean {
  if (!rule.schedule) return true;
  const local = new Date(time + config.utcOffsetMin * 60_000);
  return inHours(local.getUTCHours() * 60 + local.getUTCMinutes(), rule.schedule.hours);
}

/** `f_` and 32 hex digits: the detector, where, which rule, which track, since when. */
function findingId(camera: string, zone: Zone, rule: ZoneRuleConfig, said: ZoneSaid): string {
  const parts = [
    DETECTOR.name,
    DETECTOR.version,
    camera,
    zone.id,
    rule.matter,
    rule.reason,
    said.track,
    said.since,
  ];
  return `f_${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`;
}

/** Null when there is nothing new to tell: it lasts, and was told not long ago. */
function complete(
  said: ZoneSaid,
  rule: ZoneRuleConfig,
  zone: Zone,
  { frame }: CameraFrame,
  config: WatchConfig,
  model: ModelIdentity,
  open: CameraState['open'],
): Finding | null {
  const id = findingId(frame.camera, zone, rule, said);
  const told = open[id];
  if (told && !said.over && said.until - told.toldAt < config.updateEveryS * 1000) return null;
  const revision = (told?.revision ?? -1) + 1;
  if (said.over) delete open[id];
  else open[id] = { revision, toldAt: said.until };
  const { schedule: _schedule, exemptZones: _exempt, ...thresholds } = rule;
  return {
    id,
    revision,
    state: said.over ? 'closed' : told ? 'update' : 'open',
    kind: 'image',
    reason: rule.reason,
    severity: rule.severity,
    matter: rule.matter,
    device: frame.camera,
    zone: zone.id,
    track: said.track,
    interval: { from: said.since, to: said.until },
    measure: said.measure,
    summary: said.summary,
    detector: {
      ...DETECTOR,
      parameters: { model, rule: thresholds, tracking: config.tracking, ...said.parameters },
    },
    input: { datastreams: [], from: said.since, to: said.until, frames: said.frames },
    trigger: { device: frame.camera, time: frame.time, receivedAt: frame.receivedAt },
  };
}

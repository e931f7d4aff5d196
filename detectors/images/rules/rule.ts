/**
 * The shape of every zone rule: a pure step from one frame to the next. A rule keeps its state as JSON, takes its time
 * from the frames, and says what it finds; ids, revisions and evidence's form are made by the caller (camera-watch.ts).
 * To add one: a file of this shape, its configuration in config.ts, its line in index.ts.
 */

import type { BiText, Detection, FrameEvidence, Measure, Zone } from '../../../contracts/index.ts';
import type { Track } from '../tracking/tracker.ts';

/** One frame as a rule sees it. */
export interface Sight {
  time: number;
  /** Of tracks: each with `track`, and its class by vote. */
  detections: readonly Detection[];
  /** Tracks that ended with this frame. */
  ended: readonly Track[];
  /** The frame as evidence, the zone's polygon in its pixels included. */
  evidence: FrameEvidence;
  width: number;
  height: number;
}

/** What a rule says of one track in one zone. */
export interface ZoneSaid {
  track: number;
  /** Frame time at which the happening began: makes the id together with the track. */
  since: number;
  /** Frame time up to which it was so. */
  until: number;
  over: boolean;
  measure: Measure;
  summary: BiText;
  /** First, at the moment of proof, latest; without repetition. */
  frames: FrameEvidence[];
  parameters: Record<string, unknown>;
}

export interface ZoneRule<C, S> {
  readonly initial: S;
  step(state: S, sight: Sight, zone: Zone, config: C, inForce: boolean): { state: S; said: ZoneSaid[] };
  /** The zone is gone or changed: what is open ends with what was last known. */
  end(state: S, zone: Zone, config: C): ZoneSaid[];
}

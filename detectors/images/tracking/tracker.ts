/**
 * Follows things from frame to frame by the overlap of their boxes, in the two steps of ByteTrack (arXiv 2110.06864):
 * sure boxes first, then unsure ones, which may continue a track but never begin one.
 *
 * Time is the frames' own. Between frames that are seconds apart a moving thing is expected where its speed has carried it;
 * across longer gaps only what stands still can be followed, and nothing else is claimed. Pure: the same state and frame
 * give the same result, ties included.
 */

import type { Box, Detection } from '../../../contracts/index.ts';
import type { TrackingConfig } from '../config.ts';
import { iou, nms } from '../picture/nms.ts';

export interface Track {
  id: number;
  /** Sum of scores by class: what it most likely is. */
  votes: Record<string, number>;
  box: Box;
  /** Pixels per second of the centre; counts only across short gaps. */
  velocity: [x: number, y: number];
  firstSeen: number;
  lastSeen: number;
  /** Frames since it was last seen. */
  missed: number;
}

export interface TrackerState {
  nextId: number;
  tracks: Track[];
}

export interface TrackedFrame {
  state: TrackerState;
  /** The detections, those that belong to a track with its number and its class by vote. */
  detections: Detection[];
  /** Tracks that ended with this frame. */
  ended: Track[];
}

export const NO_TRACKS: TrackerState = { nextId: 1, tracks: [] };

/** Two boxes of one kind that overlap more than this are one thing that the model gave two names. */
const SAME_THING_IOU = 0.75;
/** Across longer gaps a speed says nothing any more. */
const PREDICT_MAX_S = 2;

export function track(
  state: TrackerState,
  time: number,
  found: readonly Detection[],
  config: TrackingConfig,
): TrackedFrame {
  const kind = (name: string) => config.sameKind.findIndex((group) => group.includes(name));
  const kindOf = (name: string) => (kind(name) >= 0 ? kind(name) : name);
  const boxes = nms(
    found.filter((d) => d.score >= config.lowScore),
    SAME_THING_IOU,
    (d) => kindOf(d.class),
  );
  const sure = boxes.filter((d) => d.score >= config.highScore);
  const unsure = boxes.filter((d) => d.score < config.highScore);
  const first = associate(state.tracks, sure, time, config.minIou, kindOf);
  // An unsure box must fit better: it is believed only because something was there before.
  const second = associate(first.alone, unsure, time, Math.min(0.9, config.minIou + 0.2), kindOf);
  const continued = [...first.pairs, ...second.pairs].map(({ of, by }) => ({
    by,
    track: seen(of, by, time),
  }));
  let nextId = state.nextId;
  const begun = first.free.map((by) => ({ by, track: begin(nextId++, by, time) }));
  const missed = second.alone.map((t) => ({ ...t, missed: t.missed + 1 }));
  const isLost = (t: Track) => t.missed >= config.lostFrames && time - t.lastSeen >= config.lostAfterS * 1000;
  const present = [...continued, ...begun];
  return {
    state: {
      nextId,
      tracks: [...present.map((p) => p.track), ...missed.filter((t) => !isLost(t))].sort(
        (a, b) => a.id - b.id,
      ),
    },
    detections: present
      .map(({ by, track: t }): Detection => ({ ...by, class: classOf(t), track: t.id }))
      .sort((a, b) => (a.track ?? 0) - (b.track ?? 0)),
    ended: missed.filter(isLost),
  };
}

/** What the track most likely is: the class with the highest sum of scores, of equal ones the first by name. */
export function classOf(t: Track): string {
  const [best] = Object.entries(t.votes).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return best?.[0] ?? 'unknown';
}

interface Pair {
  of: Track;
  by: Detection;
}

/** Greedy by overlap, highest first: with boxes that hardly overlap each other this is what the Hungarian method gives. */
function associate(
  tracks: readonly Track[],
  found: readonly Detection[],
  time: number,
  minIou: number,
  kindOf: (name: string) => number | string,
): { pairs: Pair[]; alone: Track[]; free: Detection[] } {
  const candidates = tracks.flatMap((of) => {
    const place = expected(of, time);
    return found
      .filter((by) => kindOf(by.class) === kindOf(classOf(of)))
      .map((by, order) => ({ of, by, order, overlap: Math.max(iou(place, by.box), iou(of.box, by.box)) }))
      .filter((c) => c.overlap >= minIou);
  });
  candidates.sort((a, b) => b.overlap - a.overlap || a.of.id - b.of.id || a.order - b.order);
  const taken = new Set<Track | Detection>();
  const pairs: Pair[] = [];
  for (const { of, by } of candidates) {
    if (taken.has(of) || taken.has(by)) continue;
    taken.add(of).add(by);
    pairs.push({ of, by });
  }
  return { pairs, alone: tracks.filter((t) => !taken.has(t)), free: found.filter((d) => !taken.has(d)) };
}

function expected(t: Track, time: number): Box {
  const seconds = (time - t.lastSeen) / 1000;
  if (seconds > PREDICT_MAX_S) return t.box;
  return [t.box[0] + t.velocity[0] * seconds, t.box[1] + t.velocity[1] * seconds, t.box[2], t.box[3]];
}

function begin(id: number, by: Detection, time: number): Track {
  return {
    id,
    votes: { [by.class]: by.score },
    box: by.box,
    velocity: [0, 0],
    firstSeen: time,
    lastSeen: time,
    missed: 0,
  };
}

function seen(t: Track, by: Detection, time: number): Track {
  const seconds = (time - t.lastSeen) / 1000;
  const speed = (axis: 0 | 1) =>
    seconds > 0 && seconds <= PREDICT_MAX_S
      ? 0.5 * t.velocity[axis] +
        (0.5 *
          (by.box[axis] + by.box[(axis + 2) as 2 | 3] / 2 - t.box[axis] - t.box[(axis + 2) as 2 | 3] / 2)) /
          seconds
      : 0;
  return {
    ...t,
    votes: { ...t.votes, [by.class]: (t.votes[by.class] ?? 0) + by.score },
    box: by.box,
    velocity: [speed(0), speed(1)],
    lastSeen: time,
    missed: 0,
  };
}

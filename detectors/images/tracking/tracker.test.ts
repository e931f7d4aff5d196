import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box, Detection } from '../../../contracts/index.ts';
import { TrackingConfig } from '../config.ts';
import { NO_TRACKS, type TrackerState, track } from './tracker.ts';

const config = TrackingConfig.parse({});
const T0 = Date.parse('2026-11-22T13:40:00Z');
const seen = (box: Box, name = 'car', score = 0.9): Detection => ({ class: name, score, box });

/** Plays frames, one list of detections each, `everyS` apart; gives the track numbers seen in each frame. */
function play(frames: Detection[][], everyS = 60): { ids: number[][]; state: TrackerState; ended: number[] } {
  let state = NO_TRACKS;
  const ids: number[][] = [];
  const ended: number[] = [];
  frames.forEach((found, i) => {
    const result = track(state, T0 + i * everyS * 1000, found, config);
    state = result.state;
    ids.push(result.detections.map((d) => d.track ?? -1));
    ended.push(...result.ended.map((t) => t.id));
  });
  return { ids, state, ended };
}

describe('a thing is followed from frame to frame', () => {
  const parked: Box = [100, 100, 80, 50];

  it('that stands still keeps its number, whatever shakes the mast', () => {
    const jittered = [0, 2, -1, 1].map((d) => [seen([100 + d, 100 - d, 80, 50])]);
    expect(play(jittered).ids).toEqual([[1], [1], [1], [1]]);
  });

  it('that another hides for one frame keeps its number', () => {
    expect(play([[seen(parked)], [], [seen(parked)]]).ids).toEqual([[1], [], [1]]);
  });

  it('that is gone for two frames ends, and what comes after is another thing', () => {
    const { ids, ended } = play([[seen(parked)], [], [], [seen(parked)]]);
    expect(ids).toEqual([[1], [], [], [2]]);
    expect(ended).toEqual([1]);
  });

  it('that an unsure box still shows goes on; an unsure box alone begins nothing', () => {
    expect(play([[seen(parked)], [seen(parked, 'car', 0.3)], [seen(parked)]]).ids).toEqual([[1], [1], [1]]);
    expect(play([[seen(parked, 'car', 0.3)], [seen(parked, 'car', 0.3)]]).ids).toEqual([[], []]);
  });

  it('that the model calls car once and truck twice is one thing, and a truck', () => {
    const { ids, state } = play([
      [seen(parked)],
      [seen(parked, 'truck', 0.95)],
      [seen(parked, 'truck', 0.95)],
    ]);
    expect(ids).toEqual([[1], [1], [1]]);
    expect(state.tracks[0]?.votes).toMatchObject({ car: 0.9 });
    const last = track(state, T0 + 240_000, [seen(parked, 'car', 0.6)], config);
    expect(last.detections[0]?.class).toBe('truck');
  });

  it('that has two names in one frame is one thing', () => {
    expect(play([[seen(parked), seen([101, 100, 80, 50], 'truck', 0.6)]]).ids).toEqual([[1]]);
  });

  it('a person before a car never takes its number', () => {
    expect(play([[seen(parked)], [seen([120, 95, 50, 60], 'person')]]).ids).toEqual([[1], [2]]);
  });

  it('that drives past within a second is followed by its speed', () => {
    const drive = Array.from({ length: 6 }, (_, i) => [seen([20 + i * 30, 100, 80, 50])]);
    expect(play(drive, 0.5).ids.flat()).toEqual([1, 1, 1, 1, 1, 1]);
  });
});

describe('tracking is a function of what was seen', () => {
  const box = fc.tuple(
    fc.integer({ min: 0, max: 500 }),
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: 4, max: 120 }),
    fc.integer({ min: 4, max: 120 }),
  );
  const detection = fc.record({
    class: fc.constantFrom('car', 'truck', 'person'),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    box,
  });
  const frames = fc.array(fc.array(detection, { maxLength: 6 }), { maxLength: 12 });

  it('a number is given once, each detection has at most one, and saved state goes on the same', () => {
    fc.assert(
      fc.property(frames, fc.integer({ min: 0, max: 11 }), (list, cut) => {
        let state = NO_TRACKS;
        const ended = new Set<number>();
        list.forEach((found, i) => {
          const from = i === cut ? (JSON.parse(JSON.stringify(state)) as TrackerState) : state;
          const result = track(from, T0 + i * 5000, found, config);
          expect(result).toEqual(track(state, T0 + i * 5000, found, config));
          const ids = result.detections.map((d) => d.track);
          expect(new Set(ids).size).toBe(ids.length);
          for (const id of ids) expect(ended.has(id ?? -1)).toBe(false);
          for (const t of result.ended) ended.add(t.id);
          state = result.state;
        });
      }),
      { seed: 3, numRuns: 100 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Detection, Device, Finding, type RegisteredDevice } from '../../contracts/index.ts';
import { type CameraState, NEW_CAMERA, watchFrame } from './camera-watch.ts';
import { ImageDetectorsConfig } from './config.ts';

const T0 = Date.parse('2026-11-22T13:40:00Z'); // 21:40 in Beijing
const MODEL = { name: 'm', version: '1', sha256: 'a'.repeat(64), minScore: 0.3 };

/** The lane is the right half of the picture's lower half. */
const camera: RegisteredDevice = {
  ...Device.parse({
    id: 'cam-01',
    kind: 'camera',
    name: { zh: '路口', en: 'Crossing' },
    site: 's',
    location: [123.4, 41.8],
    zones: [
      {
        id: 'lane',
        name: { zh: '消防车通道', en: 'Fire lane' },
        matter: 'm-fire-lane',
        polygon: [
          [0.5, 0.5],
          [1, 0.5],
          [1, 1],
          [0.5, 1],
        ],
      },
    ],
  }),
  version: 1,
  since: 0,
};
const config = ImageDetectorsConfig.parse({});
const inLane = (score = 0.9, name = 'truck'): Detection => ({ class: name, score, box: [400, 220, 120, 80] });
const onRoad: Detection = { class: 'car', score: 0.9, box: [100, 220, 120, 80] };

/** Plays [minute, what is seen]; gives each finding with the minute it was told in. */
function play(
  story: [minute: number, seen: Detection[]][],
  over: Partial<typeof config> = {},
  device = camera,
  state: CameraState = NEW_CAMERA,
) {
  const told: { minute: number; finding: Finding }[] = [];
  for (const [minute, detections] of story) {
    const time = T0 + minute * 60_000;
    const frame = {
      type: 'frame' as const,
      camera: 'cam-01',
      time,
      receivedAt: time + 500,
      blob: minute.toString(16).padStart(64, '0'),
      mediaType: 'image/jpeg' as const,
      width: 640,
      height: 360,
      bytes: 1000,
    };
    const result = watchFrame(
      state,
      { frame, width: 640, height: 360, detections },
      device,
      { ...config, ...over },
      MODEL,
    );
    state = result.state;
    told.push(...result.findings.map((finding) => ({ minute, finding: Finding.parse(finding) })));
  }
  return { told, state, brief: told.map(({ minute, finding }) => `${minute} ${finding.state}`) };
}

const minutes = (from: number, to: number, seen: Detection[]): [number, Detection[]][] =>
  Array.from({ length: to - from + 1 }, (_, i) => [from + i, seen]);

describe('a vehicle in the fire lane', () => {
  it('that stays is found when it has stayed long enough, told again while it lasts, and closed when it has gone', () => {
    const { brief, told } = play([...minutes(0, 9, [inLane()]), [10, []], [11, []], [12, []]]);
    // 3 minutes are the threshold; told again 5 minutes later; after two frames without it, it has gone.
    expect(brief).toEqual(['3 open', '8 update', '11 closed']);
    const ids = new Set(told.map((t) => t.finding.id));
    expect(ids.size).toBe(1);
    expect(told.map((t) => t.finding.revision)).toEqual([0, 1, 2]);
  });

  it('is told with the first frame, the one that proved it, and the latest, each with boxes and zone', () => {
    const { told } = play([...minutes(0, 9, [inLane()]), [10, []], [11, []]]);
    const closed = told.at(-1)?.finding;
    expect(closed).toMatchObject({
      kind: 'image',
      reason: 'fire-lane-occupied',
      severity: 'violation',
      matter: 'm-fire-lane',
      zone: 'lane',
      track: 1,
      interval: { from: T0, to: T0 + 9 * 60_000 },
      measure: { statistic: 'dwell', value: 540, unit: 's', limit: 180, validCount: 10 },
    });
    expect(closed?.input.frames.map((f) => (f.time - T0) / 60_000)).toEqual([0, 3, 9]);
    expect(closed?.input.frames[0]).toMatchObject({
      zone: [
        [320, 180],
        [640, 180],
        [640, 360],
        [320, 360],
      ],
      detections: [{ class: 'truck', track: 1 }],
    });
    expect(closed?.summary.zh).toContain('停留9分钟');
  });

  it.each<[string, [number, Detection[]][]]>([
    [
      'drives through',
      [
        [0, [onRoad]],
        [1, [inLane()]],
        [2, []],
        [3, []],
      ],
    ],
    ['stands beside it', minutes(0, 20, [onRoad])],
    ['is a person', minutes(0, 20, [inLane(0.9, 'person')])],
    ['is seen too vaguely', minutes(0, 20, [inLane(0.4)])],
    ['leaves before the time is up', [...minutes(0, 2, [inLane()]), ...minutes(3, 9, [])]],
  ])('that %s is no finding', (_, story) => {
    expect(play(story).brief).toEqual([]);
  });

  it('dropped frames neither stretch nor shorten its time', () => {
    const every = play(minutes(0, 6, [inLane()])).told[0]?.finding;
    const some = play([
      [0, [inLane()]],
      [2, [inLane()]],
      [3, [inLane()]],
      [6, [inLane()]],
    ]).told[0]?.finding;
    expect(some?.measure.value).toBe(every?.measure.value);
  });

  it('time in which the camera saw nothing does not count', () => {
    const { told } = play([
      [0, [inLane()]],
      [60, [inLane()]],
      [61, [inLane()]],
      [62, [inLane()]],
      [63, [inLane()]],
    ]);
    // The hour between the first two frames is longer than maxGapS.
    expect(told.map((t) => [t.minute, t.finding.measure.value])).toEqual([[63, 180]]);
  });

  it('two vehicles are two findings; the second one in the same place after the first is another', () => {
    const second: Detection = { class: 'car', score: 0.9, box: [560, 240, 70, 60] };
    const both = play(minutes(0, 4, [inLane(), second]));
    expect(new Set(both.told.map((t) => t.finding.id)).size).toBe(2);
    const after = play([...minutes(0, 4, [inLane()]), ...minutes(5, 7, []), ...minutes(8, 12, [inLane()])]);
    expect(after.brief).toEqual(['3 open', '6 closed', '11 open']);
    expect(new Set(after.told.map((t) => t.finding.id)).size).toBe(2);
  });

  it('outside the hours of the rule is no finding, and what was open ends with them', () => {
    const [rule] = config.rules;
    const scheduled = {
      rules: [{ ...rule!, schedule: { hours: [['21:45', '21:52']] as [string, string][] } }],
    };
    expect(play(minutes(0, 20, [inLane()]), scheduled).brief).toEqual(['8 open', '12 closed']);
  });

  it('an exempt zone has no findings', () => {
    expect(
      play(minutes(0, 9, [inLane()]), { rules: [{ ...config.rules[0]!, exemptZones: ['lane'] }] }).brief,
    ).toEqual([]);
  });

  it('when the zone is moved, what was open in the old one ends', () => {
    const first = play(minutes(0, 4, [inLane()]));
    const moved = { ...camera, zones: camera.zones.map((z) => ({ ...z, version: 2 })) };
    expect(play(minutes(5, 9, [inLane()]), {}, moved, first.state).brief).toEqual(['5 closed', '8 open']);
  });
});

describe('a restart changes nothing', () => {
  it('wherever the state was saved, the same frames give the same findings', () => {
    const things = fc.subarray([
      inLane(),
      onRoad,
      inLane(0.35),
      { class: 'person', score: 0.8, box: [500, 200, 20, 60] } as Detection,
    ]);
    fc.assert(
      fc.property(fc.array(things, { minLength: 2, maxLength: 25 }), fc.nat(24), (seen, cut) => {
        const story = seen.map((s, i): [number, Detection[]] => [i, s]);
        const whole = play(story);
        const before = play(story.slice(0, cut));
        const restored = JSON.parse(JSON.stringify(before.state)) as CameraState;
        const after = play(story.slice(cut), {}, camera, restored);
        expect([...before.told, ...after.told]).toEqual(whole.told);
      }),
      { seed: 4, numRuns: 60 },
    );
  });
});

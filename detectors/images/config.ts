/** Configuration of image detection: which model, how many workers, what counts as one thing, and which rules hold where. */

import { z } from 'zod';
import { Id, Severity } from '../../contracts/index.ts';

const LocalTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day, HH:MM');

/** When a rule holds: local hours, each [from, to), which may pass midnight. */
export const Schedule = z.strictObject({
  hours: z
    .array(z.tuple([LocalTime, LocalTime]))
    .min(1)
    .describe('Local hours [from, to) in which the rule holds'),
});
export type Schedule = z.output<typeof Schedule>;

/** Something of these classes stays in a zone. */
export const DwellRule = z.strictObject({
  type: z.literal('dwell'),
  reason: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,63}$/, 'lower case letters, digits and -')
    .default('dwell-in-zone')
    .describe('The word that findings carry'),
  matter: Id.describe('Holds in every zone of this matter'),
  zones: z.array(Id).default([]).describe('Only in zones with these ids; empty: in all zones of the matter'),
  classes: z.array(z.string().min(1)).min(1).describe('Classes of the model that count'),
  minScore: z.number().min(0).max(1).default(0.5).describe('A sighting counts from this score on'),
  minFrames: z
    .number()
    .int()
    .min(2)
    .max(1000)
    .default(3)
    .describe('Sightings in the zone before there is a finding'),
  dwellS: z
    .number()
    .min(0)
    .max(86_400)
    .default(180)
    .describe('Seconds in the zone, by the times of the frames, before there is a finding'),
  maxGapS: z
    .number()
    .min(1)
    .max(86_400)
    .default(180)
    .describe('A longer time between two sightings does not count as time in the zone'),
  severity: Severity.default('violation').describe('Of the finding'),
  schedule: Schedule.nullable().default(null).describe('When the rule holds; null: always'),
  exemptZones: z.array(Id).default([]).describe('Zones in which it does not hold, by a permit for instance'),
});
export type DwellRule = z.output<typeof DwellRule>;

/** The kinds of rules; each is a file in rules/. */
export const ZoneRuleConfig = z.discriminatedUnion('type', [DwellRule]);
export type ZoneRuleConfig = z.output<typeof ZoneRuleConfig>;

export const TrackingConfig = z.strictObject({
  highScore: z.number().min(0).max(1).default(0.5).describe('Boxes from this score on may begin a track'),
  lowScore: z.number().min(0).max(1).default(0.25).describe('Boxes from this score on may continue one'),
  minIou: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.3)
    .describe('Overlap with the last place that makes it the same thing'),
  lostFrames: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(2)
    .describe('A track ends after so many frames without it …'),
  lostAfterS: z.number().min(0).max(86_400).default(8).describe('… and at least so many seconds without it'),
  sameKind: z
    .array(z.array(z.string()).min(2))
    .default([['car', 'truck', 'bus', 'van']])
    .describe('Classes that a model may confuse from frame to frame: one thing may change between them'),
});
export type TrackingConfig = z.output<typeof TrackingConfig>;

export const ImageDetectorsConfig = z.strictObject({
  enabled: z.boolean().default(true).describe('Look at pictures at all'),
  model: z
    .string()
    .min(1)
    .default('street-scenes')
    .describe('Name of a model (qianliyan models list), or a folder with model.onnx and manifest.yaml'),
  minScore: z
    .number()
    .min(0.001)
    .max(1)
    .nullable()
    .default(null)
    .describe("What scores less is not seen; null: the lower of the model's own and tracking.lowScore"),
  workers: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Worker threads, each with a session of its own'),
  threadsPerWorker: z.number().int().min(1).max(64).default(1).describe('Threads of one run of the model'),
  executionProviders: z
    .array(z.string().min(1))
    .min(1)
    .default(['cpu'])
    .describe('Names as onnxruntime knows them, tried in order'),
  framesInFlight: z
    .number()
    .int()
    .min(1)
    .max(16)
    .default(2)
    .describe('Frames a worker has in hand: one is decoded while another is looked at'),
  maxTries: z
    .number()
    .int()
    .min(1)
    .max(10)
    .default(3)
    .describe('A frame in whose hands so many workers died is set aside'),
  frameTimeoutS: z
    .number()
    .min(1)
    .max(3600)
    .default(60)
    .describe('A worker that takes longer for a frame is replaced; real seconds'),
  whenBehind: z
    .enum(['newest', 'wait'])
    .default('newest')
    .describe("newest: when behind, only each camera's newest frames are looked at; wait: every frame is"),
  behindS: z
    .number()
    .min(1)
    .max(86_400)
    .default(30)
    .describe('Behind is who has frames that came longer ago than this, in real seconds'),
  queuePerCamera: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(4)
    .describe('Frames of one camera that are looked at in a batch when behind'),
  batchFrames: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(32)
    .describe('Frames between two checkpoints, at most'),
  updateEveryS: z
    .number()
    .min(1)
    .max(86_400)
    .default(300)
    .describe('A finding that lasts is told again so often, by the times of the frames'),
  utcOffsetMin: z
    .number()
    .int()
    .min(-720)
    .max(840)
    .default(480)
    .describe('Local time minus UTC, for schedules; 480 is Beijing'),
  tracking: TrackingConfig.prefault({}).describe('Following a thing from frame to frame'),
  rules: z
    .array(ZoneRuleConfig)
    .prefault([
      {
        type: 'dwell',
        matter: 'm-fire-lane',
        reason: 'fire-lane-occupied',
        classes: ['car', 'truck', 'bus', 'van'],
      },
    ])
    .describe('What is forbidden where; zones are in the device registry'),
});
export type ImageDetectorsConfig = z.output<typeof ImageDetectorsConfig>;

import { z } from 'zod';
import { Quality, Statistic } from '../../../contracts/index.ts';
import { mappingProblems } from './compile.ts';

/**
 * Topic mapping as configuration: for devices that speak MQTT in their own way and cannot be changed. A mapping says
 * which topics it has, whose they are, and where in the payload time, values and qualities stand. Patterns: pattern.ts,
 * paths: path.ts, templates: template.ts. docs/devices.md shows it by example; examples/mappings holds ready ones.
 */

const PathText = z
  .string()
  .min(1)
  .max(300)
  .describe(
    'Where it stands in the payload, e.g. AM2301.Temperature, SDS0X1["PM2.5"], rxInfo[0].rssi; $ is all of it',
  );

const Scalar = z.union([z.string().max(200), z.number(), z.boolean()]);

export const MappedTime = z.strictObject({
  format: z
    .enum(['received', 'rfc3339', 'epoch-s', 'epoch-ms', 'local'])
    .default('received')
    .describe(
      'How it is written; local: date and time without a zone, as Tasmota sends them; received: the device tells none',
    ),
  path: PathText.nullable().default(null).describe('Where it stands in the payload; not for `received`'),
  utcOffset: z
    .string()
    .regex(/^[+-](0\d|1[0-4]):[0-5]\d$/, { error: 'such as "+08:00"' })
    .nullable()
    .default(null)
    .describe("For `local`: zone of the device's clock; null: that of the site (utcOffsetMinutes)"),
  orReceived: z
    .boolean()
    .default(false)
    .describe('A payload without a time is taken with that at which it came'),
});
export type MappedTime = z.output<typeof MappedTime>;

const MappedQuality = z.strictObject({
  path: PathText,
  values: z
    .record(z.string().min(1).max(200), Quality)
    .describe("The payload's value, as text, and the quality that it means"),
  otherwise: Quality.default('unknown').describe('For any other value, and where there is none'),
});

export const MappedReading = z.strictObject({
  property: z
    .string()
    .min(1)
    .max(200)
    .describe(
      'Property of the registry, or a template: {part} of the topic, {*} for what a * in the path finds',
    ),
  path: PathText.default('$'),
  unit: z
    .string()
    .min(1)
    .max(32)
    .nullable()
    .default(null)
    .describe('UCUM unit of the value after scaling; null: that of the registry'),
  statistic: Statistic.default('instant').describe('What the value stands for in time'),
  scale: z
    .number()
    .refine((scale) => scale !== 0, { error: 'other than 0' })
    .default(1)
    .describe('The value is multiplied by it: 0.1 for raw integers in tenths'),
  offset: z.number().default(0).describe('Added after scaling'),
  values: z
    .record(z.string().min(1).max(200), z.number())
    .default({})
    .describe('Words that stand for a number, e.g. { "ON": 1, "OFF": 0 }; taken as they are, not scaled'),
  rename: z
    .record(z.string().min(1).max(64), z.string().min(1).max(64))
    .default({})
    .describe('From what the property template gives to the property of the registry'),
  quality: MappedQuality.nullable().default(null).describe('What the device says of the value; null: valid'),
  optional: z.boolean().default(false).describe('A payload without it is sound'),
});
export type MappedReading = z.output<typeof MappedReading>;

const Condition = z.strictObject({
  path: PathText,
  in: z.array(Scalar).min(1).max(100).optional().describe('One of these values'),
  exists: z.boolean().optional().describe('true: something stands there; false: nothing, or null'),
});

const StatusMapping = z.strictObject({
  paths: z
    .array(PathText)
    .min(1)
    .max(8)
    .default(['$'])
    .describe('Where the word stands; the first path at which there is text counts'),
  online: z.array(Scalar).min(1).default(['online', 'Online']).describe('Words for: it is there'),
  offline: z.array(Scalar).min(1).default(['offline', 'Offline']).describe('Words for: it is gone'),
});

/** What some topics mean. Exactly one of `readings`, `status` and `ignore` is given. */
export const TopicMapping = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, { error: 'a-z, 0-9 and - only, 1 to 40 characters' })
    .describe('Stands with each reading as its source: mapping:<name>'),
  topic: z
    .string()
    .min(1)
    .max(500)
    .describe('Topics, with names for their parts: tele/{device}/SENSOR, zigbee2mqtt/{device#}, a/+/b/#'),
  when: z
    .array(Condition)
    .max(16)
    .default([])
    .describe('What must hold of the payload; else the next mapping that has the topic is tried'),
  device: z
    .string()
    .min(1)
    .max(200)
    .default('{device}')
    .describe(
      'Whose it is: id or address in the registry, e.g. {device}, chirpstack:{eui}, lora:{$.deviceInfo.devEui}',
    ),
  payload: z
    .enum(['json', 'text'])
    .default('json')
    .describe('text: the payload is one bare value, such as 23.5'),
  time: MappedTime.prefault({}).describe('When it was so'),
  readings: z.array(MappedReading).min(1).max(200).optional().describe('Values in the payload'),
  whenEmpty: z
    .enum(['reject', 'ignore'])
    .default('reject')
    .describe('What becomes of a payload in which all readings are optional and none is there'),
  status: StatusMapping.optional().describe('The topic tells whether the device is there'),
  ignore: z.literal(true).optional().describe('The topic is known and carries nothing to keep'),
});
export type TopicMapping = z.output<typeof TopicMapping>;

/** All mappings, in the order in which they are tried. What is wrong with any of them is told at once. */
export const TopicMappings = z
  .array(TopicMapping)
  .max(500)
  .superRefine((mappings, context) => {
    for (const { path, message } of mappingProblems(mappings)) {
      context.addIssue({ code: 'custom', path, message, input: mappings });
    }
  });
export type TopicMappings = z.output<typeof TopicMappings>;

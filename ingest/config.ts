import { z } from 'zod';
import { FrigateConfig, TopicMappings } from '../devices/codecs/index.ts';

const MIB = 1_048_576;

const Rate = z
  .strictObject({
    perS: z
      .number()
      .positive()
      .max(1_000_000)
      .default(1_000)
      .describe('Messages a second that a device may send in the long run'),
    burst: z
      .number()
      .int()
      .positive()
      .max(10_000_000)
      .default(10_000)
      .describe('Messages that it may send at once, after a time of silence'),
  })
  .prefault({});

const QuarantineLimits = z
  .strictObject({
    maxEntries: z
      .number()
      .int()
      .min(100)
      .max(10_000_000)
      .default(100_000)
      .describe('Entries kept; beyond that the oldest of whoever has most go'),
    maxBytes: z
      .number()
      .int()
      .min(MIB)
      .default(1_024 * MIB)
      .describe('Raw bytes kept in all'),
    maxRawBytes: z
      .number()
      .int()
      .min(0)
      .max(MIB)
      .default(65_536)
      .describe('Bytes of one message that are kept; its true size and hash always are'),
  })
  .prefault({});

const LivenessConfig = z
  .strictObject({
    silentFactor: z
      .number()
      .min(1.5)
      .max(1_000)
      .default(3)
      .describe('A device is silent after so many times the interval of its most frequent datastream …'),
    floorS: z.number().min(1).max(86_400).default(60).describe('… but not before so many seconds'),
    goneAfterS: z
      .number()
      .min(1)
      .max(31_536_000)
      .default(3_600)
      .describe('Gone after so many further seconds, unless it is still connected'),
    unstatedIntervalS: z
      .number()
      .min(1)
      .max(86_400)
      .default(600)
      .describe('Interval of devices without datastreams, such as cameras'),
  })
  .prefault({});

const Trim = z
  .strictObject({
    keepRecords: z
      .number()
      .int()
      .min(1_000)
      .default(1_000_000)
      .describe('Records of a partition that stay in the stream although every consumer has read them'),
    everyS: z.number().min(1).max(86_400).default(60).describe('Seconds between two rounds'),
  })
  .prefault({});

const Fields = z.strictObject({
  maxMessageBytes: z
    .number()
    .int()
    .min(1_024)
    .max(16 * MIB)
    .default(MIB)
    .describe('Largest message with readings, in bytes'),
  maxInflatedBytes: z
    .number()
    .int()
    .min(1_024)
    .max(64 * MIB)
    .default(4 * MIB)
    .describe('Largest size to which a compressed message may inflate'),
  maxPictureBytes: z
    .number()
    .int()
    .min(1_024)
    .max(64 * MIB)
    .default(20_000_000)
    .describe('Largest picture, in bytes'),
  maxPicturePixels: z
    .number()
    .int()
    .min(10_000)
    .max(500_000_000)
    .default(50_000_000)
    .describe('Largest picture, in pixels as its header declares them'),
  maxClockAheadS: z
    .number()
    .min(0)
    .max(86_400)
    .default(300)
    .describe("How far a device's clock may be ahead, in seconds; beyond that the reading is quarantined"),
  maxAgeDays: z
    .number()
    .min(0.01)
    .max(3_650)
    .default(30)
    .describe('How old a reading may be, in days; beyond that it is quarantined'),
  lateAfterS: z
    .number()
    .min(0)
    .max(86_400)
    .default(600)
    .describe('A reading that comes so many seconds after its time is taken and marked as late'),
  clockOffAfterS: z
    .number()
    .min(1)
    .max(86_400)
    .default(60)
    .describe("Readings are marked when their device's clock is so many seconds ahead, or lateAfterS behind"),
  rate: Rate,
  tickS: z
    .number()
    .min(1)
    .max(600)
    .default(10)
    .describe(
      "Seconds of the product's time between two ticks, which drive liveness and the ends of windows",
    ),
  topicMappings: TopicMappings.default([]).describe(
    'What topics of devices mean that speak MQTT in their own way; the first that fits holds',
  ),
  frigate: FrigateConfig.prefault({}),
  liveness: LivenessConfig,
  quarantine: QuarantineLimits,
  trim: Trim,
});

/** From message to durable record: what is taken, what is refused, and how much is kept of it. */
export const IngestConfig = Fields.superRefine(({ topicMappings, frigate }, context) => {
  for (const [i, { topic }] of topicMappings.entries()) {
    const prefix = frigate.topicPrefixes.find((one) => topic === one || topic.startsWith(`${one}/`));
    if (prefix === undefined) continue;
    context.addIssue({
      code: 'custom',
      path: ['topicMappings', i, 'topic'],
      input: topic,
      message: `topics outside of ${prefix}/, which is taken for Frigate; take it out of ingest.frigate.topicPrefixes to map it`,
    });
  }
});
export type IngestConfig = z.output<typeof IngestConfig>;

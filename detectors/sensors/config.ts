import { z } from 'zod';
import { AnomalyParams, anomalyDetector } from './anomaly/index.ts';
import type { SensorDetector } from './detector.ts';
import { EarlyWarningParams, earlyWarningDetector } from './early-warning/index.ts';
import { LimitsParams, limitsDetector } from './limits/index.ts';
import { makePlan, type Plan } from './plan.ts';
import { SilenceParams, silenceDetector } from './silence/index.ts';
import { StuckParams, stuckDetector } from './stuck/index.ts';

/** What every detector's configuration has, besides its own parameters: the same shape for all. */
function configOf<T extends string, P extends z.ZodObject>(type: T, params: P) {
  return z.strictObject({
    type: z.literal(type),
    name: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/)
      .optional()
      .describe('Name of this instance, where a detector is configured more than once'),
    properties: z.array(z.string()).min(1).optional().describe('Look at these properties only'),
    devices: z.array(z.string()).min(1).optional().describe('Look at these devices only'),
    params: params.prefault({} as z.input<P>).describe('What it decides by'),
  });
}

export const SensorDetectorConfig = z.discriminatedUnion('type', [
  configOf('limits', LimitsParams),
  configOf('early-warning', EarlyWarningParams),
  configOf('stuck', StuckParams),
  configOf('silence', SilenceParams),
  configOf('anomaly', AnomalyParams),
]);
export type SensorDetectorConfig = z.infer<typeof SensorDetectorConfig>;

/** All detectors with their defaults: what runs without any configuration. */
const ALL: z.input<typeof SensorDetectorConfig>[] = [
  { type: 'limits' },
  { type: 'early-warning' },
  { type: 'stuck' },
  { type: 'silence' },
  { type: 'anomaly' },
];

export const SensorDetectorsConfig = z
  .strictObject({
    detectors: z
      .array(SensorDetectorConfig)
      .prefault(ALL)
      .describe('Which sensor detectors run, and how; a given list replaces the default one'),
    updateEveryS: z
      .number()
      .min(0)
      .max(86_400)
      .default(300)
      .describe('A lasting finding is told again at most every so many seconds of its own time'),
    checkpointEveryS: z
      .number()
      .min(0.1)
      .max(3600)
      .default(10)
      .describe('Seconds between two checkpoints of the detectors state'),
    checkpointEveryRecords: z
      .int()
      .min(1)
      .max(100_000_000)
      .default(200_000)
      .describe('Records after which a checkpoint is due at the latest'),
    tickGapS: z
      .number()
      .min(1)
      .max(86_400)
      .default(30)
      .describe(
        'A gap between ticks of at least so many seconds (and 5 times the usual) means nobody listened',
      ),
  })
  .superRefine((config, context) => {
    const seen = new Set<string>();
    config.detectors.forEach((detector, i) => {
      const label = detector.name ?? detector.type;
      if (seen.has(label)) {
        context.addIssue({
          code: 'custom',
          path: ['detectors', i, 'name'],
          input: label,
          message: 'a name that no other detector has',
        });
      }
      seen.add(label);
    });
  });
export type SensorDetectorsConfig = z.infer<typeof SensorDetectorsConfig>;

/** Every detector by its type: what `explain` looks up. */
export const DETECTORS: Readonly<Record<SensorDetectorConfig['type'], SensorDetector>> = {
  limits: limitsDetector as SensorDetector,
  'early-warning': earlyWarningDetector as SensorDetector,
  stuck: stuckDetector as SensorDetector,
  silence: silenceDetector as SensorDetector,
  anomaly: anomalyDetector as SensorDetector,
};

export function plansOf(config: SensorDetectorsConfig): Plan[] {
  return config.detectors.map((detector) => planOf(detector));
}

export function planOf(config: SensorDetectorConfig): Plan {
  return makePlan(DETECTORS[config.type] as SensorDetector<object>, config.params, {
    ...(config.name === undefined ? {} : { label: config.name }),
    ...(config.properties === undefined ? {} : { properties: config.properties }),
    ...(config.devices === undefined ? {} : { devices: config.devices }),
  });
}

import { z } from 'zod';
import { Id } from '../../../contracts/primitives.ts';

/** What may be set of the anomaly detector. The scorer itself has no parameters: one set serves every datastream. */
export const AnomalyParams = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether this detector runs'),
  falseAlarmsPerDay: z
    .number()
    .min(1e-6)
    .max(10)
    .default(0.0001)
    .describe(
      'False alarms that single values of one healthy datastream may raise a day; with the reporting interval it sets the score at which a finding opens at once',
    ),
  confirmS: z
    .number()
    .min(0)
    .max(86_400)
    .default(180)
    .describe('What surprises less opens a finding when it lasts for so many seconds'),
  confirmRows: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('… and for at least so many observations'),
  quietS: z
    .number()
    .min(1)
    .max(86_400)
    .default(600)
    .describe('An anomaly is over when it has been quiet for so many seconds'),
  quietRows: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(20)
    .describe('… and for at least so many observations'),
  matter: Id.default('m-monitoring-abnormal').describe('Matter that the findings serve'),
});
export type AnomalyParams = z.infer<typeof AnomalyParams>;

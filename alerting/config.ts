import { z } from 'zod';
import { FindingKind, Id, Severity } from '../contracts/index.ts';

/** Where the leads of a unit go. Exactly one of the three ways to hand over the secret. */
export const Endpoint = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .describe('Address that receives leads by POST; redirects are not followed'),
    secret: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'whsec_ and at least 24 bytes in Base64')
      .optional()
      .describe('Standard Webhooks secret; better kept in a file or the environment'),
    secretFile: z.string().min(1).optional().describe('File that holds the secret'),
    secretEnv: z.string().min(1).optional().describe('Environment variable that holds the secret'),
  })
  .refine((e) => [e.secret, e.secretFile, e.secretEnv].filter((s) => s !== undefined).length === 1, {
    error: 'exactly one of secret, secretFile, secretEnv',
    path: ['secret'],
  });
export type Endpoint = z.infer<typeof Endpoint>;

const Raise = z.strictObject({
  rejoinS: z
    .number()
    .min(0)
    .max(86_400)
    .default(300)
    .describe('A happening that comes again within so many seconds of its end is the same one'),
  batch: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(500)
    .describe('Findings taken in one transaction, at most'),
});

/** From which severity on a kind of finding becomes a draft case; `never`: it stays an alert. */
const FromSeverity = z.union([Severity, z.literal('never')]);

const Draft = z.strictObject({
  fromSeverity: z
    .partialRecord(FindingKind, FromSeverity)
    .default({ 'early-warning': 'never' })
    .describe('From which severity on a kind becomes a draft case, where it is not `warning`'),
  matterOf: z
    .partialRecord(FindingKind, Id)
    .default({
      anomaly: 'm-monitoring-abnormal',
      falsification: 'm-monitoring-data',
      'device-silent': 'm-device-offline',
    })
    .describe('The matter of a kind of finding whose rule names none'),
  refreshS: z
    .number()
    .min(0)
    .max(86_400)
    .default(600)
    .describe(
      'A lasting happening rewrites its undecided draft at most this often, in seconds of its own time',
    ),
});

const Deliver = z.strictObject({
  endpoints: z.record(Id, Endpoint).default({}).describe('Case system of each unit, by unit id'),
  fallback: Endpoint.nullable().default(null).describe('Case system of the units that are not named'),
  timeoutS: z.number().min(0.05).max(120).default(10).describe('Seconds until a delivery counts as failed'),
  retryFirstS: z.number().min(0.01).max(3600).default(5).describe('Seconds before the second try'),
  retryMaxS: z
    .number()
    .min(0.01)
    .max(86_400)
    .default(3600)
    .describe('Longest pause between two tries, seconds'),
  deadlineH: z
    .number()
    .min(0.0001)
    .max(720)
    .default(72)
    .describe('Hours after which a lead is given up (failed)'),
  concurrency: z.number().int().min(1).max(64).default(8).describe('Deliveries under way at once'),
});

const Access = z.strictObject({
  idleMinutes: z
    .number()
    .min(1)
    .max(1440)
    .default(30)
    .describe('Minutes without a request that end a session'),
  longestHours: z
    .number()
    .min(1)
    .max(168)
    .default(12)
    .describe('Hours after which a session ends in any case'),
  lockAfter: z
    .number()
    .int()
    .min(3)
    .max(100)
    .default(5)
    .describe('Wrong passwords in a row that lock an account'),
  lockMinutes: z.number().min(1).max(1440).default(15).describe('Minutes for which it is locked'),
  triesPerMinute: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .describe('Sign-in tries a minute from one address'),
});

/** Configuration of the stage that turns findings into alerts, draft cases and leads, and serves the API. */
export const AlertingConfig = z.strictObject({
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .default('http://localhost:8080')
    .describe('Address under which people and case systems reach the product; also the source of its events'),
  demoAccess: z
    .boolean()
    .default(false)
    .describe('Signs everyone in as a demo reviewer; only where the server listens on loopback'),
  raise: Raise.prefault({}).describe('Findings to alerts'),
  draft: Draft.prefault({}).describe('Alerts to draft cases'),
  deliver: Deliver.prefault({}).describe('Leads to case systems'),
  access: Access.prefault({}).describe('Accounts and sessions'),
  events: z
    .strictObject({
      keep: z
        .number()
        .int()
        .min(100)
        .max(1_000_000)
        .default(20_000)
        .describe('Events kept for resuming streams'),
    })
    .prefault({})
    .describe('The event stream of the API'),
  evidence: z
    .strictObject({
      contextMinutes: z
        .number()
        .min(0)
        .max(1440)
        .default(10)
        .describe('Minutes of readings before and after the happening that go into the evidence'),
    })
    .prefault({})
    .describe('What a draft case rests on'),
});
export type AlertingConfig = z.infer<typeof AlertingConfig>;

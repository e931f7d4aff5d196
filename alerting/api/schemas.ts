import { z } from 'zod';
import {
  Alert,
  AlertState,
  Assignment,
  BiText,
  Device,
  DraftCase,
  DraftState,
  EpochMs,
  Finding,
  FindingKind,
  Id,
  LeadState,
  LegalBasis,
  Limit,
  Matter,
  Quality,
  Route,
  Sha256,
  Unit,
} from '../../contracts/index.ts';
import { NewAccount, Role } from '../access/index.ts';

/** The words of the HTTP API. Records of `contracts/` are used unchanged; what is named here stands in OpenAPI by name. */

const names = z.registry<{ id: string }>();

function named<T extends z.ZodType>(id: string, schema: T): T {
  names.add(schema, { id });
  return schema;
}

for (const [id, schema] of Object.entries({
  Alert,
  AlertState,
  Assignment,
  BiText,
  DraftCase,
  DraftState,
  Finding,
  FindingKind,
  LeadState,
  LegalBasis,
  Limit,
  Matter,
  Quality,
  Role,
  Route,
  Unit,
})) {
  named(id, schema);
}

/** All named schemas, for the OpenAPI document. */
export const schemaNames = names;

const Counted = z.number().int().nonnegative();
const ByKind = z.record(z.string(), Counted);

export const ErrorBody = named(
  'Error',
  z.strictObject({
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      problems: z.array(z.strictObject({ path: z.string(), found: z.unknown(), allowed: z.string() })),
    }),
  }),
);

export const Session = named(
  'Session',
  z.strictObject({
    user: z.string(),
    name: z.string(),
    roles: z.array(Role),
    unit: z.string().nullable(),
    demo: z.boolean(),
    clock: z
      .strictObject({ now: EpochMs, speed: z.number(), utcOffsetMinutes: z.number() })
      .describe('The product clock: what people see as now'),
  }),
);

export const SignIn = named(
  'SignIn',
  z.strictObject({ user: z.string().min(1).max(64), password: z.string().min(1).max(256) }),
);

export const Account = named(
  'Account',
  z.strictObject({ user: z.string(), name: z.string(), roles: z.array(Role), unit: z.string().nullable() }),
);
export const Accounts = named('Accounts', z.strictObject({ items: z.array(Account) }));
named('NewAccount', NewAccount);

export { NewAccount };

export const RegisteredDeviceSchema = named(
  'RegisteredDevice',
  Device.extend({ version: z.number().int(), since: EpochMs }),
);

const page = <T extends z.ZodType>(items: T) =>
  z.strictObject({
    items: z.array(items),
    next: z.string().nullable().describe('Cursor for `before`; null = this was the last page'),
  });

export const AlertPage = named('AlertPage', page(Alert));
export const DraftCasePage = named('DraftCasePage', page(DraftCase));

export const AlertDetail = named(
  'AlertDetail',
  z.strictObject({
    alert: Alert,
    findings: z.array(Finding),
    device: RegisteredDeviceSchema.nullable(),
    draftCase: DraftCase.nullable(),
  }),
);

export const DecisionBody = named(
  'Decision',
  z.strictObject({
    version: z.number().int().positive().describe('The version of the draft that was read'),
    reason: z.string().max(2000).default(''),
  }),
);

export const Evidence = named(
  'Evidence',
  z.strictObject({
    items: z.array(
      z.strictObject({
        name: z.string(),
        mediaType: z.string(),
        sha256: Sha256,
        bytes: Counted,
        url: z.string(),
      }),
    ),
    missing: z.array(z.string()).describe('What the stores no longer hold'),
    frozen: z.boolean().describe('True once the draft is confirmed: the list is the one that was confirmed'),
  }),
);

export const Lead = named(
  'Lead',
  z.strictObject({
    id: z.string(),
    draftCase: z.string(),
    unit: z.string(),
    state: LeadState,
    attempts: Counted,
    nextTryAt: z.number().nullable().describe('Wall clock, epoch ms'),
    deliveredAt: z.number().nullable().describe('Wall clock, epoch ms'),
    lastError: z.string().nullable(),
    receipt: z.unknown().describe('What the case system answered'),
  }),
);
export const Leads = named('Leads', z.strictObject({ items: z.array(Lead) }));

export const Counts = named(
  'Counts',
  z.strictObject({
    observations: z.strictObject({ acknowledged: Counted, stored: Counted }),
    frames: Counted,
    quarantined: Counted,
    findings: ByKind,
    alerts: ByKind,
    alertsOpen: Counted,
    drafts: ByKind,
    draftsOpen: Counted,
    leads: z.strictObject({ delivered: Counted, pending: Counted, failed: Counted }),
    lag: z.record(z.string(), Counted).describe('Records that each consumer group is behind'),
  }),
);
export type Counts = z.infer<typeof Counts>;

export const SeriesAnswer = named(
  'Series',
  z.strictObject({
    datastream: z.string(),
    unit: z.string().nullable(),
    points: z.array(
      z.strictObject({
        time: EpochMs,
        value: z.number(),
        quality: Quality,
        source: z
          .string()
          .optional()
          .describe('How it came, where not as native JSON: hj212-2017, sparkplug …'),
      }),
    ),
  }),
);

export const CatalogAnswer = named(
  'Catalog',
  z.strictObject({
    matters: z.array(Matter),
    units: z.array(Unit),
    areas: z.looseObject({ type: z.literal('FeatureCollection') }).describe('GeoJSON'),
    limits: z.array(Limit),
    assignments: z.array(Assignment),
    version: z.string(),
  }),
);

const Limit200 = z.coerce.number().int().min(1).max(500).default(100);
const Cursor = z
  .string()
  .regex(/^\d{1,15}$/, 'the `next` of a page')
  .optional();

export const AlertQuery = z.strictObject({
  state: AlertState.optional(),
  kind: FindingKind.optional(),
  limit: Limit200,
  before: Cursor,
});
export const DraftCaseQuery = z.strictObject({
  state: DraftState.optional(),
  unit: Id.optional().describe('Drafts on the desk of a unit; `-` is no unit'),
  limit: Limit200,
  before: Cursor,
});
export const LeadQuery = z.strictObject({ state: LeadState.optional() });
const Time = z.coerce.number().int().min(0);
export const SeriesQuery = z.strictObject({
  datastream: z.string().min(3).max(200),
  from: Time,
  to: Time,
  limit: z.coerce.number().int().min(1).max(50_000).default(5000),
});
export const IdParams = z.strictObject({ id: Id });
export const HashParams = z.strictObject({ sha256: Sha256 });

import { z } from 'zod';
import { Statistic } from './observation.ts';
import { BiText, type EpochMs, Id, LonLat } from './primitives.ts';

/** One observed property of one device. */
export const Datastream = z.strictObject({
  property: z.string().min(1).max(64).describe('Observed property, e.g. PM10, TSP, LAeq, SO2, O2'),
  statistic: Statistic.default('instant'),
  unit: z
    .string()
    .max(32)
    .nullable()
    .describe('UCUM unit of the values; null = not stated, which blocks drafting'),
  range: z
    .tuple([z.number(), z.number()])
    .describe('Physical range [min, max]; what lies outside is quarantined'),
  intervalS: z.number().positive().max(86_400).describe('Expected seconds between two values'),
  averagingS: z
    .number()
    .positive()
    .max(86_400)
    .nullable()
    .default(null)
    .describe('Seconds over which the instrument averages one value; null = not stated'),
});
export type Datastream = z.infer<typeof Datastream>;

/** An area on a camera's picture, in fractions of width and height so that resolution does not matter. */
export const Zone = z.strictObject({
  id: Id,
  name: BiText,
  matter: Id.describe('The matter that this zone serves'),
  polygon: z.array(z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)])).min(3),
  version: z.number().int().positive().default(1),
});
export type Zone = z.infer<typeof Zone>;

export const RegulatedParty = z.strictObject({
  name: z.string(),
  /** Unified social credit code, GB 32100-2015; its check character is verified on import. */
  uscc: z.string().length(18).optional(),
  address: z.string().optional(),
  contact: z.string().optional(),
});
export type RegulatedParty = z.infer<typeof RegulatedParty>;

const Review = z.strictObject({
  by: z.string(),
  on: z.iso.date(),
  result: z.enum(['passed', 'failed']),
  expires: z.iso.date().optional(),
});

/** What article 41 of the Administrative Penalty Law asks of the equipment; null = no record. */
export const Article41Record = z.strictObject({
  legalReview: Review.nullable(),
  technicalReview: Review.nullable(),
  signsSetUp: z.iso.date().nullable(),
  locationPublished: z.strictObject({ on: z.iso.date(), url: z.string() }).nullable(),
  verification: z
    .strictObject({ certificate: z.string(), from: z.iso.date(), to: z.iso.date() })
    .nullable()
    .describe('Metrological verification (检定/校准) certificate and its validity'),
});
export type Article41Record = z.infer<typeof Article41Record>;

/** A limit of the discharge permit of this device's outlet; goes before the general limit of the catalog. */
export const PermitLimit = z.strictObject({
  property: z.string().min(1).max(64),
  statistic: Statistic,
  max: z.number(),
  unit: z.string().max(32).describe('UCUM'),
  permit: z.string().min(1).describe('Number of the permit'),
  from: z.iso.date(),
  to: z.iso.date().nullable().default(null).describe('Last day that it holds; null = until further notice'),
});
export type PermitLimit = z.infer<typeof PermitLimit>;

/** A calibration or comparison (校准 / 比对) of the instrument, with the time for which it holds. */
export const Calibration = z.strictObject({
  property: z.string().min(1).max(64).nullable().default(null).describe('null = the whole device'),
  certificate: z.string().min(1),
  by: z.string().default(''),
  from: z.iso.date(),
  to: z.iso.date(),
});
export type Calibration = z.infer<typeof Calibration>;

/** A time of announced work on the device. */
export const MaintenanceWindow = z.strictObject({
  from: z.iso.datetime({ offset: true }),
  to: z.iso.datetime({ offset: true }),
  reason: z.string().min(1),
});
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

/** How this device speaks HJ 212. Its MN stands in `addresses` as `hj212:<MN>`. */
export const Hj212Profile = z.strictObject({
  crc: z
    .enum(['standard', 'modbus'])
    .default('standard')
    .describe('`modbus`: the maker uses CRC16/MODBUS; recorded with each reading'),
  edition: z
    .enum(['by-flag', '2005', '2017', '2025'])
    .default('by-flag')
    .describe('Edition whose rules hold; by-flag: what the frame says'),
  stamps: z
    .enum(['period-start', 'period-end'])
    .default('period-start')
    .describe('What DataTime of minute, hour and day data means to its maker'),
  maxSegmentBytes: z.number().int().min(64).max(9_999).default(1_024),
  encrypted: z
    .boolean()
    .default(false)
    .describe('2025: data segments come SM4-encrypted; the key is a credential'),
  factors: z
    .record(
      z.string().min(1).max(32),
      z.strictObject({
        property: z.string().min(1).max(64),
        unit: z.string().max(32).nullable().default(null),
      }),
    )
    .default({})
    .describe('Factor codes of this device, before those of the standard'),
});
export type Hj212Profile = z.infer<typeof Hj212Profile>;

/** A thing that speaks, as the registry knows it. */
export const Device = z.strictObject({
  id: Id,
  kind: z.enum(['sensor', 'camera']),
  name: BiText,
  model: z.string().default(''),
  site: Id.describe('Where it stands: devices of one site are grouped'),
  location: LonLat,
  datastreams: z.array(Datastream).default([]),
  zones: z.array(Zone).default([]),
  /** GB 3096 acoustic class, site type …: what rules may ask for. */
  attributes: z.record(z.string(), z.string()).default({}),
  regulatedParty: RegulatedParty.nullable().default(null),
  addresses: z
    .array(
      z
        .string()
        .min(3)
        .max(200)
        .regex(/^[a-z0-9]+:.+$/),
    )
    .default([])
    .describe('Names that other protocols have for it: hj212:<MN>, sparkplug:<group>/<node>[/<device>], …'),
  gateway: Id.nullable().default(null).describe('Device whose connection delivers for this one'),
  hj212: Hj212Profile.nullable().default(null),
  permitLimits: z.array(PermitLimit).default([]),
  calibrations: z.array(Calibration).default([]),
  maintenance: z.array(MaintenanceWindow).default([]),
  article41: Article41Record.default({
    legalReview: null,
    technicalReview: null,
    signsSetUp: null,
    locationPublished: null,
    verification: null,
  }),
});
export type Device = z.infer<typeof Device>;
/** What a person writes: defaults may be left out. */
export type DeviceInput = z.input<typeof Device>;

/** A device with what the registry adds. `version` counts its changes; old versions can be asked for. */
export interface RegisteredDevice extends Device {
  version: number;
  since: EpochMs;
}

import { z } from 'zod';
import { Device, EpochMs } from '../../contracts/index.ts';
import { Template } from '../registry/templates.ts';

/** The words of the registry's HTTP API: what its routes take and answer, and what stands in the OpenAPI document. */

const Mark = z.strictObject({ name: z.string(), version: z.number().int() });

export const DeviceAnswer = Device.extend({
  version: z.number().int().positive().describe('Counts the changes of this device'),
  since: EpochMs.describe('From when this version holds'),
  template: Mark.nullable().describe('The template that it follows'),
});

export const TemplateName = z.string().min(1).max(64);

/** A device as people write it: fields that a template or a default has may be left out. */
export const DeviceBody = z
  .looseObject({ id: z.string(), template: TemplateName.optional(), password: z.string().optional() })
  .describe('A Device; fields that `template` or a default has may be left out');

export const DevicePatch = z
  .looseObject({})
  .describe(
    'JSON Merge Patch (RFC 7396) of a Device: what is null goes back to its default, lists are replaced',
  );

export const ListQuery = z.strictObject({
  kind: z.enum(['sensor', 'camera']).optional(),
  site: z.string().optional(),
  template: z.string().optional().describe('Devices that follow this template'),
  gateway: z.string().optional().describe('Devices that this one delivers for'),
  hasAddress: z.enum(['true', 'false']).optional(),
  q: z.string().max(200).optional().describe('Text in id, names, model, party or addresses, in any case'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
  after: z.string().default('').describe('Goes on behind this id: `next` of the page before'),
});
export type ListQuery = z.output<typeof ListQuery>;

export const ListAnswer = z.strictObject({
  items: z.array(DeviceAnswer),
  next: z.string().nullable(),
  total: z.number().int().describe('Devices in the registry, whatever the filter'),
});

const Time = z.union([
  z.string().regex(/^\d+$/).transform(Number).pipe(EpochMs),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);
export const AtQuery = z.strictObject({
  at: Time.optional().describe('Epoch ms or RFC 3339: the version that held then'),
});

export const DeviceId = z.strictObject({ id: z.string().max(64) });
export const ImportQuery = z.strictObject({
  partial: z.enum(['true', 'false']).default('false').describe('true: take the good rows, name the others'),
  charset: z.string().max(20).optional().describe('Of a CSV; default: UTF-8 if it is that, else GB 18030'),
});
export const ExportQuery = z.strictObject({ format: z.enum(['csv', 'json', 'yaml']).default('json') });

const Problem = z.strictObject({ path: z.string(), found: z.unknown(), allowed: z.string() });
export const ImportAnswer = z.strictObject({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  unchanged: z.array(z.string()),
  refused: z.array(
    z.strictObject({
      row: z.number().int().describe('Counted from 0'),
      line: z.number().int().nullable().describe('Line of the file, counted from 1; null in JSON'),
      id: z.string(),
      problems: z.array(Problem),
    }),
  ),
});

export const VersionsAnswer = z.strictObject({
  items: z.array(
    z.strictObject({
      version: z.number().int(),
      since: EpochMs,
      who: z.string().nullable(),
      via: z.string().nullable().describe('Address that the request came from'),
      template: Mark.nullable(),
      changes: z.array(z.strictObject({ path: z.string(), before: z.unknown(), after: z.unknown() })),
      device: Device.extend({ version: z.number().int(), since: EpochMs }),
    }),
  ),
});

export const PasswordBody = z.strictObject({ password: z.string().min(8).max(256).optional() });
export const PasswordAnswer = z.strictObject({
  device: z.string(),
  password: z.string().describe('Shown this once'),
});

const Fingerprint = z.string().max(128).describe('SHA-256, 64 hex digits with or without colons');
export const CertificateParams = z.strictObject({ id: z.string().max(64), fingerprint: Fingerprint });
export const CertificateBody = z
  .strictObject({
    certificate: z.string().max(20_000).optional().describe('PEM'),
    fingerprint: Fingerprint.optional(),
  })
  .refine((body) => (body.certificate === undefined) !== (body.fingerprint === undefined), {
    message: 'certificate or fingerprint, one of them',
  });
export const CertificateAnswer = z.strictObject({
  fingerprint: z.string(),
  device: z.string(),
  subject: z.string(),
  notAfter: EpochMs.nullable(),
  revoked: z.boolean(),
});
export const CertificatesAnswer = z.strictObject({ items: z.array(CertificateAnswer) });

export const SecretParams = z.strictObject({ id: z.string().max(64), name: z.string().max(64) });
export const SecretBody = z
  .strictObject({
    value: z.string().max(4_096).describe('Text, or bytes as `encoding` says'),
    encoding: z.enum(['utf8', 'hex', 'base64']).default('utf8'),
  })
  .refine(({ value, encoding }) => encoding !== 'hex' || /^([0-9a-f]{2})+$/i.test(value), {
    path: ['value'],
    message: 'an even number of hex digits',
  });
export const SecretsAnswer = z.strictObject({
  items: z.array(z.string()).describe('Names; values are never shown'),
});

export const TemplateParams = z.strictObject({ name: TemplateName });
export const TemplateBody = Template;
export const TemplateAnswer = z.strictObject({
  name: z.string(),
  source: z.enum(['own', 'product']),
  version: z.number().int(),
  template: Template,
});
export const TemplatesAnswer = z.strictObject({ items: z.array(TemplateAnswer) });

export const StrangerParams = z.strictObject({ name: z.string().max(200) });
export const StrangersQuery = z.strictObject({
  dismissed: z.enum(['true', 'false']).default('false'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});
export const StrangerAnswer = z.strictObject({
  name: z.string(),
  kind: z.enum(['readings', 'picture']),
  firstSeen: EpochMs,
  lastSeen: EpochMs,
  count: z.number().int(),
  topics: z.array(z.string()),
  client: z.string().nullable(),
  payload: z.string().describe('Head of the last message, base64'),
  payloadBytes: z.number().int(),
  dismissed: z.boolean(),
  properties: z
    .record(z.string(), z.number())
    .describe('What the last message measured, where it is native JSON'),
});
export const StrangersAnswer = z.strictObject({ items: z.array(StrangerAnswer), total: z.number().int() });
export const AdoptBody = z
  .looseObject({ id: z.string().optional(), template: TemplateName.optional() })
  .describe('A Device without what its name says: template or fields, site, location');
export const AdoptAnswer = z.strictObject({
  device: DeviceAnswer,
  rerun: z
    .looseObject({ taken: z.number().int() })
    .nullable()
    .describe('What became of its quarantined messages'),
});
export const DismissBody = z.strictObject({ dismissed: z.boolean().default(true) });

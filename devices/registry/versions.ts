import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Kysely, Transaction } from 'kysely';
import { Device, QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import type { DeviceTables } from './tables.ts';

/**
 * Versions of devices in the records. What a thousand equal devices have in common (kind, model, datastreams, HJ 212
 * profile) is kept once, in the table and in memory: a registry of 100,000 is read in about two seconds and takes a few
 * hundred bytes a device. Every row is checked when it is read: what lies in the records is a border too, and a hand that
 * edited it must not reach the detectors.
 */
const Shared = Device.pick({ kind: true, model: true, datastreams: true, hj212: true });
const Own = Device.omit({ kind: true, model: true, datastreams: true, hj212: true });
type Shared = ReturnType<typeof Shared.parse>;

/** Who made a change, and from where. */
export interface Author {
  /** Account or program. */
  who: string;
  /** Address that the request came from; null = this machine. */
  via: string | null;
}

/** The template that a device follows, and the version of it that it was last made from. */
export interface TemplateMark {
  name: string;
  version: number;
}

export interface NewVersion {
  device: RegisteredDevice;
  template: TemplateMark | null;
}

export interface ReadVersion extends NewVersion {
  seq: number;
}

/** So many rows are in memory as text at a time. */
const PAGE = 5_000;
/** Below the number of parameters that a statement may have. */
const ROWS_A_STATEMENT = 500;

/** Reads what is newer than `after`, oldest first. Remembers shared parts from call to call. */
export function versionReader(db: Kysely<DeviceTables>) {
  /** By hash. */
  const parts = new Map<string, Shared>();

  async function sharedPart(hash: string, id: string): Promise<Shared> {
    const known = parts.get(hash);
    if (known !== undefined) return known;
    const row = await db
      .selectFrom('device_shared')
      .select('document')
      .where('hash', '=', hash)
      .executeTakeFirst();
    const parsed = Shared.safeParse(row === undefined ? undefined : JSON.parse(row.document));
    if (!parsed.success) throw damaged(id, parsed.error);
    // Many devices hold it: who changed it for one would change it for all.
    const part = deepFreeze(parsed.data);
    parts.set(hash, part);
    return part;
  }

  return async function* newVersions(after: number): AsyncGenerator<ReadVersion> {
    let last = after;
    for (;;) {
      const rows = await db
        .selectFrom('device_versions')
        .select(['seq', 'id', 'version', 'since', 'document', 'shared', 'template', 'template_version'])
        .where('seq', '>', last)
        .orderBy('seq')
        .limit(PAGE)
        .execute();
      for (const row of rows) {
        last = Number(row.seq);
        const { id, template, template_version } = row;
        const shared =
          row.shared === null ? null : (parts.get(row.shared) ?? (await sharedPart(row.shared, id)));
        const device = readDocument(row, shared, Number(row.since));
        const mark = template === null ? null : { name: template, version: Number(template_version ?? 0) };
        yield { seq: last, device, template: mark };
      }
      if (rows.length < PAGE) return;
    }
  };
}

function readDocument(
  { id, document, version }: { id: string; document: string; version: number },
  shared: Shared | null,
  since: number,
): RegisteredDevice {
  const read: unknown = JSON.parse(document);
  if (shared === null) {
    const whole = Device.safeParse(read);
    if (!whole.success) throw damaged(id, whole.error);
    return joined(whole.data, whole.data, version, since);
  }
  const own = Own.safeParse(read);
  if (!own.success) throw damaged(id, own.error);
  return joined(own.data, shared, version, since);
}

/** Field by field: a spread of this many would be three times as slow, and make an object twice as large. */
function joined(
  own: ReturnType<typeof Own.parse>,
  shared: Shared,
  version: number,
  since: number,
): RegisteredDevice {
  return {
    id: own.id,
    kind: shared.kind,
    name: own.name,
    model: shared.model,
    site: own.site,
    location: own.location,
    datastreams: shared.datastreams,
    zones: own.zones.length === 0 ? NONE : own.zones,
    attributes: own.attributes,
    regulatedParty: own.regulatedParty,
    addresses: own.addresses.length === 0 ? NONE : own.addresses,
    gateway: own.gateway,
    hj212: shared.hj212,
    permitLimits: own.permitLimits.length === 0 ? NONE : own.permitLimits,
    calibrations: own.calibrations.length === 0 ? NONE : own.calibrations,
    maintenance: own.maintenance.length === 0 ? NONE : own.maintenance,
    article41: own.article41,
    version,
    since,
  };
}

/** One empty list for all. */
const NONE = Object.freeze([]) as unknown as never[];

function damaged(id: string, cause: unknown): QianliyanError {
  return new QianliyanError('INTERNAL', `the registry's record of device ${id} is damaged`, { cause });
}

export async function insertVersions(
  tx: Transaction<DeviceTables>,
  versions: readonly NewVersion[],
  { who, via }: Author,
): Promise<void> {
  let seq = await highest(tx, 'device_versions', 'seq');
  const parts = new Map<string, string>();
  for (let i = 0; i < versions.length; i += ROWS_A_STATEMENT) {
    const rows = versions.slice(i, i + ROWS_A_STATEMENT).map(({ device, template }) => {
      seq += 1;
      const { document, shared, sharedDocument } = writeDocument(device);
      parts.set(shared, sharedDocument);
      const mark = { template: template?.name ?? null, template_version: template?.version ?? null };
      return {
        seq,
        id: device.id,
        version: device.version,
        since: device.since,
        document,
        shared,
        who,
        via,
        ...mark,
      };
    });
    await tx.insertInto('device_versions').values(rows).execute();
  }
  const shared = [...parts].map(([hash, document]) => ({ hash, document }));
  for (let i = 0; i < shared.length; i += ROWS_A_STATEMENT) {
    const some = shared.slice(i, i + ROWS_A_STATEMENT);
    await tx
      .insertInto('device_shared')
      .values(some)
      .onConflict((c) => c.column('hash').doNothing())
      .execute();
  }
}

const DEFAULTS: Readonly<Record<string, unknown>> = defaultsOf();

function defaultsOf(): Record<string, unknown> {
  const {
    id: _id,
    site: _site,
    name: _name,
    location: _location,
    ...defaults
  } = Own.parse({
    id: 'x',
    site: 'x',
    name: { zh: '', en: '' },
    location: [0, 0],
  });
  return defaults;
}

function writeDocument(version: RegisteredDevice) {
  const { version: _version, since: _since, kind, model, datastreams, hj212, ...own } = version;
  const said = Object.entries(own).filter(([field, value]) => !isDefault(field, value));
  const sharedDocument = JSON.stringify({ kind, model, datastreams, hj212 });
  const shared = createHash('sha256').update(sharedDocument).digest('hex');
  return { document: JSON.stringify(Object.fromEntries(said)), shared, sharedDocument };
}

function isDefault(field: string, value: unknown): boolean {
  return Object.hasOwn(DEFAULTS, field) && isDeepStrictEqual(value, DEFAULTS[field]);
}

/** Who made each version of a device, oldest first. */
export function authorsOf(db: Kysely<DeviceTables>, id: string) {
  return db
    .selectFrom('device_versions')
    .select(['version', 'who', 'via', 'template', 'template_version'])
    .where('id', '=', id)
    .orderBy('version')
    .execute();
}

/** The greatest value of a column that counts writes; 0 for an empty table. */
export async function highest(
  tx: Transaction<DeviceTables>,
  table:
    | 'device_versions'
    | 'device_credentials'
    | 'device_certificates'
    | 'device_secrets'
    | 'device_templates',
  column: 'seq' | 'changed',
): Promise<number> {
  const row = await tx
    .selectFrom(table)
    .select((e) => e.fn.max<number | null>(column as never).as('highest'))
    .executeTakeFirst();
  return Number(row?.highest ?? 0);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

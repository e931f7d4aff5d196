import type { Kysely, Transaction } from 'kysely';
import type { Clock, DeviceDirectory, Log, Records } from '../../backbone/index.ts';
import { Device, type Problem, QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import { credentials, type SignIn } from './credentials.ts';
import { checkRow } from './device-row.ts';
import { history } from './history.ts';
import { CHOSEN_COST, GENERATED_COST, generatePassword, hashPassword } from './passwords.ts';
import type { DeviceTables } from './tables.ts';
import { loadTemplates, type Templates } from './templates.ts';

/** What became of a list of devices. */
export interface ImportReport {
  added: string[];
  changed: string[];
  /** Equal to what the registry had: no new version. */
  unchanged: string[];
  /** Only with `partial`; without it a bad row refuses the whole list. `row` counts from 0. */
  refused: { row: number; id: string; problems: Problem[] }[];
}

/**
 * The device registry: who may speak, what they measure, where they stand. All reads come from memory; a write is
 * durable when it resolves, and never changes an old version. Another process that writes the same records is noticed
 * within `refreshMs`. Devices are never removed: findings and evidence refer to them.
 */
export interface Registry extends DeviceDirectory {
  /** Throws REQUEST_INVALID with every problem. Rows may name a `template` and set a `password`. */
  upsert(device: unknown): Promise<RegisteredDevice>;
  /** All or nothing, unless `partial`: then the good rows are taken and the report names the others. */
  import(rows: readonly unknown[], options?: { partial?: boolean }): Promise<ImportReport>;
  /** Oldest first. */
  versions(id: string): readonly RegisteredDevice[];
  /** Sets a password, or makes one up (144 random bits). It is returned once and kept as a hash only. */
  setPassword(id: string, password?: string): Promise<string>;
  hasPassword(id: string): boolean;
  signIn(id: string, password: Buffer): Promise<SignIn>;
  /** Called when a password was set or taken: sessions that rest on the old one have to end. */
  onCredentialChange(listener: (id: string) => void): () => void;
  /** Looks now for what other processes wrote. */
  refresh(): Promise<void>;
  readonly templates: Templates;
  readonly size: number;
  close(): Promise<void>;
}

export interface RegistryDeps {
  records: Records;
  clock: Clock;
  log: Log;
  /** How often to look for other processes' changes; 0 = never. Default 2,000. */
  refreshMs?: number;
}

type Db = Kysely<DeviceTables>;

/** Reads the whole registry into memory. The records must have been opened with `deviceMigrations`. */
export async function openRegistry(deps: RegistryDeps): Promise<Registry> {
  const db = deps.records.db.withTables<DeviceTables>();
  const templates = loadTemplates();
  const known = history();
  const secrets = credentials();
  const deviceListeners = listeners(deps.log);
  const credentialListeners = listeners(deps.log);
  const oneAtATime = queue();
  let lastSeq = 0;
  let lastChanged = 0;

  async function load(): Promise<void> {
    for (const row of await newVersions(db, lastSeq)) {
      lastSeq = Math.max(lastSeq, Number(row.seq));
      const device = { ...readDocument(row), version: row.version, since: Number(row.since) };
      if (known.add(device)) deviceListeners.tell(device.id);
    }
    const changed = await db
      .selectFrom('device_credentials')
      .selectAll()
      .where('changed', '>', lastChanged)
      .execute();
    for (const row of changed) {
      lastChanged = Math.max(lastChanged, Number(row.changed));
      secrets.set(row.device, row.hash);
      credentialListeners.tell(row.device);
    }
  }

  async function importRows(rows: readonly unknown[], partial: boolean): Promise<ImportReport> {
    const { good, refused } = checkRows(rows, templates);
    if (refused.length > 0 && !partial) {
      const problems = refused.flatMap((r) => r.problems);
      const what = `${refused.length} of ${rows.length} devices are not valid; nothing was changed`;
      throw new QianliyanError('REQUEST_INVALID', what, { problems });
    }
    const report: ImportReport = { added: [], changed: [], unchanged: [], refused };
    const changes: RegisteredDevice[] = [];
    for (const { device } of good) {
      const now = known.get(device.id);
      if (now !== undefined && sameDevice(now, device)) {
        report.unchanged.push(device.id);
        continue;
      }
      (now === undefined ? report.added : report.changed).push(device.id);
      const since = Math.max(deps.clock.now(), now?.since ?? 0);
      changes.push({ ...device, version: (now?.version ?? 0) + 1, since });
    }
    const secretsToSet = await hashAll(good);
    await db.transaction().execute(async (tx) => {
      await insertVersions(tx, changes);
      await setHashes(tx, secretsToSet);
    });
    await load();
    return report;
  }

  async function setPassword(id: string, given?: string): Promise<string> {
    if (known.get(id) === undefined) throw new QianliyanError('NOT_FOUND', `no device ${id} in the registry`);
    if (given !== undefined && given.length < 8) {
      const problems = [{ path: 'password', found: '(hidden)', allowed: 'at least 8 characters' }];
      throw new QianliyanError('REQUEST_INVALID', 'the password is too short', { problems });
    }
    const password = given ?? generatePassword();
    const hash = await hashPassword(password, given === undefined ? GENERATED_COST : CHOSEN_COST);
    await db.transaction().execute((tx) => setHashes(tx, new Map([[id, hash]])));
    await load();
    return password;
  }

  await load();
  const refresh = () => oneAtATime(load);
  const stopRefreshing = refreshRegularly(refresh, deps);

  return {
    get: known.get,
    find: known.find,
    at: known.at,
    all: known.all,
    versions: known.versions,
    onChange: deviceListeners.add,
    onCredentialChange: credentialListeners.add,
    async upsert(device) {
      await oneAtATime(() => importRows([device], false));
      return known.get(String(Reflect.get(Object(device), 'id'))) as RegisteredDevice;
    },
    import: (rows, options = {}) => oneAtATime(() => importRows(rows, options.partial ?? false)),
    setPassword: (id, password) => oneAtATime(() => setPassword(id, password)),
    hasPassword: secrets.has,
    async signIn(id, password) {
      return known.get(id) === undefined ? 'device-unknown' : secrets.check(id, password);
    },
    refresh,
    templates,
    get size() {
      return known.size;
    },
    async close() {
      stopRefreshing();
      await oneAtATime(async () => undefined);
    },
  };
}

interface GoodRow {
  device: Device;
  password: string | null;
}

function checkRows(rows: readonly unknown[], templates: Templates) {
  const good: GoodRow[] = [];
  const refused: ImportReport['refused'] = [];
  const ids = new Set<string>();
  for (const [row, input] of rows.entries()) {
    const checked = checkRow(input, templates, `[${row}]`);
    if (!checked.ok) {
      refused.push({ row, id: checked.id, problems: checked.problems });
    } else if (ids.has(checked.device.id)) {
      const problem = {
        path: `[${row}].id`,
        found: checked.device.id,
        allowed: 'each device once in a list',
      };
      refused.push({ row, id: checked.device.id, problems: [problem] });
    } else {
      ids.add(checked.device.id);
      good.push(checked);
    }
  }
  return { good, refused };
}

function sameDevice(now: RegisteredDevice, device: Device): boolean {
  const { version: _version, since: _since, ...before } = now;
  return JSON.stringify(before) === JSON.stringify(device);
}

/** Hash by device id, of the rows that bring a password. */
async function hashAll(rows: readonly GoodRow[]): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const { device, password } of rows) {
    if (password !== null) hashes.set(device.id, await hashPassword(password, CHOSEN_COST));
  }
  return hashes;
}

/** In steps, so that a list of 100,000 stays below the number of parameters that a statement may have. */
async function insertVersions(tx: Transaction<DeviceTables>, versions: RegisteredDevice[]): Promise<void> {
  let seq = await highest(tx, 'device_versions', 'seq');
  for (let i = 0; i < versions.length; i += 500) {
    const rows = versions.slice(i, i + 500).map(({ version, since, ...device }) => {
      seq += 1;
      return { seq, id: device.id, version, since, document: JSON.stringify(device) };
    });
    await tx.insertInto('device_versions').values(rows).execute();
  }
}

async function setHashes(tx: Transaction<DeviceTables>, hashes: ReadonlyMap<string, string>): Promise<void> {
  let changed = await highest(tx, 'device_credentials', 'changed');
  for (const [device, hash] of hashes) {
    changed += 1;
    await tx
      .insertInto('device_credentials')
      .values({ device, hash, changed })
      .onConflict((c) => c.column('device').doUpdateSet({ hash, changed }))
      .execute();
  }
}

async function highest(
  tx: Transaction<DeviceTables>,
  table: 'device_versions' | 'device_credentials',
  column: 'seq' | 'changed',
): Promise<number> {
  const row = await tx
    .selectFrom(table)
    .select((e) => e.fn.max<number | null>(column as never).as('highest'))
    .executeTakeFirst();
  return Number(row?.highest ?? 0);
}

function newVersions(db: Db, after: number) {
  return db.selectFrom('device_versions').selectAll().where('seq', '>', after).orderBy('seq').execute();
}

/** What lies in the records is a border too: a hand that edited it must not reach the detectors. */
function readDocument(row: { id: string; document: string }): Device {
  const parsed = Device.safeParse(JSON.parse(row.document));
  if (parsed.success) return parsed.data;
  throw new QianliyanError('INTERNAL', `the registry's record of device ${row.id} is damaged`, {
    cause: parsed.error,
  });
}

function listeners(log: Log) {
  const all = new Set<(id: string) => void>();
  return {
    add(listener: (id: string) => void): () => void {
      all.add(listener);
      return () => all.delete(listener);
    },
    tell(id: string): void {
      for (const listener of all) {
        try {
          listener(id);
        } catch (error) {
          log.error({ err: error, device: id }, 'a listener of the registry failed');
        }
      }
    },
  };
}

/** Writes one after the other: versions are counted in memory. */
function queue() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

function refreshRegularly(
  refresh: () => Promise<void>,
  { refreshMs = 2_000, log }: RegistryDeps,
): () => void {
  if (refreshMs === 0) return () => undefined;
  let failing = false;
  const timer = setInterval(() => {
    refresh().then(
      () => {
        failing = false;
      },
      (error: unknown) => {
        if (!failing) log.error({ err: error }, 'the registry cannot look for changes');
        failing = true;
      },
    );
  }, refreshMs);
  timer.unref();
  return () => clearInterval(timer);
}

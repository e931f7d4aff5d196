import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Kysely, Transaction } from 'kysely';
import type { Clock, DeviceDirectory, Log, Records } from '../../backbone/index.ts';
import { type Device, QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import type { CertificateRefusal, KnownCertificate, PeerCertificate } from './certificates.ts';
import { normalFingerprint, readCertificate } from './certificates.ts';
import { type Change, changesBetween } from './changes.ts';
import { checkList, type RefusedRow } from './check-list.ts';
import { credentialShelf, writeCertificate, writeHashes, writeSecret } from './credential-rows.ts';
import type { SignIn } from './credentials.ts';
import { NO_PLACES, type RowPlaces } from './device-list.ts';
import type { GoodRow } from './device-row.ts';
import { history } from './history.ts';
import { CHOSEN_COST, GENERATED_COST, generatePassword, hashPassword } from './passwords.ts';
import { secretBox } from './secrets.ts';
import { listeners, oneAtATime, refreshRegularly, untilNoneInterferes } from './sharing.ts';
import type { DeviceTables } from './tables.ts';
import { type TemplateInfo, templateShelf } from './template-shelf.ts';
import { checkTemplate, followTemplate, type Templates } from './templates.ts';
import {
  type Author,
  authorsOf,
  insertVersions,
  type NewVersion,
  type TemplateMark,
  versionReader,
} from './versions.ts';

export type {
  Author,
  CertificateRefusal,
  Change,
  KnownCertificate,
  PeerCertificate,
  RefusedRow,
  TemplateInfo,
  TemplateMark,
};

/** What became of a list of devices. */
export interface ImportReport {
  added: string[];
  changed: string[];
  /** Equal to what the registry had: no new version. */
  unchanged: string[];
  /** Only with `partial`; without it a bad row refuses the whole list. */
  refused: RefusedRow[];
}

export interface ImportOptions {
  partial?: boolean;
  /** Who does it. Default: `system`, from this machine. */
  author?: Author;
  /** Where rows stand in their file, for the problems' paths; default `[0]`, `[1]` … */
  places?: RowPlaces;
}

export interface UpsertOptions {
  author?: Author;
  /** The version that the change is meant for; another one is a CONFLICT. 0: there must be no such device. */
  ifVersion?: number;
}

/** A version with who made it, when, and what differs from the one before. */
export interface VersionInfo {
  version: number;
  /** Epoch ms. */
  since: number;
  /** Null in records older than this column. */
  who: string | null;
  via: string | null;
  template: TemplateMark | null;
  /** Empty for the first version. */
  changes: Change[];
  device: RegisteredDevice;
}

/** One step for the audit trail. */
export interface RegistryStep {
  who: string;
  via: string | null;
  /** `device.added`, `device.changed`, `device.password-set` … */
  action: string;
  subject: string;
  before?: unknown;
  after?: unknown;
}

/**
 * The device registry: who may speak, what they measure, where they stand. All reads come from memory; a write is
 * durable when it resolves, and never changes an old version. Another process that writes the same records is noticed
 * within `refreshMs`. Devices are never removed: findings and evidence refer to them.
 */
export interface Registry extends DeviceDirectory {
  /** Throws REQUEST_INVALID with every problem; CONFLICT. Rows may name a `template` and set a `password`. */
  upsert(device: unknown, options?: UpsertOptions): Promise<RegisteredDevice>;
  /** All or nothing, unless `partial`: then the good rows are taken and the report names the others. */
  import(rows: readonly unknown[], options?: ImportOptions): Promise<ImportReport>;
  /** Oldest first. */
  versions(id: string): readonly RegisteredDevice[];
  /** The same with authors and differences. */
  versionInfos(id: string): Promise<VersionInfo[]>;
  /** In the order of their ids, beginning behind `after`. */
  sorted(after: string): Iterable<RegisteredDevice>;
  /** The template that a device follows. */
  templateOf(id: string): TemplateMark | null;

  /** Sets a password, or makes one up (144 random bits). It is returned once and kept as a hash only. */
  setPassword(id: string, password?: string, author?: Author): Promise<string>;
  /** The device may no longer sign in by password. */
  removePassword(id: string, author?: Author): Promise<void>;
  hasPassword(id: string): boolean;
  signIn(id: string, password: Buffer): Promise<SignIn>;
  certificates(id: string): KnownCertificate[];
  /** Puts a certificate on record, by PEM or by fingerprint. CONFLICT when another device has it, or it is revoked. */
  addCertificate(
    id: string,
    given: { certificate?: string | undefined; fingerprint?: string | undefined },
    author?: Author,
  ): Promise<KnownCertificate>;
  /** For ever, registered before or not. */
  revokeCertificate(id: string, fingerprint: string, author?: Author): Promise<void>;
  /** Of a certificate that TLS has found good. */
  certificateSignIn(peer: PeerCertificate): { device: string } | CertificateRefusal;
  /** Null takes it away. It is never shown again: only codecs and gateways ask for it. */
  setSecret(id: string, name: string, value: Buffer | null, author?: Author): Promise<void>;
  secretOf(id: string, name: string): Buffer | null;
  secretNames(id: string): string[];
  /** Called when a credential was set or taken: sessions that rest on the old one have to end. */
  onCredentialChange(listener: (id: string) => void): () => void;

  /** By name: what a row may name as its `template`. */
  readonly templates: Templates;
  templateInfos(): TemplateInfo[];
  /** @returns the template as it is now; `changed` is false when it was so before */
  putTemplate(name: string, template: unknown, author?: Author): Promise<TemplateInfo & { changed: boolean }>;
  /** New versions for the devices that follow a template and were made from an older version of it. */
  applyTemplate(name: string, author?: Author): Promise<ImportReport>;

  /** Looks now for what other processes wrote. */
  refresh(): Promise<void>;
  readonly size: number;
  close(): Promise<void>;
}

export interface RegistryDeps {
  records: Records;
  clock: Clock;
  log: Log;
  /** How often to look for other processes' changes; 0 = never. Default 2,000. */
  refreshMs?: number;
  /** Key of the device secrets, made at the first of them. Without it there can be none. */
  secretKeyFile?: string;
  /** Writes steps into the audit trail, in the transaction of the change itself. */
  audit?: (tx: Transaction<DeviceTables>, at: number, steps: readonly RegistryStep[]) => Promise<void>;
}

type Db = Kysely<DeviceTables>;
type Tx = Transaction<DeviceTables>;

const SYSTEM: Author = { who: 'system', via: null };
const SECRET_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const MOST_SECRET_BYTES = 4_096;

/** Reads the whole registry into memory. The records must have been opened with `deviceMigrations`. */
export async function openRegistry(deps: RegistryDeps): Promise<Registry> {
  const { clock, log } = deps;
  const db: Db = deps.records.db.withTables<DeviceTables>();
  const box = deps.secretKeyFile === undefined ? null : secretBox(deps.secretKeyFile);
  const known = history();
  const templates = templateShelf(db);
  const shelf = credentialShelf(db, box, log);
  const newVersions = versionReader(db);
  /** The template that a device follows, by device id. */
  const marks = new Map<string, TemplateMark>();
  const deviceListeners = listeners(log);
  const credentialListeners = listeners(log);
  const inTurn = oneAtATime();
  let lastSeq = 0;

  async function load(): Promise<void> {
    await templates.load();
    for await (const { seq, device, template } of newVersions(lastSeq)) {
      lastSeq = seq;
      if (template === null) marks.delete(device.id);
      else marks.set(device.id, internMark(template));
      if (known.add(device)) deviceListeners.tell(device.id);
    }
    for (const device of await shelf.load()) credentialListeners.tell(device);
  }

  /** A hundred thousand devices of one template share its mark. */
  const markPool = new Map<string, TemplateMark>();
  function internMark(mark: TemplateMark): TemplateMark {
    const key = `${mark.name}@${mark.version}`;
    const pooled = markPool.get(key) ?? mark;
    markPool.set(key, pooled);
    return pooled;
  }

  /** Every write: on the newest state, in one transaction with its audit, seen here before it resolves. */
  function write<T>(work: () => Promise<T>): Promise<T> {
    return inTurn(async () => {
      const result = await untilNoneInterferes(load, work);
      await load();
      return result;
    });
  }

  async function commit(steps: readonly RegistryStep[], change: (tx: Tx) => Promise<void>): Promise<void> {
    await db.transaction().execute(async (tx) => {
      await change(tx);
      await deps.audit?.(tx, clock.now(), steps);
    });
  }

  async function take(
    good: readonly GoodRow[],
    refused: RefusedRow[],
    author: Author,
  ): Promise<ImportReport> {
    const report: ImportReport = { added: [], changed: [], unchanged: [], refused };
    const hashes = await hashAll(good);
    const steps: RegistryStep[] = [];
    const changes: { device: RegisteredDevice; template: string | null }[] = [];
    for (const { device, template } of good) {
      const now = known.get(device.id);
      if (now !== undefined && sameDevice(now, device)) {
        report.unchanged.push(device.id);
        continue;
      }
      (now === undefined ? report.added : report.changed).push(device.id);
      const since = Math.max(clock.now(), now?.since ?? 0);
      const next = { ...device, version: (now?.version ?? 0) + 1, since };
      changes.push({ device: next, template });
      steps.push(stepOf(now, next, author));
    }
    for (const id of hashes.keys()) steps.push({ ...author, action: 'device.password-set', subject: id });
    if (changes.length === 0 && hashes.size === 0) return report;
    await commit(steps, async (tx) => {
      await insertVersions(tx, await marked(tx, changes), author);
      await writeHashes(tx, hashes);
    });
    return report;
  }

  /** A row that names no template leaves the device with the one that it follows. */
  async function marked(
    tx: Tx,
    changes: readonly { device: RegisteredDevice; template: string | null }[],
  ): Promise<NewVersion[]> {
    const current = new Map<string, TemplateMark>();
    for (const name of new Set(changes.flatMap((c) => c.template ?? []))) {
      current.set(name, await templates.mark(tx, name, clock.now()));
    }
    return changes.map(({ device, template }) => ({
      device,
      template: (template === null ? marks.get(device.id) : current.get(template)) ?? null,
    }));
  }

  async function importRows(rows: readonly unknown[], options: ImportOptions): Promise<ImportReport> {
    const { partial = false, author = SYSTEM, places = NO_PLACES } = options;
    const { good, refused } = checkList(rows, templates.usable, known, places);
    if (refused.length > 0 && !partial) {
      const problems = refused.flatMap((r) => r.problems);
      const what = `${refused.length} of ${rows.length} devices are not valid; nothing was changed`;
      throw new QianliyanError('REQUEST_INVALID', what, { problems });
    }
    return take(good, refused, author);
  }

  async function upsert(
    input: unknown,
    { author = SYSTEM, ifVersion }: UpsertOptions,
  ): Promise<RegisteredDevice> {
    const id = String(Reflect.get(Object(input), 'id'));
    const version = known.get(id)?.version ?? 0;
    if (ifVersion !== undefined && ifVersion !== version) {
      throw new QianliyanError('CONFLICT', `device ${id} is at version ${version}, not ${ifVersion}`, {
        problems: [{ path: 'version', found: ifVersion, allowed: String(version) }],
      });
    }
    await importRows([input], { author });
    await load();
    return there(id);
  }

  function there(id: string): RegisteredDevice {
    const device = known.get(id);
    if (device === undefined) throw new QianliyanError('NOT_FOUND', `no device ${id} in the registry`);
    return device;
  }

  async function setPassword(id: string, given: string | undefined, author: Author): Promise<string> {
    there(id);
    if (given !== undefined && given.length < 8) {
      const problems = [{ path: 'password', found: '(hidden)', allowed: 'at least 8 characters' }];
      throw new QianliyanError('REQUEST_INVALID', 'the password is too short', { problems });
    }
    const password = given ?? generatePassword();
    const hash = await hashPassword(password, given === undefined ? GENERATED_COST : CHOSEN_COST);
    const step = { ...author, action: 'device.password-set', subject: id };
    await commit([step], (tx) => writeHashes(tx, new Map([[id, hash]])));
    return password;
  }

  async function addCertificate(
    id: string,
    given: { certificate?: string | undefined; fingerprint?: string | undefined },
    author: Author,
  ): Promise<KnownCertificate> {
    there(id);
    const read = readCertificate(given, clock.now());
    const before = shelf.certificates.get(read.fingerprint);
    if (before !== undefined && (before.revoked || before.device !== id)) {
      const what = before.revoked
        ? 'it was revoked: make a new one'
        : `it is registered for ${before.device}`;
      throw new QianliyanError('CONFLICT', `certificate ${read.fingerprint}: ${what}`);
    }
    const certificate = { ...read, device: id, revoked: false };
    const after = { fingerprint: read.fingerprint, subject: read.subject };
    const step = { ...author, action: 'device.certificate-added', subject: id, after };
    await commit([step], (tx) => writeCertificate(tx, certificate));
    return certificate;
  }

  async function revokeCertificate(id: string, given: string, author: Author): Promise<void> {
    there(id);
    const fingerprint = normalFingerprint(given);
    const before = shelf.certificates.get(fingerprint);
    if (before !== undefined && before.device !== id) {
      throw new QianliyanError('CONFLICT', `certificate ${fingerprint} is registered for ${before.device}`);
    }
    const certificate = { subject: '', notAfter: null, ...before, fingerprint, device: id, revoked: true };
    const step = { ...author, action: 'device.certificate-revoked', subject: id, after: { fingerprint } };
    await commit([step], (tx) => writeCertificate(tx, certificate));
  }

  async function setSecret(id: string, name: string, value: Buffer | null, author: Author): Promise<void> {
    there(id);
    const fits = value === null || (value.length > 0 && value.length <= MOST_SECRET_BYTES);
    if (!SECRET_NAME.test(name) || !fits) {
      const allowed = `a name of a–z, 0–9 and -, and 1 to ${MOST_SECRET_BYTES} bytes`;
      throw new QianliyanError('REQUEST_INVALID', 'the secret cannot be kept', {
        problems: [{ path: 'secret', found: name, allowed }],
      });
    }
    if (box === null)
      throw new QianliyanError('STORE_UNAVAILABLE', 'this registry has no key file for secrets');
    const action = value === null ? 'device.secret-removed' : 'device.secret-set';
    const sealed = value === null ? null : box.seal(id, name, value);
    await commit([{ ...author, action, subject: id, after: { name } }], (tx) =>
      writeSecret(tx, id, name, sealed),
    );
  }

  async function putTemplate(name: string, input: unknown, author: Author) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
      const problems = [
        { path: 'name', found: name, allowed: 'letters, digits and . _ - only, 1 to 64 characters' },
      ];
      throw new QianliyanError('REQUEST_INVALID', 'the name of the template is not valid', { problems });
    }
    const template = checkTemplate(input);
    let version: number | null = null;
    await db.transaction().execute(async (tx) => {
      version = await templates.put(tx, name, template, clock.now(), author);
      if (version === null) return;
      await deps.audit?.(tx, clock.now(), [
        { ...author, action: 'template.changed', subject: name, after: { version } },
      ]);
    });
    await load();
    return { ...templateInfo(name), changed: version !== null };
  }

  function templateInfo(name: string): TemplateInfo {
    const info = templates.info(name);
    if (info === undefined) throw new QianliyanError('NOT_FOUND', `no template ${name}`);
    return info;
  }

  async function applyTemplate(name: string, author: Author): Promise<ImportReport> {
    const { template } = templateInfo(name);
    const rows: unknown[] = [];
    for (const [id, mark] of marks) {
      const before = mark.name === name ? templates.at(mark) : undefined;
      const now = known.get(id);
      if (before === undefined || now === undefined || isDeepStrictEqual(before, template)) continue;
      const { version: _version, since: _since, ...device } = now;
      rows.push({ ...followTemplate(device, before, template), template: name });
    }
    return importRows(rows, { author });
  }

  await load();
  const refresh = () => inTurn(load);
  const stopRefreshing = refreshRegularly(refresh, deps.refreshMs ?? 2_000, log);

  return {
    get: known.get,
    find: known.find,
    at: known.at,
    all: known.all,
    sorted: known.sorted,
    versions: known.versions,
    versionInfos: (id) => versionInfos(db, known.versions(id), id),
    templateOf: (id) => marks.get(id) ?? null,
    onChange: deviceListeners.add,
    onCredentialChange: credentialListeners.add,
    upsert: (device, options = {}) => write(() => upsert(device, options)),
    import: (rows, options = {}) => write(() => importRows(rows, options)),
    setPassword: (id, password, author = SYSTEM) => write(() => setPassword(id, password, author)),
    removePassword: (id, author = SYSTEM) =>
      write(async () => {
        there(id);
        const step = { ...author, action: 'device.password-removed', subject: id };
        await commit([step], (tx) => writeHashes(tx, new Map([[id, null]])));
      }),
    hasPassword: shelf.passwords.has,
    async signIn(id, password) {
      return known.get(id) === undefined ? 'device-unknown' : shelf.passwords.check(id, password);
    },
    certificates: shelf.certificates.list,
    addCertificate: (id, given, author = SYSTEM) => write(() => addCertificate(id, given, author)),
    revokeCertificate: (id, given, author = SYSTEM) => write(() => revokeCertificate(id, given, author)),
    certificateSignIn: (peer) => shelf.certificates.signIn(peer, (id) => known.get(id) !== undefined),
    setSecret: (id, name, value, author = SYSTEM) => write(() => setSecret(id, name, value, author)),
    secretOf: shelf.secretOf,
    secretNames: shelf.secretNames,
    templates: templates.usable,
    templateInfos: templates.all,
    putTemplate: (name, template, author = SYSTEM) => write(() => putTemplate(name, template, author)),
    applyTemplate: (name, author = SYSTEM) => write(() => applyTemplate(name, author)),
    refresh,
    get size() {
      return known.size;
    },
    async close() {
      stopRefreshing();
      await inTurn(async () => undefined);
    },
  };
}

function sameDevice(now: RegisteredDevice, device: Device): boolean {
  const { version: _version, since: _since, ...before } = now;
  return isDeepStrictEqual(before, device);
}

/** The hash binds the version's row into the chain of the audit trail, without repeating it there. */
function stepOf(before: RegisteredDevice | undefined, after: RegisteredDevice, author: Author): RegistryStep {
  const sha256 = createHash('sha256').update(JSON.stringify(after)).digest('hex');
  return {
    ...author,
    action: before === undefined ? 'device.added' : 'device.changed',
    subject: after.id,
    ...(before !== undefined && { before: { version: before.version } }),
    after: { version: after.version, sha256 },
  };
}

async function versionInfos(
  db: Db,
  versions: readonly RegisteredDevice[],
  id: string,
): Promise<VersionInfo[]> {
  const authors = new Map((await authorsOf(db, id)).map((row) => [row.version, row]));
  return versions.map((device, i) => {
    const row = authors.get(device.version);
    const before = versions[i - 1];
    return {
      version: device.version,
      since: device.since,
      who: row?.who ?? null,
      via: row?.via ?? null,
      template:
        row?.template == null ? null : { name: row.template, version: Number(row.template_version ?? 0) },
      changes: before === undefined ? [] : changesBetween(withoutCount(before), withoutCount(device)),
      device,
    };
  });
}

function withoutCount({ version: _version, since: _since, ...device }: RegisteredDevice): Device {
  return device;
}

/** Hash by device id, of the rows that bring a password. */
async function hashAll(rows: readonly GoodRow[]): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const { device, password } of rows) {
    if (password !== null) hashes.set(device.id, await hashPassword(password, CHOSEN_COST));
  }
  return hashes;
}

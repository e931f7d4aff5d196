import { isDeepStrictEqual } from 'node:util';
import type { Kysely, Transaction } from 'kysely';
import { type Device, QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import { checkList, type RefusedRow } from './check-list.ts';
import { credentialShelf, writeHashes } from './credential-rows.ts';
import { credentialWrites } from './credential-writes.ts';
import { NO_PLACES } from './device-list.ts';
import type { GoodRow } from './device-row.ts';
import { history } from './history.ts';
import { CHOSEN_COST, hashPassword } from './passwords.ts';
import type {
  ImportOptions,
  ImportReport,
  Registry,
  RegistryDeps,
  RegistryStep,
  UpsertOptions,
} from './registry.ts';
import { secretBox } from './secrets.ts';
import { listeners, oneAtATime, refreshRegularly, takeWriteLock, untilNoneInterferes } from './sharing.ts';
import type { DeviceTables } from './tables.ts';
import { type TemplateInfo, templateShelf } from './template-shelf.ts';
import { checkTemplate, followTemplate } from './templates.ts';
import { stepOf, versionInfos } from './version-infos.ts';
import {
  type Author,
  insertVersions,
  type NewVersion,
  type TemplateMark,
  versionReader,
} from './versions.ts';

type Db = Kysely<DeviceTables>;
type Tx = Transaction<DeviceTables>;

const SYSTEM: Author = { who: 'system', via: null };

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
      await takeWriteLock(tx);
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
      await takeWriteLock(tx);
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

  const credential = credentialWrites({ clock, shelf, box, there, commit });
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
    setPassword: (id, password, author = SYSTEM) => write(() => credential.setPassword(id, password, author)),
    removePassword: (id, author = SYSTEM) => write(() => credential.removePassword(id, author)),
    hasPassword: shelf.passwords.has,
    async signIn(id, password) {
      return known.get(id) === undefined ? 'device-unknown' : shelf.passwords.check(id, password);
    },
    certificates: shelf.certificates.list,
    addCertificate: (id, given, author = SYSTEM) => write(() => credential.addCertificate(id, given, author)),
    revokeCertificate: (id, given, author = SYSTEM) =>
      write(() => credential.revokeCertificate(id, given, author)),
    certificateSignIn: (peer) => shelf.certificates.signIn(peer, (id) => known.get(id) !== undefined),
    setSecret: (id, name, value, author = SYSTEM) =>
      write(() => credential.setSecret(id, name, value, author)),
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

/** Hash by device id, of the rows that bring a password. */
async function hashAll(rows: readonly GoodRow[]): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const { device, password } of rows) {
    if (password !== null) hashes.set(device.id, await hashPassword(password, CHOSEN_COST));
  }
  return hashes;
}

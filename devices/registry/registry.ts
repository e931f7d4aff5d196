import type { Transaction } from 'kysely';
import type { Clock, DeviceDirectory, Log, Records } from '../../backbone/index.ts';
import type { RegisteredDevice } from '../../contracts/index.ts';
import type { CertificateRefusal, KnownCertificate, PeerCertificate } from './certificates.ts';
import type { Change } from './changes.ts';
import type { RefusedRow } from './check-list.ts';
import type { SignIn } from './credentials.ts';
import type { RowPlaces } from './device-list.ts';
import type { DeviceTables } from './tables.ts';
import type { TemplateInfo } from './template-shelf.ts';
import type { Templates } from './templates.ts';
import type { Author, TemplateMark } from './versions.ts';

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

export { openRegistry } from './open.ts';

import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse as parseYaml } from 'yaml';
import {
  type DeviceInput,
  EpochMs,
  MQTT_TOPICS,
  QianliyanError,
  type RegisteredDevice,
} from '../contracts/index.ts';
import { listFormat, readDeviceList } from './registry/device-list.ts';
import { exportDevices } from './registry/export.ts';
import type { Author, Change, ImportReport, Registry, TemplateInfo } from './registry/registry.ts';
import { textOf } from './registry/text-encoding.ts';
import type { Stranger } from './registry/unknown.ts';

/**
 * What `qianliyan devices …` does, without the terminal: each command takes the registry of a data folder and gives
 * back what it did, and as `text` what to say. They work on a running product's folder too: it notices within seconds.
 */
export interface AddDevice {
  id: string;
  /** Name of a template; `devices templates` lists them. */
  template: string;
  site: string;
  /** WGS 84, `lon,lat`. */
  location: string;
  /** Other names of it, such as `hj212:<MN>`. */
  address?: string[];
  /** Device whose connection delivers for it. */
  gateway?: string;
}

/** Where devices connect, for the command to try. */
export interface MqttAddress {
  host: string;
  port: number;
  tls: boolean;
}

export interface Added {
  device: RegisteredDevice;
  /** Made up now, kept as a hash only: it cannot be shown again. */
  password: string;
  text: string;
}

const DEFAULT_ADDRESS: MqttAddress = { host: '127.0.0.1', port: 1883, tls: false };

/** @throws QianliyanError USAGE for a location that is none; REQUEST_INVALID; CONFLICT when the id is taken */
export async function addDevice(
  registry: Registry,
  options: AddDevice,
  mqtt: MqttAddress = DEFAULT_ADDRESS,
  author?: Author,
): Promise<Added> {
  const { id, template, site, address, gateway } = options;
  if (registry.get(id) !== undefined) throw new QianliyanError('CONFLICT', `there is a device ${id} already`);
  const location = parseLocation(options.location);
  const more = {
    ...(address !== undefined && { addresses: address }),
    ...(gateway !== undefined && { gateway }),
  };
  const by = author === undefined ? {} : { author };
  const device = await registry.upsert({ id, template, site, location, ...more }, { ifVersion: 0, ...by });
  const password = await registry.setPassword(id, undefined, author);
  return { device, password, text: describeAdded(device, password, mqtt) };
}

export function parseLocation(text: string): DeviceInput['location'] {
  const [lon, lat, ...more] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (lon !== undefined && lat !== undefined && more.length === 0 && Number.isFinite(lon + lat))
    return [lon, lat];
  throw new QianliyanError('USAGE', `--location ${text}: longitude,latitude is allowed, e.g. 123.41,41.80`, {
    problems: [{ path: '--location', found: text, allowed: 'longitude,latitude in degrees (WGS 84)' }],
  });
}

/** RFC 3339 or epoch milliseconds. */
export function parseTime(text: string): number {
  const time = EpochMs.safeParse(/^\d+$/.test(text) ? Number(text) : Date.parse(text));
  if (time.success) return time.data;
  throw new QianliyanError('USAGE', `--at ${text}: a time is allowed, e.g. 2026-11-22T08:00:00+08:00`, {
    problems: [{ path: '--at', found: text, allowed: 'RFC 3339 or epoch milliseconds' }],
  });
}

function describeAdded(device: RegisteredDevice, password: string, mqtt: MqttAddress): string {
  const lines = [
    `device    ${device.id}  ${device.name.zh} / ${device.name.en}`,
    `password  ${password}`,
    '          只显示这一次，请妥善保存。 Shown this once: keep it.',
    '',
  ];
  if (device.kind === 'camera') {
    lines.push(publishCommand(device.id, password, MQTT_TOPICS.frames(device.id), '-f picture.jpg', mqtt));
  } else {
    const [first] = device.datastreams;
    const message = `{"time": "'$(date -u +%Y-%m-%dT%H:%M:%SZ)'", "readings": {"${first?.property}": ${middle(first?.range)}}}`;
    lines.push(
      publishCommand(device.id, password, MQTT_TOPICS.observations(device.id), `-m '${message}'`, mqtt),
    );
  }
  return lines.join('\n');
}

function publishCommand(
  id: string,
  password: string,
  topic: string,
  rest: string,
  mqtt: MqttAddress,
): string {
  const tls = mqtt.tls ? ' --cafile ca.pem' : '';
  const where = mqtt.port === 0 ? '' : ` -h ${mqtt.host} -p ${mqtt.port}`;
  return `mosquitto_pub${where}${tls} -q 1 -u ${id} -P ${password} -t ${topic} ${rest}`;
}

/** An example value that is sure to be in range and easy to read. */
function middle(range: readonly [number, number] | undefined): number {
  const [min, max] = range ?? [0, 1];
  return min <= 1 && max >= 1 ? 1 : (min + max) / 2;
}

/** One line a device. */
export function listDevices(registry: Registry): { devices: RegisteredDevice[]; text: string } {
  const devices = [...registry.sorted('')];
  const lines = devices.map((d) =>
    [
      d.id.padEnd(20),
      d.kind.padEnd(8),
      d.site.padEnd(16),
      d.location.join(',').padEnd(20),
      signsInBy(registry, d.id).padEnd(20),
      [d.name.en, ...d.addresses].join('  '),
    ].join(' '),
  );
  return { devices, text: lines.join('\n') };
}

function signsInBy(registry: Registry, id: string): string {
  const ways = [
    ...(registry.hasPassword(id) ? ['password'] : []),
    ...(registry.certificates(id).some((c) => !c.revoked) ? ['certificate'] : []),
  ];
  return ways.join('+') || '-';
}

/** The device as it is, or as it was. @throws QianliyanError NOT_FOUND */
export function showDevice(registry: Registry, id: string, at?: string): RegisteredDevice {
  const device = at === undefined ? registry.find(id) : registry.at(id, parseTime(at));
  if (device !== undefined) return device;
  throw new QianliyanError(
    'NOT_FOUND',
    at === undefined ? `no device ${id} in the registry` : `no device ${id} at ${at}`,
  );
}

/** What changed when, and by whom. */
export async function describeVersions(registry: Registry, id: string): Promise<string> {
  showDevice(registry, id);
  const versions = await registry.versionInfos(id);
  return versions
    .map(({ version, since, who, via, changes }) => {
      const head = `${version}  ${new Date(since).toISOString()}  ${who ?? '-'}${via === null ? '' : ` (${via})`}`;
      return [head, ...changes.map((change) => `     ${describeChange(change)}`)].join('\n');
    })
    .join('\n');
}

function describeChange({ path, before, after }: Change): string {
  return `${path}: ${brief(before)} → ${brief(after)}`;
}

function brief(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

/** YAML, JSON or CSV by the file's name. */
export async function importDevices(
  registry: Registry,
  file: string,
  options: { partial?: boolean; charset?: string; author?: Author } = {},
): Promise<ImportReport & { text: string }> {
  const { charset, ...rest } = options;
  const { rows, places } = readDeviceList(textOf(await bytesOf(file), charset), listFormat(file));
  const report = await registry.import(rows, { ...rest, places });
  return { ...report, text: describeImport(report) };
}

async function bytesOf(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    const problems = [{ path: 'FILE', found: file, allowed: 'a file that can be read' }];
    throw new QianliyanError('USAGE', `${file} cannot be read`, { cause, problems });
  });
}

export function describeImport({ added, changed, unchanged, refused }: ImportReport): string {
  const head = `${added.length} added, ${changed.length} changed, ${unchanged.length} unchanged, ${refused.length} refused`;
  const faults = refused.flatMap(({ problems }) =>
    problems.map((p) => `${p.path}: ${JSON.stringify(p.found)} found; ${p.allowed}`),
  );
  return [head, ...faults].join('\n');
}

/** Writes all devices to a file, in the format that its name tells. */
export async function exportTo(registry: Registry, file: string): Promise<string> {
  await pipeline(Readable.from(exportDevices(registry, listFormat(file))), createWriteStream(file));
  return `${registry.size} devices written to ${file}`;
}

/** A new password: the one that is given, or one that is made up. */
export async function setDevicePassword(
  registry: Registry,
  id: string,
  password?: string,
  author?: Author,
): Promise<{ device: string; password: string; text: string }> {
  const set = await registry.setPassword(id, password, author);
  return { device: id, password: set, text: password === undefined ? set : `password of ${id} set` };
}

export function describeTemplates(templates: readonly TemplateInfo[]): string {
  return templates
    .map(({ name, source, version, template }) => {
      const measures = template.datastreams.map((d) =>
        d.statistic === 'instant' ? d.property : `${d.property}@${d.statistic}`,
      );
      const more = measures.length > 8 ? [...measures.slice(0, 8), '…'] : measures;
      return [
        name.padEnd(20),
        source.padEnd(8),
        `v${version}`.padEnd(4),
        template.kind.padEnd(7),
        more.join(' '),
      ]
        .join(' ')
        .trimEnd();
    })
    .join('\n');
}

/** Writes a template of a YAML or JSON file. */
export async function putTemplateFile(
  registry: Registry,
  name: string,
  file: string,
  author?: Author,
): Promise<string> {
  const text = textOf(await bytesOf(file));
  const { version, changed } = await registry.putTemplate(name, parseText(text, file), author);
  return changed
    ? `template ${name} is now version ${version}`
    : `template ${name} is as it was (version ${version})`;
}

function parseText(text: string, file: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new QianliyanError('REQUEST_INVALID', `${file} is neither YAML nor JSON: ${cause}`, { cause });
  }
}

/** Puts the certificate of a PEM file, or a fingerprint, on record; or takes one back. */
export async function changeCertificate(
  registry: Registry,
  id: string,
  change: { add?: string; revoke?: string },
  author?: Author,
): Promise<string> {
  if (change.add !== undefined) {
    const isFingerprint = /^[0-9a-f:]{64,95}$/i.test(change.add);
    const given = isFingerprint
      ? { fingerprint: change.add }
      : { certificate: textOf(await bytesOf(change.add)) };
    await registry.addCertificate(id, given, author);
  }
  if (change.revoke !== undefined) await registry.revokeCertificate(id, change.revoke, author);
  showDevice(registry, id);
  const lines = registry.certificates(id).map((c) => {
    const until = c.notAfter === null ? '' : `until ${new Date(c.notAfter).toISOString()}`;
    return `${c.fingerprint}  ${c.revoked ? 'revoked ' : 'accepted'}  ${c.subject.replaceAll('\n', ', ')}  ${until}`.trimEnd();
  });
  return lines.join('\n') || 'none on record: a certificate whose CN is the id lets this device in';
}

/** One line for each who spoke and is not registered. */
export function describeStrangers(strangers: readonly Stranger[]): string {
  if (strangers.length === 0) return 'nobody spoke whom the registry does not know';
  return strangers
    .map(({ name, kind, count, lastSeen, topics }) =>
      [
        name.padEnd(32),
        kind.padEnd(8),
        `${count}`.padStart(8),
        new Date(lastSeen).toISOString(),
        topics[0] ?? '',
      ].join('  '),
    )
    .join('\n');
}

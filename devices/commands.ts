import { readFile } from 'node:fs/promises';
import { type DeviceInput, MQTT_TOPICS, QianliyanError, type RegisteredDevice } from '../contracts/index.ts';
import { listFormat, readDeviceList } from './registry/device-list.ts';
import type { ImportReport, Registry } from './registry/registry.ts';

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
}

export interface Added {
  device: RegisteredDevice;
  /** Made up now, kept as a hash only: it cannot be shown again. */
  password: string;
  text: string;
}

/** @throws QianliyanError USAGE for a location that is none; REQUEST_INVALID; CONFLICT when the id is taken */
export async function addDevice(registry: Registry, options: AddDevice): Promise<Added> {
  const { id, template, site } = options;
  if (registry.get(id) !== undefined) throw new QianliyanError('CONFLICT', `there is a device ${id} already`);
  const location = parseLocation(options.location);
  const device = await registry.upsert({ id, template, site, location });
  const password = await registry.setPassword(id);
  return { device, password, text: describeAdded(device, password) };
}

export function parseLocation(text: string): DeviceInput['location'] {
  const [lon, lat, ...more] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (lon !== undefined && lat !== undefined && more.length === 0 && Number.isFinite(lon + lat))
    return [lon, lat];
  throw new QianliyanError('USAGE', `--location ${text}: longitude,latitude is allowed, e.g. 123.41,41.80`, {
    problems: [{ path: '--location', found: text, allowed: 'longitude,latitude in degrees (WGS 84)' }],
  });
}

function describeAdded(device: RegisteredDevice, password: string): string {
  const lines = [
    `device    ${device.id}  ${device.name.zh} / ${device.name.en}`,
    `password  ${password}`,
    '          只显示这一次，请妥善保存。 Shown this once: keep it.',
    '',
  ];
  if (device.kind === 'camera') {
    lines.push(publishCommand(device.id, password, MQTT_TOPICS.frames(device.id), '-f picture.jpg'));
  } else {
    const [first] = device.datastreams;
    const message = `{"time": "'$(date -u +%Y-%m-%dT%H:%M:%SZ)'", "readings": {"${first?.property}": ${middle(first?.range)}}}`;
    lines.push(publishCommand(device.id, password, MQTT_TOPICS.observations(device.id), `-m '${message}'`));
  }
  return lines.join('\n');
}

function publishCommand(id: string, password: string, topic: string, rest: string): string {
  return `mosquitto_pub -q 1 -u ${id} -P ${password} -t ${topic} ${rest}`;
}

/** An example value that is sure to be in range and easy to read. */
function middle(range: readonly [number, number] | undefined): number {
  const [min, max] = range ?? [0, 1];
  return min <= 1 && max >= 1 ? 1 : (min + max) / 2;
}

/** One line a device. */
export function listDevices(registry: Registry): { devices: RegisteredDevice[]; text: string } {
  const devices = [...registry.all()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const lines = devices.map((d) =>
    [
      d.id.padEnd(20),
      d.kind.padEnd(8),
      d.site.padEnd(16),
      d.location.join(',').padEnd(20),
      registry.hasPassword(d.id) ? 'password' : '-       ',
      d.name.en,
    ].join(' '),
  );
  return { devices, text: lines.join('\n') };
}

/** YAML, JSON or CSV by the file's name. */
export async function importDevices(
  registry: Registry,
  file: string,
  options: { partial?: boolean } = {},
): Promise<ImportReport & { text: string }> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const problems = [{ path: 'FILE', found: file, allowed: 'a file that can be read' }];
    throw new QianliyanError('USAGE', `${file} cannot be read`, { cause, problems });
  });
  const report = await registry.import(readDeviceList(text, listFormat(file)), options);
  return { ...report, text: describeImport(report) };
}

function describeImport({ added, changed, unchanged, refused }: ImportReport): string {
  const head = `${added.length} added, ${changed.length} changed, ${unchanged.length} unchanged, ${refused.length} refused`;
  const faults = refused.flatMap(({ problems }) =>
    problems.map((p) => `${p.path}: ${JSON.stringify(p.found)} found; ${p.allowed}`),
  );
  return [head, ...faults].join('\n');
}

/** A new password: the one that is given, or one that is made up. */
export async function setDevicePassword(
  registry: Registry,
  id: string,
  password?: string,
): Promise<{ device: string; password: string; text: string }> {
  const set = await registry.setPassword(id, password);
  return { device: id, password: set, text: password === undefined ? set : `password of ${id} set` };
}

import { mkdirSync, readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { type Records, wallClock } from '../../backbone/index.ts';
import { QianliyanError } from '../../contracts/index.ts';
import {
  type AddDevice,
  type Author,
  addDevice,
  adopt,
  changeCertificate,
  describeImport,
  describeStrangers,
  describeTemplates,
  describeVersions,
  exportTo,
  importDevices,
  listDevices,
  type MqttAddress,
  openRegistry,
  openStrangers,
  parseLocation,
  putTemplateFile,
  type Registry,
  type Rerun,
  setDevicePassword,
  showDevice,
} from '../../devices/index.ts';
import { defaultConfig, readConfig } from '../config.ts';
import { askRunning } from '../control.ts';
import { dataOption } from '../data-folder.ts';
import { createLog } from '../logger.ts';
import { auditRegistry, secretKeyFile } from '../registry-deps.ts';
import { openRecords } from '../stores.ts';

type DataFlag = { data: string };

/** The account at this machine: what versions and the audit trail name. */
const author: Author = { who: `cli:${accountName()}`, via: null };

export function registerDevices(program: Command): void {
  const devices = program.command('devices');
  for (const part of [addAndList, lists, oneDevice, templates, unknown, credentials]) part(devices);
}

function addAndList(devices: Command): void {
  devices
    .command('add')
    .description('register one device from a template and print its password, once')
    .argument('<id>', 'letters, digits and . _ : -')
    .requiredOption('--template <name>', 'see: qianliyan devices templates')
    .requiredOption('--site <id>', 'where it stands')
    .requiredOption('--location <lon,lat>', 'WGS 84 degrees')
    .option('--address <name...>', 'other names of it, e.g. hj212:<MN>')
    .option('--gateway <id>', 'device whose connection delivers for it')
    .option('--config <file>', 'configuration of the product, for the address to print')
    .addOption(dataOption())
    .action(
      (id: string, { data, config, ...flags }: Omit<AddDevice, 'id'> & DataFlag & { config?: string }) =>
        withRegistry(
          data,
          async (registry) => (await addDevice(registry, { ...flags, id }, mqttAddress(config), author)).text,
        ),
    );
  devices
    .command('list')
    .description('all devices, one a line')
    .option('--json', 'print JSON')
    .addOption(dataOption())
    .action(({ data, json }: DataFlag & { json?: boolean }) =>
      withRegistry(data, async (registry) => {
        const { devices: all, text } = listDevices(registry);
        return json ? JSON.stringify(all, null, 2) : text;
      }),
    );
}

function lists(devices: Command): void {
  devices
    .command('import')
    .description('register the devices of a YAML, JSON or CSV file: all of them, or none when a row is bad')
    .argument('<file>')
    .option('--partial', 'take the good rows, name the others')
    .option('--charset <name>', 'of the file; default: UTF-8 if it is that, else GB 18030')
    .addOption(dataOption())
    .action((file: string, { data, ...options }: DataFlag & { partial?: boolean; charset?: string }) =>
      withRegistry(data, async (registry) => {
        const report = await importDevices(registry, file, { ...options, author });
        if (report.refused.length > 0) process.exitCode = 1;
        return report.text;
      }),
    );
  devices
    .command('export')
    .description('write all devices into a YAML, JSON or CSV file that can be imported again')
    .argument('<file>', 'its name tells the format')
    .addOption(dataOption())
    .action((file: string, { data }: DataFlag) => withRegistry(data, (registry) => exportTo(registry, file)));
}

function oneDevice(devices: Command): void {
  devices
    .command('show')
    .description('one device as YAML, as it is or as it was')
    .argument('<id>', 'or one of its addresses')
    .option('--at <time>', 'the version that held then, RFC 3339 or epoch ms')
    .addOption(dataOption())
    .action((id: string, { data, at }: DataFlag & { at?: string }) =>
      withRegistry(data, async (registry) => stringify(showDevice(registry, id, at)).trimEnd()),
    );
  devices
    .command('versions')
    .description('what changed when, and by whom')
    .argument('<id>')
    .addOption(dataOption())
    .action((id: string, { data }: DataFlag) =>
      withRegistry(data, (registry) => describeVersions(registry, id)),
    );
}

function templates(devices: Command): void {
  devices
    .command('templates')
    .description('the templates that devices can be made from; one of them; or write and apply your own')
    .argument('[name]', 'print this one as YAML')
    .option('--put <file>', 'write it from a YAML or JSON file, as a new version')
    .option('--apply', 'give the devices that follow it a new version; what was set at a device itself stays')
    .addOption(dataOption())
    .action((name: string | undefined, { data, put, apply }: DataFlag & { put?: string; apply?: boolean }) =>
      withRegistry(data, async (registry) => {
        if (name === undefined) {
          if (put !== undefined || apply === true) throw new QianliyanError('USAGE', 'name the template');
          return describeTemplates(registry.templateInfos());
        }
        const said: string[] = [];
        if (put !== undefined) said.push(await putTemplateFile(registry, name, put, author));
        if (apply === true) said.push(describeImport(await registry.applyTemplate(name, author)));
        return said.length > 0 ? said.join('\n') : templateText(registry, name);
      }),
    );
}

function unknown(devices: Command): void {
  devices
    .command('unknown')
    .description('who spoke and is not registered, the last seen first')
    .option('--json', 'print JSON')
    .addOption(dataOption())
    .action(({ data, json }: DataFlag & { json?: boolean }) =>
      withRegistry(data, async (registry, records) => {
        const strangers = await openStrangers({ records, registry, log: createLog('warn'), flushMs: 0 });
        const all = strangers.list();
        const plain = all.map((s) => ({ ...s, payload: s.payload.toString('utf8') }));
        return json ? JSON.stringify(plain, null, 2) : describeStrangers(all);
      }),
    );
  devices
    .command('adopt')
    .description('make a device of one that spoke and is not registered, and run what it said again')
    .argument('<name>', 'see: qianliyan devices unknown')
    .requiredOption('--template <name>', 'see: qianliyan devices templates')
    .requiredOption('--site <id>', 'where it stands')
    .requiredOption('--location <lon,lat>', 'WGS 84 degrees')
    .option('--id <id>', 'for a name that is an address; default: what stands behind the colon')
    .addOption(dataOption())
    .action((name: string, { data, location, ...fields }: DataFlag & { location: string }) =>
      withRegistry(data, async (registry, records) => {
        const strangers = await openStrangers({ records, registry, log: createLog('warn'), flushMs: 0 });
        const rerun = () => rerunInProduct(resolve(data), name);
        const input = { ...fields, location: parseLocation(location) };
        const adopted = await adopt({ registry, strangers, rerun }, name, input, author);
        const { taken, note } = adopted.rerun ?? { taken: 0 };
        return `device ${adopted.device.id} registered; ${note ?? `${taken} of its messages taken out of quarantine`}`;
      }),
    );
}

/** Ingest is at work in the running product only, which hears of the device within two seconds. */
async function rerunInProduct(folder: string, name: string): Promise<Rerun> {
  await new Promise((done) => setTimeout(done, 2_500));
  const report = await askRunning<Rerun>(folder, 'rerun', JSON.stringify({ name, limit: 10_000 }));
  return report ?? { taken: 0, note: `start the product, then: qianliyan quarantine rerun --device ${name}` };
}

function credentials(devices: Command): void {
  const password = async (id: string, { data, remove }: DataFlag & { remove?: boolean }) =>
    withRegistry(data, async (registry) => {
      if (remove !== true) return (await setDevicePassword(registry, id, undefined, author)).text;
      await registry.removePassword(id, author);
      return `${id} may no longer sign in by password`;
    });
  devices
    .command('password')
    .alias('passwd')
    .description('give a device a new password and print it, once; or take it away')
    .argument('<id>')
    .option('--remove', 'it may no longer sign in by password')
    .addOption(dataOption())
    .action(password);
  devices
    .command('certificate')
    .description('client certificates of a device: list, put on record, revoke')
    .argument('<id>')
    .option('--add <file>', 'PEM file, or SHA-256 fingerprint; from then on only those on record count')
    .option('--revoke <fingerprint>', 'for ever')
    .addOption(dataOption())
    .action((id: string, { data, ...change }: DataFlag & { add?: string; revoke?: string }) =>
      withRegistry(data, (registry) => changeCertificate(registry, id, change, author)),
    );
  devices
    .command('secret')
    .description(
      'secrets that codecs and gateways need of a device (hj212-sm4, hj212-password): names, set, remove',
    )
    .argument('<id>')
    .argument('[name]')
    .option('--file <file>', "set it to the file's bytes; - reads standard input")
    .option('--hex', 'the file holds hex digits')
    .option('--remove', 'take it away')
    .addOption(dataOption())
    .action(changeSecret);
}

type SecretFlags = DataFlag & { file?: string; hex?: boolean; remove?: boolean };

/** The value never stands on the command line: other users of the machine can read that. */
async function changeSecret(id: string, name: string | undefined, flags: SecretFlags): Promise<void> {
  await withRegistry(flags.data, async (registry) => {
    showDevice(registry, id);
    if (name === undefined) return registry.secretNames(id).join('\n') || 'none';
    if (flags.remove === true) {
      await registry.setSecret(id, name, null, author);
      return `secret ${name} of ${id} removed`;
    }
    if (flags.file === undefined) throw new QianliyanError('USAGE', 'give --file or --remove');
    await registry.setSecret(id, name, secretFrom(flags.file, flags.hex === true), author);
    return `secret ${name} of ${id} set`;
  });
}

function secretFrom(file: string, isHex: boolean): Buffer {
  const bytes = readFileSync(file === '-' ? 0 : file);
  const text = bytes.toString('latin1').trim();
  if (!isHex) return bytes.at(-1) === 10 ? bytes.subarray(0, -1) : bytes;
  if (/^([0-9a-f]{2})+$/i.test(text)) return Buffer.from(text, 'hex');
  throw new QianliyanError('USAGE', `${file} does not hold an even number of hex digits`);
}

function templateText(registry: Registry, name: string): string {
  const info = registry.templateInfos().find((template) => template.name === name);
  if (info === undefined) throw new QianliyanError('NOT_FOUND', `no template ${name}`);
  return stringify(info.template).trimEnd();
}

function mqttAddress(file: string | undefined): MqttAddress {
  const { mqtt } = file === undefined ? defaultConfig() : readConfig(file);
  const everywhere = mqtt.host === '0.0.0.0' || mqtt.host === '::';
  return { host: everywhere ? hostname() : mqtt.host, port: mqtt.port, tls: mqtt.tls !== null };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user need not have a name.
    return String(process.getuid?.() ?? 'unknown');
  }
}

async function withRegistry(
  data: string,
  work: (registry: Registry, records: Records) => Promise<string>,
): Promise<void> {
  const log = createLog('warn');
  const folder = resolve(data);
  mkdirSync(folder, { recursive: true });
  const records = await openRecords(folder, log);
  const registry = await openRegistry({
    records,
    clock: wallClock,
    log,
    refreshMs: 0,
    secretKeyFile: secretKeyFile(folder),
    audit: auditRegistry,
  });
  try {
    process.stdout.write(`${await work(registry, records)}\n`);
  } finally {
    await registry.close();
    await records.close();
  }
}

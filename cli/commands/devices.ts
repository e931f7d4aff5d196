import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { wallClock } from '../../backbone/index.ts';
import {
  type AddDevice,
  addDevice,
  importDevices,
  listDevices,
  openRegistry,
  type Registry,
  setDevicePassword,
} from '../../devices/index.ts';
import { dataOption } from '../data-folder.ts';
import { createLog } from '../logger.ts';
import { openRecords } from '../stores.ts';

type DataFlag = { data: string };

export function registerDevices(program: Command): void {
  const devices = program.command('devices');
  devices
    .command('add')
    .description('register one device from a template and print its password, once')
    .argument('<id>', 'letters, digits and . _ : -')
    .requiredOption('--template <name>', 'see: qianliyan devices templates')
    .requiredOption('--site <id>', 'where it stands')
    .requiredOption('--location <lon,lat>', 'WGS 84 degrees')
    .addOption(dataOption())
    .action((id: string, flags: Omit<AddDevice, 'id'> & DataFlag) =>
      withRegistry(flags.data, async (registry) => (await addDevice(registry, { ...flags, id })).text),
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
  devices
    .command('import')
    .description('register the devices of a YAML, JSON or CSV file: all of them, or none when a row is bad')
    .argument('<file>')
    .option('--partial', 'take the good rows, name the others')
    .addOption(dataOption())
    .action((file: string, { data, partial }: DataFlag & { partial?: boolean }) =>
      withRegistry(data, async (registry) => {
        const report = await importDevices(registry, file, { partial: partial ?? false });
        if (report.refused.length > 0) process.exitCode = 1;
        return report.text;
      }),
    );
  devices
    .command('passwd')
    .description('give a device a new password and print it, once')
    .argument('<id>')
    .addOption(dataOption())
    .action((id: string, { data }: DataFlag) =>
      withRegistry(data, async (registry) => (await setDevicePassword(registry, id)).text),
    );
  devices
    .command('templates')
    .description('the templates that devices can be made from')
    .addOption(dataOption())
    .action(({ data }: DataFlag) =>
      withRegistry(data, async (registry) => [...registry.templates.keys()].join('\n')),
    );
}

async function withRegistry(data: string, work: (registry: Registry) => Promise<string>): Promise<void> {
  const log = createLog('warn');
  const folder = resolve(data);
  mkdirSync(folder, { recursive: true });
  const records = await openRecords(folder, log);
  const registry = await openRegistry({ records, clock: wallClock, log, refreshMs: 0 });
  try {
    process.stdout.write(`${await work(registry)}\n`);
  } finally {
    await registry.close();
    await records.close();
  }
}

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { AlertingConfig, demoAccessProblems } from '../alerting/index.ts';
import { projectRoot } from '../backbone/project-root.ts';
import { describeProblems, parse } from '../backbone/validation.ts';
import { QianliyanError } from '../contracts/index.ts';
import { ImageDetectorsConfig } from '../detectors/images/index.ts';
import { SensorDetectorsConfig } from '../detectors/sensors/index.ts';
import { ExternalBrokerConfig } from '../devices/external-broker/index.ts';
import { Hj212GatewayConfig } from '../devices/hj212-gateway/index.ts';
import { BrokerConfig } from '../devices/index.ts';
import { IngestConfig } from '../ingest/index.ts';

/**
 * The one configuration file: the sections of the stages under one roof. Every field has bounds, a default and a
 * description; `qianliyan config reference` prints them all.
 */
export const Config = z.strictObject({
  clock: z
    .strictObject({
      speed: z
        .number()
        .min(1)
        .max(3600)
        .default(1)
        .describe('How many times faster than the wall clock; 1 but for demonstrations'),
      origin: z.iso
        .datetime({ offset: true })
        .nullable()
        .default(null)
        .describe('Time at which the clock begins when the product starts (RFC 3339); null: now'),
    })
    .prefault({})
    .describe('The clock of the product'),
  utcOffsetMinutes: z
    .number()
    .int()
    .min(-720)
    .max(840)
    .default(480)
    .describe(
      'Local time = UTC + this: what windows of a mean, hours of the day and dates of the law are meant in',
    ),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('Least level that is written'),
    })
    .prefault({})
    .describe('The log, JSON lines on standard error'),
  http: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('Address that the console and the API listen on'),
      port: z.number().int().min(0).max(65_535).default(8080).describe('TCP port; 0 takes a free one'),
      trustProxy: z
        .boolean()
        .default(false)
        .describe('Believe X-Forwarded-For and -Proto: only behind a proxy of your own'),
    })
    .prefault({})
    .describe('The console and the API'),
  mqtt: BrokerConfig.prefault({}).describe('The embedded MQTT broker'),
  externalBrokers: z
    .array(ExternalBrokerConfig)
    .max(16)
    .default([])
    .describe('MQTT brokers that are not ours and are read as a client: Mosquitto, EMQX …'),
  hj212: Hj212GatewayConfig.prefault({}).describe('The HJ 212 gateway, to which monitors connect over TCP'),
  ingest: IngestConfig.prefault({}).describe('From message to stored observation'),
  detectors: z
    .strictObject({
      sensors: SensorDetectorsConfig.prefault({}).describe('Detectors over readings'),
      images: ImageDetectorsConfig.prefault({}).describe('Detectors over pictures'),
    })
    .prefault({})
    .describe('What finds violations'),
  alerting: AlertingConfig.prefault({}).describe('From finding to lead'),
  catalog: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Folder of the catalog, relative to this file; null: the one that comes with the product'),
});
export type Config = z.output<typeof Config>;
export type ConfigInput = z.input<typeof Config>;

/** Folder of the catalog that a configuration names. */
export function catalogFolder(config: Config): string {
  return config.catalog ?? join(projectRoot, 'catalog');
}

/** All defaults. */
export function defaultConfig(): Config {
  return Config.parse({});
}

/** @throws QianliyanError CONFIG_INVALID with every problem at once; what concerns several sections is looked at last */
export function parseConfig(input: unknown): Config {
  const config = parse(Config, input, { code: 'CONFIG_INVALID' });
  const problems = demoAccessProblems(config.alerting.demoAccess, config.http.host);
  if (problems.length > 0)
    throw new QianliyanError('CONFIG_INVALID', describeProblems(problems), { problems });
  return config;
}

/** Reads a configuration file; paths in it are meant from where it lies. */
export function readConfig(file: string): Config {
  const document = parseDocument(readText(file), { prettyErrors: true });
  if (document.errors.length > 0) {
    const problems = document.errors.map((e) => ({ path: file, found: e.message, allowed: 'YAML' }));
    throw new QianliyanError('CONFIG_INVALID', `${file} is not YAML`, { problems });
  }
  const config = parseConfig(document.toJS() ?? {});
  return withPathsFrom(dirname(file), config);
}

/** Paths in a file are meant from where it lies. */
function withPathsFrom(folder: string, config: Config): Config {
  const from = (path: string | null) => (path === null ? null : resolve(folder, path));
  const { tls } = config.mqtt;
  return {
    ...config,
    catalog: from(config.catalog),
    mqtt: { ...config.mqtt, tls: tls === null ? null : mapFiles(tls, from) },
    externalBrokers: config.externalBrokers.map((broker) => mapFiles(broker, from)),
  };
}

/** Every field whose name ends in File is a path. */
function mapFiles<T extends object>(section: T, from: (path: string | null) => string | null): T {
  const entries = Object.entries(section).map(([key, value]: [string, unknown]) => {
    const isPath = key.endsWith('File') && typeof value === 'string';
    return [key, isPath ? from(value) : value];
  });
  return Object.fromEntries(entries) as T;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const problems = [{ path: '--config', found: file, allowed: 'a file that can be read' }];
    throw new QianliyanError('CONFIG_INVALID', `${file} cannot be read`, { cause, problems });
  }
}

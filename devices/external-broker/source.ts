import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Counter, Gauge, type Registry as Metrics } from 'prom-client';
import type { Log } from '../../backbone/index.ts';
import { QianliyanError } from '../../contracts/index.ts';
import type { HandOn } from '../handover.ts';
import type { ExternalBrokerConfig } from './config.ts';
import { openConnection } from './connection.ts';

/**
 * Reads an external broker as its client: MQTT 5, persistent session, shared subscription, QoS 1.
 *
 * Promises: a message is acknowledged only after `accept` has resolved; up to `maxInFlight` are under way at a time, and
 * their acknowledgements leave in the order in which they came (clause 4.6). When `accept` rejects, the store is away:
 * nothing is acknowledged, the connection ends and is made again later, and the broker sends again. Who may publish what
 * is the broker's to decide: its topics are believed.
 */
export interface ExternalBroker {
  /** Connected and subscribed, of how many. */
  connected(): { now: number; of: number };
  health(): { ok: boolean; problems: string[] };
  /** Resolves when every connection is subscribed. */
  ready(): Promise<void>;
  /** Takes nothing more, waits for what is under way, and leaves; the broker keeps the session. */
  stop(): Promise<void>;
}

export interface ExternalBrokerDeps {
  accept: HandOn;
  /** Stands in the client id where the configuration names none; the same at every start. */
  instanceId: string;
  log: Log;
  metrics: Metrics;
}

export function startExternalBroker(config: ExternalBrokerConfig, deps: ExternalBrokerDeps): ExternalBroker {
  const access = readAccess(config);
  const meters = sourceMeters(deps.metrics, config.url);
  const connections = Array.from({ length: config.connections }, (_, index) =>
    openConnection(config, { ...deps, ...access, meters, index }),
  );
  const connected = () => ({
    now: connections.filter((one) => one.subscribed()).length,
    of: connections.length,
  });
  return {
    connected,
    health() {
      const { now, of } = connected();
      const problems = now === of ? [] : [`${config.url}: ${now} of ${of} connections`];
      return { ok: now === of, problems };
    },
    ready: async () => void (await Promise.all(connections.map((one) => one.ready))),
    stop: async () => void (await Promise.all(connections.map((one) => one.stop()))),
  };
}

export interface Access {
  password: string | undefined;
  tls: ConnectionOptions;
}

/** @throws QianliyanError CONFIG_INVALID naming every file that cannot be read */
function readAccess(config: ExternalBrokerConfig): Access {
  const problems: { path: string; found: string; allowed: string }[] = [];
  const read = (field: 'passwordFile' | 'caFile' | 'certFile' | 'keyFile'): string | undefined => {
    const file = config[field];
    if (file === null) return undefined;
    try {
      return readFileSync(file, 'utf8');
    } catch {
      problems.push({ path: `externalBrokers.${field}`, found: file, allowed: 'a file that can be read' });
      return undefined;
    }
  };
  const password = read('passwordFile')?.trimEnd();
  const [ca, cert, key] = [read('caFile'), read('certFile'), read('keyFile')];
  if (problems.length > 0) throw new QianliyanError('CONFIG_INVALID', 'a file is missing', { problems });
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return { password, tls };
}

export type Meters = ReturnType<typeof sourceMeters>;

function sourceMeters(metrics: Metrics, broker: string) {
  const metric = <T extends typeof Counter | typeof Gauge>(name: string, Kind: T, help: string) => {
    const known = metrics.getSingleMetric(name) as InstanceType<T> | undefined;
    const made =
      known ?? (new Kind({ name, help, labelNames: ['broker'], registers: [metrics] }) as InstanceType<T>);
    return made.labels({ broker }) as ReturnType<InstanceType<T>['labels']>;
  };
  return {
    messages: metric(
      'qianliyan_external_messages_total',
      Counter,
      'Messages that came from an external broker',
    ),
    unstored: metric('qianliyan_external_unstored_total', Counter, 'Of them, those that could not be stored'),
    connected: metric(
      'qianliyan_external_connections',
      Gauge,
      'Connections to external brokers that are subscribed',
    ),
  };
}

import type { Registry as Metrics } from 'prom-client';
import type { Clock, Log } from '../backbone/index.ts';
import { type ExternalBroker, startExternalBroker } from '../devices/external-broker/index.ts';
import { type Hj212Gateway, startHj212Gateway } from '../devices/hj212-gateway/index.ts';
import { type Registry, startBroker } from '../devices/index.ts';
import type { Ingest } from '../ingest/index.ts';
import type { Closers } from './closers.ts';
import type { Config } from './config.ts';

export interface EntranceDeps {
  registry: Registry;
  ingest: Ingest;
  clock: Clock;
  utcOffsetMs: number;
  log: Log;
  metrics: Metrics;
  instanceId: string;
}

/**
 * Where devices come in; the last to start and the first to stop.
 *
 *   1 external brokers, which we read as a client   2 the HJ 212 gateway   3 the embedded MQTT broker
 */
export class Entrances {
  #external: readonly ExternalBroker[] = [];
  /** Of the embedded broker; null when it is not enabled. */
  mqttPort: number | null = null;
  /** Null when it is not configured. */
  hj212: Hj212Gateway | null = null;

  async open(config: Config, deps: EntranceDeps, closers: Closers): Promise<void> {
    const { ingest } = deps;
    this.#external = config.externalBrokers.map((broker) =>
      closers.add(broker.url, startExternalBroker(broker, { ...deps, accept: ingest.acceptInto }), (b) =>
        b.stop(),
      ),
    );
    if (config.hj212.port !== null) this.hj212 = await this.#openGateway(config, deps, closers);
    if (config.mqtt.enabled) this.mqttPort = await this.#openBroker(config, deps, closers);
  }

  async #openGateway(config: Config, deps: EntranceDeps, closers: Closers): Promise<Hj212Gateway> {
    const { registry, ingest } = deps;
    const gateway = await startHj212Gateway(config.hj212, {
      ...deps,
      directory: registry,
      accept: ingest.accept,
      session: (device, event) => void ingest.session(device, event),
    });
    return closers.add('HJ 212 gateway', gateway, (g) => g.stop());
  }

  async #openBroker(config: Config, deps: EntranceDeps, closers: Closers): Promise<number> {
    const { ingest } = deps;
    const broker = await startBroker(config.mqtt, {
      ...deps,
      handOn: ingest.acceptInto,
      session: (device, event) => ingest.session(device, event),
    });
    closers.add('broker', broker, (b) => b.stop());
    return broker.port;
  }

  health(): { ok: boolean; problems: string[] } {
    const open = this.hj212 === null ? this.#external : [...this.#external, this.hj212];
    const problems = open.flatMap((entrance) => entrance.health().problems);
    return { ok: problems.length === 0, problems };
  }
}

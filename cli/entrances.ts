import type { Registry as Metrics } from 'prom-client';
import type { Log } from '../backbone/index.ts';
import { type ExternalBroker, startExternalBroker } from '../devices/external-broker/index.ts';
import { type Registry, startBroker } from '../devices/index.ts';
import type { Ingest } from '../ingest/index.ts';
import type { Closers } from './closers.ts';
import type { Config } from './config.ts';

export interface EntranceDeps {
  registry: Registry;
  ingest: Ingest;
  log: Log;
  metrics: Metrics;
  instanceId: string;
}

/**
 * Where devices come in; the last to start and the first to stop.
 *
 *   1 external brokers, which we read as a client      2 the embedded MQTT broker
 */
export class Entrances {
  #external: readonly ExternalBroker[] = [];
  /** Of the embedded broker; null when it is not enabled. */
  mqttPort: number | null = null;

  async open(config: Config, deps: EntranceDeps, closers: Closers): Promise<void> {
    const { ingest } = deps;
    this.#external = config.externalBrokers.map((broker) =>
      closers.add(broker.url, startExternalBroker(broker, { ...deps, accept: ingest.acceptInto }), (b) =>
        b.stop(),
      ),
    );
    if (!config.mqtt.enabled) return;
    const broker = await startBroker(config.mqtt, {
      ...deps,
      handOn: ingest.acceptInto,
      session: (device, event) => ingest.session(device, event),
    });
    closers.add('broker', broker, (b) => b.stop());
    this.mqttPort = broker.port;
  }

  health(): { ok: boolean; problems: string[] } {
    const problems = this.#external.flatMap((broker) => broker.health().problems);
    return { ok: problems.length === 0, problems };
  }
}

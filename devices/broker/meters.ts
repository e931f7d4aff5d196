import { Counter, Gauge, type Registry as Metrics } from 'prom-client';
import type { Log } from '../../backbone/index.ts';

/** What the embedded broker counts, and how it tells of an outage. */
export function brokerMeters(metrics: Metrics, connections: () => number) {
  const registers = [metrics];
  new Gauge({
    name: 'qianliyan_mqtt_connections',
    help: 'MQTT clients connected now',
    registers,
    collect() {
      this.set(connections());
    },
  });
  return {
    refused: new Counter({
      name: 'qianliyan_mqtt_refused_total',
      help: 'MQTT clients that were not let in, by reason',
      labelNames: ['reason'],
      registers,
    }),
    cutOff: new Counter({
      name: 'qianliyan_mqtt_cut_off_total',
      help: 'MQTT connections that the broker ended, by reason',
      labelNames: ['reason'],
      registers,
    }),
    oversize: new Counter({
      name: 'qianliyan_mqtt_oversize_total',
      help: 'Messages that were too long to be held in memory',
      registers,
    }),
    unstored: new Counter({
      name: 'qianliyan_mqtt_unstored_total',
      help: 'Messages that could not be stored and were not acknowledged',
      registers,
    }),
  };
}

/** One line when storage goes, one when it is back. */
export function outageLog(log: Log) {
  let out = false;
  return {
    begun(error: unknown): void {
      if (!out) log.error({ err: error }, 'messages cannot be stored: nothing is acknowledged');
      out = true;
    },
    over(): void {
      if (out) log.info('messages are stored again');
      out = false;
    },
  };
}

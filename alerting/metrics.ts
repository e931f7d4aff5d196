import { Counter, Histogram, type Registry } from 'prom-client';

/** What this stage shows of itself. Labels are the named reasons of its decisions. */
export interface Metrics {
  findings: Counter<'outcome'>;
  alerts: Counter<'kind'>;
  decisions: Counter<'decision'>;
  deliveries: Counter<'result'>;
  refusals: Counter<'reason'>;
  batchSeconds: Histogram;
  lagSeconds: Histogram;
}

export function createMetrics(registry: Registry): Metrics {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, label: L) =>
    new Counter<L>({ name: `qianliyan_alerting_${name}`, help, labelNames: [label], registers });
  return {
    findings: counter('findings_total', 'Findings taken: news, or known already', 'outcome'),
    alerts: counter('alerts_total', 'Alerts raised', 'kind'),
    decisions: counter('decisions_total', 'Draft cases decided by people', 'decision'),
    deliveries: counter('deliveries_total', 'Tries to deliver a lead', 'result'),
    refusals: counter('refusals_total', 'Requests refused', 'reason'),
    batchSeconds: new Histogram({
      name: 'qianliyan_alerting_batch_seconds',
      help: 'Time to take a batch of findings',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    lagSeconds: new Histogram({
      name: 'qianliyan_alerting_lag_seconds',
      help: 'From the arrival of a reading to the alert, in seconds of the product clock',
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
  };
}

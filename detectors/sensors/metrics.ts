import { Counter, Gauge, type Registry } from 'prom-client';
import type { Tally } from './tally.ts';

/**
 * The tally as metrics, read when they are scraped, so that the hot path pays nothing for them.
 *
 *   qianliyan_detector_observations_total{outcome}      qianliyan_detector_notes_total{detector,reason}
 *   qianliyan_detector_findings_total{detector,kind,state}   qianliyan_detector_faults_total{detector}
 */
export function registerMetrics(registry: Registry, tally: Tally, devices: () => number): void {
  counter(registry, 'observations', 'Observations by what became of them', ['outcome'], () => [
    [['observed'], tally.observed],
    [['repeat'], tally.repeats],
    [['out-of-order'], tally.outOfOrder],
    [['undeclared'], tally.undeclared],
  ]);
  const fromMap = (counts: Map<string, number>) => () =>
    [...counts].map(([key, n]): [string[], number] => [key.split(' '), n]);
  counter(registry, 'findings', 'Findings told', ['detector', 'kind', 'state'], fromMap(tally.findings));
  counter(registry, 'notes', 'Why nothing could be said', ['detector', 'reason'], fromMap(tally.notes));
  counter(registry, 'faults', 'Watches stopped since they threw', ['detector'], fromMap(tally.faults));
  new Gauge({
    name: 'qianliyan_detector_devices',
    help: 'Devices that are followed',
    registers: [registry],
    collect() {
      this.set(devices());
    },
  });
}

function counter(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  rows: () => [string[], number][],
): void {
  new Counter({
    name: `qianliyan_detector_${name}_total`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const [values, count] of rows()) {
        this.inc(Object.fromEntries(labelNames.map((label, i) => [label, values[i] ?? ''])), count);
      }
    },
  });
}

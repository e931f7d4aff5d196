import type { Finding, ObservationRecord } from '../../../contracts/index.ts';
import { planOf, plansOf, SensorDetectorConfig, SensorDetectorsConfig } from '../config.ts';
import type { Plan } from '../plan.ts';
import { type RouterOptions, SensorRouter } from '../routing.ts';
import { testCatalog } from './district.ts';
import { BEIJING_MS } from './story.ts';

/** The real routing core with the real detectors, set up in one line, and what it finds. */
/** All detectors with their defaults, or those given as configuration. */
export function testPlans(...configs: (typeof SensorDetectorConfig)['_zod']['input'][]): Plan[] {
  if (configs.length === 0) return plansOf(SensorDetectorsConfig.parse({}));
  return configs.map((config) => planOf(SensorDetectorConfig.parse(config)));
}

export function testRouter(options: Partial<RouterOptions> & Pick<RouterOptions, 'directory'>): SensorRouter {
  return new SensorRouter({
    plans: testPlans(),
    catalog: testCatalog(),
    utcOffsetMs: BEIJING_MS,
    updateEveryMs: 300_000,
    tickGapMs: 30_000,
    ...options,
  });
}

/** What the router says of these records. */
export function findingsOf(router: SensorRouter, records: readonly ObservationRecord[]): Finding[] {
  const findings: Finding[] = [];
  for (const record of records) router.handle(record, (finding) => findings.push(finding));
  return findings;
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../backbone/project-root.ts';
import { type Finding, type ObservationRecord, Quality } from '../../contracts/index.ts';
import { DETECTORS, SensorDetectorConfig } from './config.ts';
import {
  clock,
  findingsOf,
  reading,
  testDevice,
  testDirectory,
  testPlans,
  testRouter,
} from './testing/index.ts';

/**
 * Walks `<detector>/sample.yaml` and `<detector>/cases/<case>/`: case.yaml (device and configuration), input.csv (values,
 * ticks and session events in the order received) and expected.json (what is found, in short).
 */
const folder = join(projectRoot, 'detectors/sensors');
const read = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8');

describe.each(Object.keys(DETECTORS))('%s', (name) => {
  const sample = join(name, 'sample.yaml');
  test.runIf(existsSync(join(folder, sample)))('its sample configuration is valid', () => {
    expect(SensorDetectorConfig.parse(parse(read(sample)))).toMatchObject({ type: name });
  });

  const cases = join(folder, name, 'cases');
  const names = existsSync(cases)
    ? readdirSync(cases).filter((c) => existsSync(join(cases, c, 'case.yaml')))
    : [];
  for (const each of names) {
    test(each, () => {
      const path = join(name, 'cases', each);
      const { properties, detector } = parse(read(path, 'case.yaml'));
      const device = testDevice('dev-01', properties);
      const router = testRouter({ directory: testDirectory([device]), plans: testPlans(detector) });
      const findings = findingsOf(router, recordsOf(read(path, 'input.csv')));
      expect(findings.map(inShort)).toEqual(JSON.parse(read(path, 'expected.json')));
    });
  }
});

function recordsOf(csv: string): ObservationRecord[] {
  return csv
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [text = '', what = '', value, quality] = line.split(',');
      const time = Date.parse(text);
      if (what === 'tick') return { type: 'tick', time };
      if (what === 'lost') return { type: 'device', device: 'dev-01', time, event: 'lost' };
      return reading(`dev-01/${what}`, time, Number(value), Quality.parse(quality));
    });
}

function inShort(finding: Finding) {
  const { value, limit, validCount, expectedCount } = finding.measure;
  return {
    state: finding.state,
    reason: finding.reason,
    from: clock(finding.interval.from),
    to: clock(finding.interval.to),
    value: Number(value.toPrecision(6)),
    ...(limit === undefined ? {} : { limit: Number(limit.toPrecision(6)) }),
    ...(validCount === undefined ? {} : { valid: validCount }),
    ...(expectedCount === undefined ? {} : { expected: expectedCount }),
  };
}

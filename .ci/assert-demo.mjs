// Holds the demo's report against what the demo promises: every violation found, nothing invented, nothing lost.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
const kinds = ['limit-exceeded', 'falsification', 'anomaly', 'device-silent', 'image'];

const checks = [
  ['observations were published', report.published > 1000],
  ['every acknowledged observation is stored', report.stored === report.acknowledged],
  ['nothing of the healthy fleet is in quarantine', report.quarantined === 0],
  ...kinds.map((kind) => [
    `${kind}: findings, alerts and drafts`,
    report.findings[kind] > 0 && report.alerts[kind] > 0 && report.drafts[kind] > 0,
  ]),
  [
    'every violation was found',
    report.truth.violations > 0 && report.truth.found === report.truth.violations,
  ],
  ['no false alarm', report.truth.falseAlarms.length === 0],
  ['one draft a happening', sum(report.drafts) <= sum(report.alerts)],
  ['leads arrived at the case system', report.leads.delivered > 0 && report.leads.failed === 0],
  ['latency was measured, p99 under 2 s', report.latencyMs.p50 > 0 && report.latencyMs.p99 < 2000],
];
let failed = 0;
for (const [what, holds] of checks) {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
  if (!holds) failed += 1;
}
if (failed > 0) console.log(JSON.stringify(report, null, 2));
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

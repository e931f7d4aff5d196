import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert, DraftCase, FindingKind } from '../contracts/index.ts';
import { buildReport, percentile, type ReportInput, score } from './report.ts';
import type { Oddity, Violation } from './scenarios/index.ts';

const T0 = Date.parse('2026-11-22T22:00:00+08:00');
const MIN = 60_000;

/** Dust at dust-03 from 22:00 to 22:15, findable by 22:10, seen in TSP and PM10, settling for 10 minutes. */
function violation(more: Partial<Violation> = {}): Violation {
  return {
    id: 'v-dust',
    does: 'dry-earthworks',
    kind: 'limit-exceeded',
    device: 'dust-03',
    datastream: 'dust-03/TSP',
    zone: null,
    matter: 'm-dust-site',
    from: T0,
    to: T0 + 15 * MIN,
    unit: 'u-linhe',
    also: ['early-warning', 'anomaly'],
    affected: ['dust-03/TSP', 'dust-03/PM10'],
    aftermathMs: 10 * MIN,
    findableBy: T0 + 10 * MIN,
    ...more,
  };
}

interface Said {
  id?: string;
  kind?: FindingKind;
  device?: string;
  datastream?: string | null;
  zone?: string | null;
  /** Minutes after 22:00 of the trigger. */
  at?: number;
}
function alert({
  id = 'a1',
  kind = 'limit-exceeded',
  device = 'dust-03',
  datastream = 'dust-03/TSP',
  zone = null,
  at = 5,
}: Said = {}): Alert {
  const time = T0 + at * MIN;
  return {
    id,
    fingerprint: id,
    kind,
    reason: 'r',
    severity: 'violation',
    matter: 'm-dust-site',
    device,
    datastream,
    zone,
    site: 'site-03',
    location: [123.44, 41.8],
    state: 'open',
    summary: { zh: '', en: '' },
    measure: { statistic: 'mean', value: 1, unit: 'mg/m3' },
    startedAt: time - 5 * MIN,
    lastSeenAt: time + MIN,
    raisedAt: time,
    acknowledgedAt: null,
    acknowledgedBy: null,
    resolvedAt: null,
    findings: [],
    draftCase: null,
    trigger: { device, time, receivedAt: time },
  };
}

const draft = (of: string, unit: string | null) => ({ alert: of, route: { unit } }) as DraftCase;

function scored(
  alerts: Alert[],
  truth: Violation[] = [violation()],
  until = T0 + 60 * MIN,
  drafts: DraftCase[] = [],
  oddities: Oddity[] = [],
) {
  return score({ alerts: alerts.map((a) => ({ alert: a, arrivedAt: 0 })), truth, oddities, drafts, until });
}

describe('something lawful out of the ordinary', () => {
  const gust: Oddity = {
    id: 'gust',
    device: 'dust-05',
    kinds: ['anomaly', 'early-warning'],
    affected: ['dust-05/TSP'],
    from: T0,
    to: T0 + 2 * MIN,
    aftermathMs: 10 * MIN,
  };
  const of = (kind: Alert['kind']) => alert({ kind, device: 'dust-05', datastream: 'dust-05/TSP', at: 1 });

  it('may truly be called an anomaly, and never a violation', () => {
    const anomaly = scored([of('anomaly')], [], T0 + 60 * MIN, [], [gust]);
    expect(anomaly).toMatchObject({ violations: 0, falseAlarms: [], odd: [expect.any(String)] });
    const violation = scored([of('limit-exceeded')], [], T0 + 60 * MIN, [], [gust]);
    expect(violation).toMatchObject({ falseAlarms: [expect.any(String)], odd: [] });
  });
});

describe('an alert of one violation', () => {
  it.each<[string, Said, 'found' | 'true but not of its kind' | 'false']>([
    ['of its kind, while it lasts', {}, 'found'],
    ['of its kind, on another datastream that truly shows it', { datastream: 'dust-03/PM10' }, 'found'],
    ['of its kind, about the device as a whole', { datastream: null }, 'found'],
    ['raised as it begins, by a reading of a minute before', { at: -1 }, 'found'],
    ['raised while the dust settles', { at: 24 }, 'found'],
    ['of another kind that is true of it too', { kind: 'anomaly' }, 'true but not of its kind'],
    ['of a kind that is not true of it', { kind: 'device-silent', datastream: null }, 'false'],
    ['on a datastream that has nothing to do with it', { datastream: 'dust-03/TEMP' }, 'false'],
    ['at the neighbour', { device: 'dust-04', datastream: 'dust-04/TSP' }, 'false'],
    ['raised before anything was done', { at: -5 }, 'false'],
    ['raised when all dust has settled', { at: 30 }, 'false'],
  ])('%s: %o', (_, said, verdict) => {
    const result = scored([alert(said)]);
    expect(result.found).toBe(verdict === 'found' ? 1 : 0);
    expect(result.missed).toEqual(verdict === 'found' ? [] : ['v-dust']);
    expect(result.falseAlarms).toEqual(verdict === 'false' ? ['a1'] : []);
  });

  it('told twice is found once, with a repeat, and no false alarm', () => {
    expect(scored([alert(), alert({ id: 'a2', at: 9 })])).toMatchObject({
      violations: 1,
      found: 1,
      repeats: ['a2'],
      falseAlarms: [],
    });
  });

  it('in another zone of the same camera is false', () => {
    const truth = [
      violation({ kind: 'image', device: 'cam-01', datastream: null, zone: 'fire-lane', affected: [] }),
    ];
    const seen = (zone: string) =>
      scored([alert({ kind: 'image', device: 'cam-01', datastream: null, zone })], truth);
    expect(seen('fire-lane')).toMatchObject({ found: 1, falseAlarms: [] });
    expect(seen('bus-stop')).toMatchObject({ found: 0, falseAlarms: ['a1'] });
  });
});

describe('the score', () => {
  it('calls a violation missed only when it was findable before the end', () => {
    expect(scored([], [violation()], T0 + 9 * MIN)).toMatchObject({
      violations: 0,
      missed: [],
      notDue: ['v-dust'],
    });
    expect(scored([], [violation()], T0 + 10 * MIN)).toMatchObject({
      violations: 1,
      missed: ['v-dust'],
      notDue: [],
    });
    expect(scored([], [violation()], T0 - 1)).toMatchObject({ violations: 0, missed: [], notDue: [] });
  });

  it('counts one that was found before anybody had to find it', () => {
    expect(scored([alert({ at: 3 })], [violation()], T0 + 5 * MIN)).toMatchObject({
      violations: 1,
      found: 1,
      missed: [],
    });
  });

  it('gives an alert to the violation of its own kind, where two at one device are under way', () => {
    const dust = violation();
    const odd = violation({ id: 'v-odd', kind: 'anomaly', also: ['limit-exceeded'] });
    expect(scored([alert({ kind: 'anomaly' })], [dust, odd])).toMatchObject({ found: 1, missed: ['v-dust'] });
    expect(scored([alert()], [odd, dust])).toMatchObject({ found: 1, missed: ['v-odd'] });
  });

  it('measures the delay from the beginning to the trigger of the earliest alert', () => {
    expect(scored([alert({ at: 8 }), alert({ id: 'a2', at: 6 })]).delaysMs).toEqual({ 'v-dust': 6 * MIN });
  });

  it('holds the desk of each draft against the one that answers', () => {
    const at = (unit: string | null) =>
      scored([alert()], [violation()], T0 + 60 * MIN, [draft('a1', unit)]).routing;
    expect(at('u-linhe')).toEqual({ right: 1, wrong: [] });
    expect(at('u-urban')).toEqual({
      right: 0,
      wrong: [{ violation: 'v-dust', expected: 'u-linhe', got: 'u-urban' }],
    });
    expect(at(null).wrong).toHaveLength(1);
  });

  it('every alert is exactly one of: the finding of a violation, its repeat, true of one, or false', () => {
    const kind = fc.constantFrom<FindingKind>('limit-exceeded', 'anomaly', 'device-silent');
    const device = fc.constantFrom('dust-03', 'dust-04');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(kind, device, fc.integer({ min: -30, max: 60 })), { maxLength: 20 }),
        (said) => {
          const alerts = said.map(([k, d, at], i) =>
            alert({ id: `a${i}`, kind: k, device: d, datastream: null, at }),
          );
          const result = scored(alerts);
          expect(result.found + result.missed.length).toBe(1);
          expect(result.found + result.repeats.length + result.falseAlarms.length).toBeLessThanOrEqual(
            alerts.length,
          );
          expect(new Set([...result.repeats, ...result.falseAlarms]).size).toBe(
            result.repeats.length + result.falseAlarms.length,
          );
          expect(
            alerts.filter((a) => a.device === 'dust-04').every((a) => result.falseAlarms.includes(a.id)),
          ).toBe(true);
        },
      ),
    );
  });
});

describe('the report', () => {
  const counts = {
    observations: { acknowledged: 90, stored: 90 },
    frames: 0,
    quarantined: 1,
    findings: { anomaly: 2 },
    alerts: { anomaly: 1 },
    drafts: { anomaly: 1 },
    leads: { delivered: 1, pending: 0, failed: 0 },
  };
  const input = (more: Partial<ReportInput>): ReportInput => ({
    seconds: 60,
    until: T0 + 60 * MIN,
    truth: [],
    oddities: [],
    alerts: [],
    drafts: [],
    published: 100,
    acknowledged: 91,
    counts,
    publishedAt: () => undefined,
    ...more,
  });

  it('carries the numbers of both sides under the names that figures.md gives them', () => {
    expect(buildReport(input({}))).toEqual({
      seconds: 60,
      published: 100,
      acknowledged: 91,
      stored: 90,
      quarantined: 1,
      findings: { anomaly: 2 },
      alerts: { anomaly: 1 },
      drafts: { anomaly: 1 },
      leads: { delivered: 1, pending: 0, failed: 0 },
      latencyMs: { p50: null, p99: null, count: 0 },
      truth: {
        violations: 0,
        found: 0,
        missed: [],
        falseAlarms: [],
        odd: [],
        repeats: [],
        notDue: [],
        delaysMs: {},
        routing: { right: 0, wrong: [] },
      },
    });
  });

  it('times an alert in real ms from the publishing of what raised it to its arrival', () => {
    const alerts = [10, 20, 400].map((ms, i) => ({
      alert: alert({ id: `a${i}`, at: i }),
      arrivedAt: 5000 + ms,
    }));
    const publishedAt = (device: string, time: number) =>
      device === 'dust-03' && time >= T0 ? 5000 : undefined;
    expect(buildReport(input({ alerts, publishedAt })).latencyMs).toEqual({ p50: 20, p99: 400, count: 3 });
  });

  it('takes percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect([
      percentile(hundred, 0.5),
      percentile(hundred, 0.99),
      percentile([7], 0.5),
      percentile([], 0.5),
    ]).toEqual([50, 99, 7, null]);
  });
});

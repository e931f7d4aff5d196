import { describe, expect, it } from 'vitest';
import type { QianliyanError } from '../../contracts/index.ts';
import { districtDevices } from '../district/index.ts';
import { DAY, HOUR, MINUTE } from '../time.ts';
import { demoScenario, nightPart, readScenario, resolveScenario, truthOf, Violation } from './index.ts';

const ORIGIN = Date.parse('2026-11-22T21:40:00+08:00');
const devices = districtDevices();
const at = (hhmm: string) => Date.parse(`2026-11-22T${hhmm}:00+08:00`);

function scenario(happenings: string) {
  return resolveScenario(readScenario(`name: t\nhappenings:\n${happenings}`), {
    origin: ORIGIN,
    devices,
    days: 1,
  });
}
function problems(happenings: string): string[] {
  try {
    scenario(happenings);
    return [];
  } catch (error) {
    expect((error as QianliyanError).code).toBe('CONFIG_INVALID');
    return (error as QianliyanError).problems.map((p) => `${p.path}: ${p.allowed}`);
  }
}

describe('a scenario', () => {
  it('plays each happening at its next time of day, every day anew under an id of its own', () => {
    const { happenings } = demoScenario(ORIGIN, devices);
    const dust = happenings.filter((h) => h.id.startsWith('dust-without-spraying'));
    expect(dust.map((h) => h.id).slice(0, 3)).toEqual([
      'dust-without-spraying',
      'dust-without-spraying+1',
      'dust-without-spraying+2',
    ]);
    expect(dust.map((h) => h.from - at('21:47'))).toEqual([0, 1, 2, 3, 4, 5, 6].map((d) => d * DAY));
  });

  it('lets a happening pass midnight', () => {
    const [cut] = scenario(
      "  - {id: c, device: dust-07, does: power-cut, from: '22:05', to: '03:00'}",
    ).happenings;
    expect(cut!.to - cut!.from).toBe(4 * HOUR + 55 * MINUTE);
  });

  it.each([
    [
      'a device that is not there',
      "{id: a, device: dust-99, does: power-cut, from: '22:00', to: '23:00'}",
      'a.device',
    ],
    [
      'a deed that does not fit the device',
      "{id: a, device: noise-01, does: dry-earthworks, from: '22:00', to: '23:00'}",
      'a.device',
    ],
    [
      'a car parked on a dust monitor',
      "{id: a, device: dust-01, does: parked-at-kerb, vehicle: car, from: '22:00', to: '22:30'}",
      'a.device',
    ],
    [
      'a property that is not measured',
      "{id: a, device: water-01, does: frozen-output, properties: [SO2], from: '22:00', to: '23:59'}",
      'a.properties',
    ],
    [
      'a stay too short to be wrong, too long to be harmless',
      "{id: a, device: cam-01, does: stop-in-fire-lane, vehicle: car, from: '22:00', to: '22:04'}",
      'a.to',
    ],
    [
      'night work too short to be judged',
      "{id: a, device: noise-01, does: machines, levelDb: 62, from: '21:45', to: '22:05'}",
      'a',
    ],
    [
      'an unknown deed',
      "{id: a, device: dust-01, does: magic, from: '22:00', to: '23:00'}",
      'happenings.0.does',
    ],
    [
      'a misspelt field',
      "{id: a, device: dust-01, does: power-cut, from: '22:00', to: '23:00', form: 1}",
      'happenings.0',
    ],
    [
      'a time of day that is none',
      "{id: a, device: dust-01, does: power-cut, from: '25:00', to: '23:00'}",
      'happenings.0.from',
    ],
  ])('is refused for %s', (_, row, path) => {
    expect(problems(`  - ${row}`).map((p) => p.split(': ')[0])).toEqual([path]);
  });

  it('is told of all its problems at once', () => {
    const row = "  - {id: a, device: dust-99, does: power-cut, from: '22:00', to: '22:01'}\n";
    expect(problems(row + row)).toHaveLength(5);
  });
});

describe('the truth', () => {
  it('is well-formed, about devices of the list, and on the desk of the one who answers there', () => {
    const truth = truthOf(demoScenario(ORIGIN, devices).happenings, devices);
    for (const v of truth) {
      Violation.parse(v);
      expect(devices.some((d) => d.id === v.device)).toBe(true);
      expect(v.from).toBeLessThan(v.to);
      expect(v.findableBy).toBeGreaterThan(v.from);
    }
    const desks = truth.slice(0, 6).map((v) => [v.device, v.matter, v.unit]);
    expect(desks).toEqual([
      ['dust-03', 'm-dust-site', 'u-linhe'],
      ['cam-01', 'm-fire-lane', 'u-fire'],
      ['dust-07', 'm-device-offline', 'u-eco'],
      ['noise-02', 'm-noise-night', 'u-qingshi'],
      ['water-02', 'm-monitoring-data', 'u-eco'],
      ['river-01', 'm-monitoring-abnormal', 'u-eco'],
    ]);
  });

  it('says nothing of lawful deeds', () => {
    const { happenings } = demoScenario(ORIGIN, devices);
    const told = new Set(truthOf(happenings, devices).map((v) => v.id));
    for (const id of [
      'evening-work',
      'gust-into-heap',
      'truck-on-the-road',
      'passenger-gets-out',
      'waiting-for-a-taxi',
      'delivery-van',
    ]) {
      expect(told.has(id), id).toBe(false);
    }
  });

  it('takes of work into the night only the night', () => {
    const work = scenario(
      "  - {id: w, device: noise-01, does: machines, levelDb: 62, from: '21:40', to: '22:40'}",
    );
    expect(truthOf(work.happenings, devices)).toMatchObject([
      { from: at('22:00'), to: at('22:40'), kind: 'limit-exceeded' },
    ]);
    expect(nightPart({ from: at('20:00'), to: at('22:00') })).toBeNull();
    expect(nightPart({ from: at('23:00'), to: at('23:00') + 9 * HOUR })).toEqual({
      from: at('23:00'),
      to: at('22:00') + 8 * HOUR,
    });
  });
});

/**
 * Scenarios: what goes wrong when. A file states happenings by local time of day; `resolveScenario` puts them onto the
 * days from an origin on. Refuses what cannot be scored: unknown devices, deeds that do not fit the device, durations
 * between clearly right and clearly wrong. All problems are told at once.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { type Device, type Problem, QianliyanError } from '../../contracts/index.ts';
import { DAY, MINUTE, nextLocal } from '../time.ts';
import { type Deed, type Happening, HappeningInput, LASTS } from './deeds.ts';
import { nightPart } from './truth.ts';

export const ScenarioFile = z.strictObject({
  name: z.string(),
  description: z.string().default(''),
  happenings: z.array(HappeningInput),
});
export type ScenarioFile = z.infer<typeof ScenarioFile>;

/** Happenings at their places in time, in order of `from`. */
export interface Scenario {
  name: string;
  happenings: readonly Happening[];
}

/** Reads a scenario's YAML. Throws CONFIG_INVALID with every path that is wrong. */
export function readScenario(text: string): ScenarioFile {
  const read = ScenarioFile.safeParse(parse(text));
  if (read.success) return read.data;
  throw refusal(
    read.error.issues.map((i) => ({ path: i.path.join('.'), found: undefined, allowed: i.message })),
  );
}

/**
 * Each happening at the first such time of day at or after `origin`, and on each of the following days, `days` in all.
 * The first day's keep their ids, later ones get `+1`, `+2` … behind.
 */
export function resolveScenario(
  file: ScenarioFile,
  { origin, devices, days = 7 }: { origin: number; devices: readonly Device[]; days?: number },
): Scenario {
  const happenings = Array.from({ length: days }, (_, day) =>
    file.happenings.map((h): Happening => {
      const from = nextLocal(h.from, origin) + day * DAY;
      return { ...h, id: day === 0 ? h.id : `${h.id}+${day}`, from, to: nextLocal(h.to, from) };
    }),
  ).flat();
  const problems = problemsOf(happenings, devices);
  if (problems.length > 0) throw refusal(problems);
  return { name: file.name, happenings: happenings.sort((a, b) => a.from - b.from) };
}

/** What makes happenings unplayable or unscorable. */
export function problemsOf(happenings: readonly Happening[], devices: readonly Device[]): Problem[] {
  const byId = new Map(devices.map((d) => [d.id, d]));
  const seen = new Set<string>();
  return happenings.flatMap((h) => {
    const problems = [...durationProblems(h), ...deviceProblems(h, byId.get(h.device))];
    if (seen.has(h.id)) problems.push({ path: h.id, found: h.id, allowed: 'an id that is used once' });
    seen.add(h.id);
    return problems;
  });
}

/** Part of an hour of machines at night neither breaks a 20-minute mean for sure nor leaves it alone for sure. */
const CLEAR_NIGHT_MS = 15 * MINUTE;

function durationProblems(h: Happening): Problem[] {
  const { least, most } = LASTS[h.does];
  const lasts = h.to - h.from;
  const problems: Problem[] = [];
  if (lasts < least || lasts > most) {
    problems.push({
      path: `${h.id}.to`,
      found: `${lasts / MINUTE} min`,
      allowed: `${least / MINUTE} to ${most / MINUTE} min of ${h.does}`,
    });
  }
  const night = h.does === 'machines' ? nightPart(h) : null;
  if (night && night.to - night.from < CLEAR_NIGHT_MS) {
    problems.push({
      path: h.id,
      found: `${(night.to - night.from) / MINUTE} min at night`,
      allowed: 'none, or 15 min and more',
    });
  }
  return problems;
}

const CAMERA_DEEDS: readonly Deed[] = [
  'parked-in-fire-lane',
  'stop-in-fire-lane',
  'person-in-fire-lane',
  'parked-at-kerb',
];
/** A property that the device must measure for the deed to reach its source. */
const NEEDS: Partial<Record<Deed, readonly string[]>> = {
  'dry-earthworks': ['TSP'],
  'dust-gust': ['TSP'],
  machines: ['LAeq'],
  'truck-passing': ['LAeq'],
  discharge: ['COD', 'LEVEL'],
};

function deviceProblems(h: Happening, device: Device | undefined): Problem[] {
  const problem = (allowed: string): Problem[] => [{ path: `${h.id}.device`, found: h.device, allowed }];
  if (device === undefined) return problem('a device of the list');
  if (h.does === 'power-cut') return [];
  if ((device.kind === 'camera') !== CAMERA_DEEDS.includes(h.does))
    return problem(`a ${device.kind === 'camera' ? 'sensor' : 'camera'} for ${h.does}`);
  const measured = device.datastreams.map((d) => d.property);
  if (h.does === 'frozen-output') {
    const strange = h.properties.filter((p) => !measured.includes(p));
    return strange.length === 0
      ? []
      : [{ path: `${h.id}.properties`, found: strange, allowed: `of ${measured}` }];
  }
  const needs = NEEDS[h.does];
  return needs && !needs.some((p) => measured.includes(p))
    ? problem(`a device that measures ${needs.join(' or ')}`)
    : [];
}

function refusal(problems: Problem[]): QianliyanError {
  const first = problems[0];
  return new QianliyanError(
    'CONFIG_INVALID',
    `scenario: ${problems.length} problem(s), first ${first?.path}: ${first?.allowed}`,
    { problems },
  );
}

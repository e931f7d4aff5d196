import type { Quality } from '../../../contracts/index.ts';
import type { MappedReading, TopicMapping } from './config.ts';
import type { NumberRule } from './number.ts';
import { compilePath, type Path } from './path.ts';
import { compilePattern, covers, type Pattern } from './pattern.ts';
import { compileTemplate, type Template } from './template.ts';
import { compileTime, type TimeOf } from './time.ts';

/**
 * From a mapping as a person writes it to one that runs; all that a schema cannot see is found here, when the product
 * starts: patterns, paths and templates that cannot be read, names that nothing stands for, mappings that never get a
 * message.
 */
export interface Compiled {
  readonly name: string;
  readonly source: string;
  readonly pattern: Pattern;
  readonly when: readonly CompiledCondition[];
  readonly device: Template;
  readonly text: boolean;
  readonly time: TimeOf;
  readonly does:
    | { kind: 'readings'; readings: readonly CompiledReading[]; ignoreEmpty: boolean }
    | { kind: 'status'; paths: readonly Path[]; words: ReadonlyMap<string, 'online' | 'offline'> }
    | { kind: 'ignore' };
}

export interface CompiledCondition {
  path: Path;
  /** As text; null: any. */
  values: ReadonlySet<string> | null;
  exists: boolean | null;
}

export interface CompiledReading {
  property: Template;
  rename: ReadonlyMap<string, string>;
  path: Path;
  unit: string | null;
  statistic: MappedReading['statistic'];
  number: NumberRule;
  /** By the payload's value as text. */
  quality: { path: Path; values: ReadonlyMap<string, Quality>; otherwise: Quality } | null;
  optional: boolean;
}

export interface MappingProblem {
  /** Below the list of mappings. */
  path: (string | number)[];
  /** What is allowed there. */
  message: string;
}

/** First levels of topics that have a meaning of their own: a mapping never gets them. */
const OWN_LEVELS: readonly string[] = ['v1', 'spBv1.0', 'senml', 'telegraf', 'hj212'];

export function isOwnTopic(topic: string): boolean {
  return topic.startsWith('$') || OWN_LEVELS.some((level) => topic.startsWith(`${level}/`));
}

/** Everything that is wrong with them. */
export function mappingProblems(mappings: readonly TopicMapping[]): MappingProblem[] {
  const problems: MappingProblem[] = [];
  const compiled = mappings.map((mapping, i) =>
    compileMapping(mapping, 0, (path, message) => problems.push({ path: [i, ...path], message })),
  );
  for (const [i, mapping] of mappings.entries()) {
    const first = mappings.findIndex((other) => other.name === mapping.name);
    if (first < i) problems.push({ path: [i, 'name'], message: `each name once; mapping ${first} has it` });
    const mine = compiled[i];
    if (mine == null) continue;
    const before = compiled
      .slice(0, i)
      .find((other) => other?.when.length === 0 && covers(other.pattern, mine.pattern));
    if (before != null) {
      const message = `topics that no mapping before it has: ${JSON.stringify(before.name)} takes all of these; put this one before it, or give that one a \`when\``;
      problems.push({ path: [i, 'topic'], message });
    }
  }
  return problems;
}

type Report = (path: (string | number)[], message: string) => void;

/** Null when something is wrong, which `report` has heard of. */
export function compileMapping(mapping: TopicMapping, siteOffsetMs: number, report: Report): Compiled | null {
  let sound = true;
  /** A part that could be made, or null and a report. */
  const made = <T>(part: T | string, ...path: (string | number)[]): T | null => {
    if (typeof part !== 'string') return part;
    sound = false;
    report(path, part);
    return null;
  };
  const pattern = made(compilePattern(mapping.topic), 'topic');
  if (isOwnTopic(mapping.topic) || OWN_LEVELS.includes(mapping.topic)) {
    made(`topics outside of ${OWN_LEVELS.join('/, ')}/ and $, which have a meaning of their own`, 'topic');
  }
  // Without a pattern nobody knows the names: one problem is enough then.
  const names = pattern?.names ?? [];
  const device =
    pattern === null || mapping.ignore === true
      ? { pieces: [], fromPayload: false }
      : made(compileTemplate(mapping.device, names), 'device');
  const when = mapping.when.map((condition, i) => {
    const path = made(closed(condition.path), 'when', i, 'path');
    if (condition.in === undefined && condition.exists === undefined) made('`in` or `exists`', 'when', i);
    const values = condition.in === undefined ? null : new Set(condition.in.map(String));
    return { path, values, exists: condition.exists ?? null };
  });
  const time = made(compileTime(mapping.time, siteOffsetMs), 'time', 'path');
  const does = compileDoing(mapping, pattern === null ? null : names, made);
  if (!sound || pattern === null || device === null || time === null || does === null) return null;
  const { name } = mapping;
  const conditions = when as CompiledCondition[];
  const text = mapping.payload === 'text';
  return { name, source: `mapping:${name}`, pattern, when: conditions, device, text, time, does };
}

type Made = <T>(part: T | string, ...path: (string | number)[]) => T | null;

function compileDoing(
  { readings, status, ignore, whenEmpty }: TopicMapping,
  names: readonly string[] | null,
  made: Made,
): Compiled['does'] | null {
  const given = [readings, status, ignore].filter((one) => one !== undefined).length;
  if (given !== 1) return made<never>('exactly one of `readings`, `status` and `ignore`');
  if (readings !== undefined) {
    const compiled = readings.map((reading, i) => compileReading(reading, names, made, i));
    return { kind: 'readings', readings: compiled as CompiledReading[], ignoreEmpty: whenEmpty === 'ignore' };
  }
  if (status === undefined) return { kind: 'ignore' };
  const paths = status.paths.map((path, i) => made(closed(path), 'status', 'paths', i)) as Path[];
  const words = new Map<string, 'online' | 'offline'>();
  for (const word of status.online) words.set(String(word), 'online');
  for (const word of status.offline) {
    if (words.has(String(word))) made('words that do not stand in `online` too', 'status', 'offline');
    words.set(String(word), 'offline');
  }
  return { kind: 'status', paths, words };
}

/** Parts that could not be made are null: then the whole mapping is not used. */
function compileReading(reading: MappedReading, names: readonly string[] | null, made: Made, i: number) {
  const { unit, statistic, scale, offset, optional, quality } = reading;
  const path = made(compilePath(reading.path), 'readings', i, 'path');
  const known = names === null ? [] : path?.open === true ? [...names, '*'] : names;
  const property =
    names === null ? null : made(propertyTemplate(reading.property, known), 'readings', i, 'property');
  if (path?.open === true && property !== null && !reading.property.includes('{*}')) {
    made('a template with {*}, as the path has a *', 'readings', i, 'property');
  }
  return {
    property,
    rename: new Map(Object.entries(reading.rename)),
    path,
    unit,
    statistic,
    number: { scale, offset, words: new Map(Object.entries(reading.values)) },
    quality: quality === null ? null : compileQuality(quality, made, i),
    optional,
  };
}

function propertyTemplate(text: string, names: readonly string[]): Template | string {
  const template = compileTemplate(text, names);
  const plain = typeof template !== 'string' && template.pieces.every((piece) => typeof piece === 'string');
  return plain && text.length > 64 ? 'at most 64 characters are allowed' : template;
}

function compileQuality(quality: NonNullable<MappedReading['quality']>, made: Made, i: number) {
  return {
    path: made(closed(quality.path), 'readings', i, 'quality', 'path'),
    values: new Map(Object.entries(quality.values)),
    otherwise: quality.otherwise,
  };
}

function closed(text: string): Path | string {
  const path = compilePath(text);
  return typeof path !== 'string' && path.open ? 'a path without * is allowed' : path;
}

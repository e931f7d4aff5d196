import type { z } from 'zod';
import { type Problem, QianliyanError } from '../contracts/index.ts';
import { knownFields, nearest } from './validation-schema.ts';

/**
 * Says what is wrong with an input so that a person can put it right without reading the program: every problem at
 * once, each with its dotted path, the value found, and what is allowed, in plain words.
 */

const FOUND_LIMIT = 200;

type Issue = z.core.$ZodIssue;

/** Turns zod's findings into ours. `schema`, where given, lets an unknown field be answered with the known ones. */
export function problemsOf(error: z.ZodError, input: unknown, schema?: z.ZodType, prefix = ''): Problem[] {
  const problems = error.issues.flatMap((issue) => explain(issue, input, [], schema));
  return problems.map((problem) => ({ ...problem, path: joinPath(prefix, problem.path) }));
}

/**
 * @returns what the schema makes of the value
 * @throws QianliyanError REQUEST_INVALID (or the code given) with all problems
 */
export function parse<T extends z.ZodType>(
  schema: T,
  value: unknown,
  options: { code?: 'REQUEST_INVALID' | 'CONFIG_INVALID' | 'CATALOG_INVALID'; prefix?: string } = {},
): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = problemsOf(result.error, value, schema, options.prefix);
  throw new QianliyanError(options.code ?? 'REQUEST_INVALID', describeProblems(problems), { problems });
}

/** One line a problem: `mqtt.port: found 99999, allowed: a whole number up to 65535`. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems
    .map(
      ({ path, found, allowed }) =>
        `${path === '' ? '(whole input)' : path}: found ${show(found)}; ${allowed}`,
    )
    .join('\n');
}

function explain(issue: Issue, input: unknown, above: readonly PropertyKey[], schema?: z.ZodType): Problem[] {
  const path = [...above, ...issue.path];
  const found = valueAt(input, path);
  const one = (allowed: string): Problem[] => [{ path: pathOf(path), found: bounded(found), allowed }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownField(key, path, found, schema));
    case 'invalid_union':
      return explainUnion(issue, input, path, schema);
    case 'invalid_key':
      return [{ path: pathOf(path), found: bounded(path.at(-1)), allowed: `its name ${keyRule(issue)}` }];
    case 'invalid_element':
      return issue.issues.flatMap((inner) => explain(inner, input, path, schema));
    default:
      return one(rule(issue, found));
  }
}

/** What the value must be. Messages that a schema's author wrote are better than ours, so they go first. */
function rule(issue: Issue, found: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return found === undefined
        ? `required: ${typeName(issue.expected)}`
        : `must be ${typeName(issue.expected)}`;
    case 'too_big':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)}`;
    case 'too_small':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values)}`;
    case 'invalid_format':
      return formatRule(issue);
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  object: 'an object with fields',
  record: 'an object with fields',
  array: 'a list',
  tuple: 'a list',
  null: 'null',
  date: 'a date',
};

function typeName(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

const MEASURES: Record<string, string> = {
  string: 'characters',
  array: 'entries',
  tuple: 'entries',
  set: 'entries',
  record: 'fields',
  object: 'fields',
};

function bound(origin: string, relation: string, limit: number | bigint): string {
  const measure = MEASURES[origin];
  return measure === undefined ? `be ${relation} ${limit}` : `have ${relation} ${limit} ${measure}`;
}

const FORMAT_NAMES: Record<string, string> = {
  date: 'a date, YYYY-MM-DD',
  time: 'a time of day, HH:MM:SS',
  datetime: 'a time with its zone as in RFC 3339, e.g. 2026-11-22T22:05:00+08:00',
  url: 'a web address with its scheme, e.g. https://host/path',
  email: 'an e-mail address',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  uuid: 'a UUID',
  json_string: 'JSON',
};

function formatRule(issue: Issue & { code: 'invalid_format' }): string {
  // A message that does not begin like zod's own was written by the schema's author.
  if (!issue.message.startsWith('Invalid')) return `must be ${issue.message}`;
  const ours = FORMAT_NAMES[issue.format];
  if (ours !== undefined) return `must be ${ours}`;
  const words = /must (start with|end with|include) .*/.exec(issue.message);
  return words === null ? `must be text of the form ${issue.pattern ?? issue.format}` : words[0];
}

function keyRule(issue: Issue & { code: 'invalid_key' }): string {
  const [first] = issue.issues;
  return first === undefined ? 'must be another' : rule(first, 'a name');
}

/** An input that was meant for one branch of a union is told what is wrong with it there, not with all branches. */
function explainUnion(
  issue: Issue & { code: 'invalid_union' },
  input: unknown,
  path: readonly PropertyKey[],
  schema?: z.ZodType,
): Problem[] {
  const found = bounded(valueAt(input, path));
  if (issue.errors.length === 0) {
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
    return [
      {
        path: pathOf(path),
        found,
        allowed: options.length > 0 ? `must be ${oneOf(options)}` : issue.message,
      },
    ];
  }
  const meant = issue.errors.filter((branch) => !branch.some((inner) => isWrongShape(inner)));
  const closest = meant.toSorted((a, b) => a.length - b.length)[0];
  if (closest !== undefined) return closest.flatMap((inner) => explain(inner, input, path, schema));
  const ways = issue.errors.flatMap((branch) => branch.filter(isWrongShape).slice(0, 1));
  const words = new Set(ways.map((inner) => rule(inner, found).replace(/^(must be|required:) /, '')));
  const must = found === undefined ? 'required:' : 'must be';
  return [{ path: pathOf(path), found, allowed: `${must} ${[...words].join(', or ')}` }];
}

/** The branch expects another kind of value altogether: it is not the one that was meant. */
function isWrongShape(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function unknownField(
  key: string,
  path: readonly PropertyKey[],
  found: unknown,
  schema?: z.ZodType,
): Problem {
  const known = schema === undefined ? [] : knownFields(schema, path);
  const meant = nearest(key, known);
  const hint = meant === null ? '' : `; did you mean ${show(meant)}?`;
  const list = known.length === 0 ? '' : `; known fields: ${known.join(', ')}`;
  return {
    path: pathOf([...path, key]),
    found: bounded(valueAt(found, [key])),
    allowed: `there is no such field${hint}${list}`,
  };
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? show(values[0]) : `one of ${values.map(show).join(', ')}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Values go into answers and logs: a megabyte of somebody's input does not. */
function bounded(found: unknown): unknown {
  if (found === undefined || found === null || typeof found === 'number' || typeof found === 'boolean') {
    return typeof found === 'number' && !Number.isFinite(found) ? String(found) : found;
  }
  const text = typeof found === 'string' ? found : safeJson(found);
  if (text.length <= FOUND_LIMIT) return found;
  return `${text.slice(0, FOUND_LIMIT - 1)}…`;
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // Nested too deep, or in a circle: String() would fail of the same.
    return typeof value === 'bigint' ? String(value) : '"something that cannot be shown"';
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return safeJson(value);
}

/** `a.b[2].c` would need quoting rules; `a.b.2.c` does not. */
function pathOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

function joinPath(prefix: string, path: string): string {
  if (prefix === '' || path === '') return prefix + path;
  return `${prefix}.${path}`;
}

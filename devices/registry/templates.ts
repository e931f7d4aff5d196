import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { projectRoot } from '../../backbone/project-root.ts';
import { parse } from '../../backbone/validation.ts';
import { Device, QianliyanError } from '../../contracts/index.ts';
import { deviceProblems } from './device-rules.ts';

/**
 * A model of device: what a thousand equal devices have in common. `{id}` in its name stands for the device's id.
 * What each device has of its own is not in it.
 */
export const Template = Device.omit({ id: true, site: true, location: true, addresses: true });
export type Template = z.output<typeof Template>;

/** By name: the file name without `.yaml`, or the name that people gave theirs. */
export type Templates = ReadonlyMap<string, Template>;

const FOLDER = join(projectRoot, 'devices', 'templates');

/** Reads the templates that come with the product. Throws when one of them is not valid. */
export function loadTemplates(folder: string = FOLDER): Templates {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort();
  return new Map(
    files.map((file) => [
      file.slice(0, -'.yaml'.length),
      checkTemplate(parseYaml(readFileSync(join(folder, file), 'utf8'))),
    ]),
  );
}

/** @throws QianliyanError REQUEST_INVALID with every problem, rules between fields too */
export function checkTemplate(input: unknown): Template {
  const template = parse(Template, input);
  const example = {
    ...template,
    id: 'template',
    site: 'template',
    location: [0, 0],
    addresses: [],
  } as Device;
  const problems = deviceProblems(example, '').map((p) => ({ ...p, path: p.path.replace(/^\./, '') }));
  if (problems.length === 0) return template;
  throw new QianliyanError('REQUEST_INVALID', 'the template contradicts itself', { problems });
}

/** A row of a list over its template: the row wins, attributes are merged. */
export function overTemplate(template: Template, row: Record<string, unknown>): Record<string, unknown> {
  const id = String(row.id ?? '');
  const attributes = isObject(row.attributes)
    ? { ...template.attributes, ...row.attributes }
    : row.attributes;
  return { ...template, name: nameFor(template, id), ...row, attributes: attributes ?? template.attributes };
}

function nameFor({ name }: Template, id: string): Template['name'] {
  return { zh: name.zh.replaceAll('{id}', id), en: name.en.replaceAll('{id}', id) };
}

/**
 * A device after its template has changed: what it had as the old template had it follows the new one, what was set at the
 * device itself stays.
 */
export function followTemplate(device: Device, before: Template, after: Template): Device {
  const [old, now] = [before, after].map((t) => ({ ...t, name: nameFor(t, device.id) }));
  const followed: Record<string, unknown> = { ...device };
  for (const field of Object.keys(Template.shape) as (keyof Template)[]) {
    if (isDeepStrictEqual(device[field], old?.[field])) followed[field] = now?.[field];
  }
  followed.attributes = followAttributes(device.attributes, before.attributes, after.attributes);
  return followed as Device;
}

function followAttributes(
  own: Device['attributes'],
  before: Device['attributes'],
  after: Device['attributes'],
): Device['attributes'] {
  const names = new Set([...Object.keys(own), ...Object.keys(after)]);
  const followed = [...names].map(
    (name) => [name, own[name] === before[name] ? after[name] : own[name]] as const,
  );
  return Object.fromEntries(followed.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

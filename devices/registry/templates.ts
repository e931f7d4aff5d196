import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { projectRoot } from '../../backbone/project-root.ts';
import { BiText, Device } from '../../contracts/index.ts';

/** A model of device: what a thousand equal devices have in common. `{id}` in its name stands for the device's id. */
const Template = Device.omit({ id: true, site: true, location: true }).extend({
  name: BiText,
});
export type Template = z.output<typeof Template>;

/** By name: the file name without `.yaml`. */
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
      Template.parse(parse(readFileSync(join(folder, file), 'utf8'))),
    ]),
  );
}

/** A row of a list over its template: the row wins, attributes are merged. */
export function overTemplate(template: Template, row: Record<string, unknown>): Record<string, unknown> {
  const id = String(row.id ?? '');
  const name = { zh: template.name.zh.replace('{id}', id), en: template.name.en.replace('{id}', id) };
  const attributes = isObject(row.attributes)
    ? { ...template.attributes, ...row.attributes }
    : row.attributes;
  return { ...template, name, ...row, attributes: attributes ?? template.attributes };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

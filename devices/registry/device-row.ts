import { problemsOf } from '../../backbone/validation.ts';
import { Device, type Problem } from '../../contracts/index.ts';
import { deviceProblems } from './device-rules.ts';
import { isObject, overTemplate, type Templates } from './templates.ts';

/** One row of a device list, checked: a device and perhaps its password, or all that is wrong with it. */
export type CheckedRow = ({ ok: true } & GoodRow) | { ok: false; id: string; problems: Problem[] };

export interface GoodRow {
  device: Device;
  password: string | null;
  /** The template that the row names. */
  template: string | null;
}

/**
 * Checks one row: a DeviceInput, with two more fields that are taken off: `template` (its fields hold where the row
 * says nothing) and `password`. Finds all that is wrong at once. `path` leads each problem's path, e.g. `[3]`.
 */
export function checkRow(row: unknown, templates: Templates, path: string): CheckedRow {
  if (!isObject(row)) return refused('', [{ path, found: row, allowed: 'an object with the device' }]);
  const { template: templateName, password, ...fields } = row;
  const id = String(fields.id ?? '');
  const early: Problem[] = [];
  const template = templateName == null ? undefined : templates.get(String(templateName));
  if (templateName != null && template === undefined) {
    early.push({ path: `${path}.template`, found: templateName, allowed: [...templates.keys()].join(', ') });
  }
  if (password != null && (typeof password !== 'string' || password.length < 8)) {
    early.push({ path: `${path}.password`, found: '(hidden)', allowed: 'text of at least 8 characters' });
  }
  const expanded = template === undefined ? fields : overTemplate(template, fields);
  const parsed = Device.safeParse(expanded);
  if (!parsed.success) {
    const problems = problemsOf(parsed.error, expanded, Device, path);
    // What a misspelt template would have given is not missing.
    const own = early.some((p) => p.path === `${path}.template`)
      ? problems.filter((p) => p.found !== undefined)
      : problems;
    return refused(id, [...early, ...own]);
  }
  const problems = [...early, ...deviceProblems(parsed.data, path)];
  if (problems.length > 0) return refused(id, problems);
  return {
    ok: true,
    device: parsed.data,
    password: typeof password === 'string' ? password : null,
    template: template === undefined ? null : String(templateName),
  };
}

function refused(id: string, problems: Problem[]): CheckedRow {
  return { ok: false, id, problems };
}

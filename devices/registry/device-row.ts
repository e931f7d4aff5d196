import { problemsOf } from '../../backbone/validation.ts';
import { Device, type Problem } from '../../contracts/index.ts';
import { isObject, overTemplate, type Templates } from './templates.ts';
import { usccFault } from './uscc.ts';

/** One row of a device list, checked: a device and perhaps its password, or all that is wrong with it. */
export type CheckedRow =
  | { ok: true; device: Device; password: string | null }
  | { ok: false; id: string; problems: Problem[] };

/**
 * Checks one row: a DeviceInput, with two more fields that are taken off: `template` (its fields hold where the row
 * says nothing) and `password`. Finds all that is wrong at once. `path` leads each problem's path, e.g. `[3]`.
 */
export function checkRow(row: unknown, templates: Templates, path: string): CheckedRow {
  if (!isObject(row)) return refused('', [{ path, found: row, allowed: 'an object with the device' }]);
  const { template: templateName, password, ...fields } = row;
  const id = String(fields.id ?? '');
  const early: Problem[] = [];
  const template = templateName === undefined ? undefined : templates.get(String(templateName));
  if (templateName !== undefined && template === undefined) {
    early.push({ path: `${path}.template`, found: templateName, allowed: [...templates.keys()].join(', ') });
  }
  if (password !== undefined && (typeof password !== 'string' || password.length < 8)) {
    early.push({ path: `${path}.password`, found: '(hidden)', allowed: 'text of at least 8 characters' });
  }
  const expanded = template === undefined ? fields : overTemplate(template, fields);
  const parsed = Device.safeParse(expanded);
  if (!parsed.success) return refused(id, [...early, ...problemsOf(parsed.error, expanded, Device, path)]);
  const problems = [...early, ...deviceProblems(parsed.data, path)];
  if (problems.length > 0) return refused(id, problems);
  return { ok: true, device: parsed.data, password: typeof password === 'string' ? password : null };
}

function refused(id: string, problems: Problem[]): CheckedRow {
  return { ok: false, id, problems };
}

/** What a schema cannot say: rules that join several fields. */
function deviceProblems(device: Device, path: string): Problem[] {
  const problems: Problem[] = [];
  const uscc = device.regulatedParty?.uscc;
  const fault = uscc === undefined ? null : usccFault(uscc);
  if (fault !== null) problems.push({ path: `${path}.regulatedParty.uscc`, found: uscc, allowed: fault });
  const seen = new Set<string>();
  for (const [i, stream] of device.datastreams.entries()) {
    const at = `${path}.datastreams.${i}`;
    const key = `${stream.property}@${stream.statistic}`;
    if (seen.has(key)) problems.push({ path: at, found: key, allowed: 'each property and statistic once' });
    seen.add(key);
    if (stream.property.includes('@')) {
      // `@` parts property and statistic in a datastream id.
      problems.push({ path: `${at}.property`, found: stream.property, allowed: 'a name without @' });
    }
    if (stream.range[0] > stream.range[1]) {
      problems.push({ path: `${at}.range`, found: stream.range, allowed: '[min, max] with min ≤ max' });
    }
  }
  return problems;
}

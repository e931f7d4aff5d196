import { isDeepStrictEqual } from 'node:util';
import { isObject } from './templates.ts';

/** One field that differs between two versions. */
export interface Change {
  /** Dotted path. */
  path: string;
  /** Undefined: it was not there. */
  before?: unknown;
  after?: unknown;
}

/** What differs, field by field; lists of another length are told whole. Versions come out of the same schema. */
export function changesBetween(before: unknown, after: unknown, path = ''): Change[] {
  if (isDeepStrictEqual(before, after)) return [];
  const into = (key: string | number) => (path === '' ? String(key) : `${path}.${key}`);
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => changesBetween(before[key], after[key], into(key)));
  }
  if (
    Array.isArray(before) &&
    Array.isArray(after) &&
    before.length === after.length &&
    before.every(isObject)
  ) {
    return before.flatMap((item, i) => changesBetween(item, after[i], into(i)));
  }
  return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

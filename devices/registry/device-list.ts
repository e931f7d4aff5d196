import { parse as parseYaml } from 'yaml';
import { QianliyanError } from '../../contracts/index.ts';
import { parseCsv } from './csv.ts';
import { isObject } from './templates.ts';

export type ListFormat = 'yaml' | 'json' | 'csv';

/** The format that a file's name or a media type tells; YAML when neither does, because JSON is YAML too. */
export function listFormat(nameOrType: string): ListFormat {
  if (/csv/i.test(nameOrType)) return 'csv';
  if (/json/i.test(nameOrType)) return 'json';
  return 'yaml';
}

/**
 * Reads a device list: an array of rows, or an object whose `devices` is one. Only the text is read here; each row is
 * checked by `checkRow`. Throws REQUEST_INVALID when the text is no list at all.
 */
export function readDeviceList(text: string, format: ListFormat): unknown[] {
  const read = format === 'csv' ? parseCsv(text).map(rowFromCsv) : readText(text, format);
  const list = isObject(read) ? read.devices : read;
  if (Array.isArray(list)) return list;
  throw new QianliyanError('REQUEST_INVALID', 'a device list is an array of devices', {
    problems: [{ path: '', found: typeof list, allowed: 'an array, or an object with `devices: [...]`' }],
  });
}

function readText(text: string, format: 'yaml' | 'json'): unknown {
  try {
    // Aliases off: a "billion laughs" list must not fill the memory.
    return format === 'json' ? JSON.parse(text) : parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new QianliyanError('REQUEST_INVALID', `the list is not ${format.toUpperCase()}: ${reason}`, {
      cause,
    });
  }
}

/**
 * CSV columns: id, template, site, lon, lat; name_zh, name_en, model, kind, password; party, uscc; any `attr_<name>`
 * becomes an attribute. What a table cannot hold (datastreams, zones) comes from the template.
 */
function rowFromCsv(cells: Record<string, string>): Record<string, unknown> {
  const { lon, lat, name_zh, name_en, party, uscc, ...rest } = cells;
  const row: Record<string, unknown> = {};
  const attributes: Record<string, string> = {};
  for (const [column, cell] of Object.entries(rest)) {
    if (column.startsWith('attr_')) attributes[column.slice('attr_'.length)] = cell;
    else row[column] = cell;
  }
  if (lon !== undefined || lat !== undefined) row.location = [toNumber(lon), toNumber(lat)];
  if (name_zh !== undefined || name_en !== undefined) {
    row.name = { zh: name_zh ?? name_en, en: name_en ?? name_zh };
  }
  if (party !== undefined) row.regulatedParty = uscc === undefined ? { name: party } : { name: party, uscc };
  if (Object.keys(attributes).length > 0) row.attributes = attributes;
  return row;
}

/** Number('') is 0: a missing coordinate must not become the equator. */
function toNumber(cell: string | undefined): number {
  return cell === undefined ? Number.NaN : Number(cell);
}

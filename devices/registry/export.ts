import { stringify } from 'yaml';
import type { ListFormat } from './device-list.ts';
import { tableOf } from './device-table.ts';
import type { Registry } from './registry.ts';

export const EXPORT_TYPES: Readonly<Record<ListFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  yaml: 'application/yaml; charset=utf-8',
};

/** Tells spreadsheets that the file is UTF-8; without it Chinese names come out garbled in Excel. */
const BYTE_ORDER_MARK = '\uFEFF';
/** Quoted and unfolded: block scalars lose blanks at the ends of lines. */
const YAML_STYLE = { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 } as const;
const PIECE_CHARACTERS = 65_536;

/**
 * All devices as they are, in the order of their ids, as text piece by piece. Importing it again changes nothing. Templates
 * are written out: the list stands by itself. Passwords, certificates and secrets are not in it.
 */
export function* exportDevices(registry: Pick<Registry, 'sorted'>, format: ListFormat): Generator<string> {
  let piece = '';
  for (const line of linesOf(registry, format)) {
    piece += line;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function* linesOf(registry: Pick<Registry, 'sorted'>, format: ListFormat): Generator<string> {
  if (format === 'csv') {
    yield BYTE_ORDER_MARK;
    yield* tableOf([...registry.sorted('')]);
    return;
  }
  let first = true;
  if (format === 'json') yield '[';
  for (const { version: _version, since: _since, ...device } of registry.sorted('')) {
    yield format === 'json'
      ? `${first ? '\n' : ',\n'}${JSON.stringify(device)}`
      : stringify([device], YAML_STYLE);
    first = false;
  }
  if (format === 'json') yield '\n]\n';
  else if (first) yield '[]\n';
}

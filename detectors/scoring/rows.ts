import { readFile } from 'node:fs/promises';
import { QianliyanError } from '../../contracts/index.ts';

/**
 * Reads a CSV of a time series: a head line with at least `timestamp` and `value`, then one row a line.
 *
 * Promises: keeps the original texts (they are written out again with the scores); names file and line of the first
 * thing that it cannot read. Does not promise: quoted fields; numbers and stamps need none.
 */
export interface Rows {
  /** Epoch ms; a stamp without a zone is read as UTC. Scoring needs only differences and the time of day. */
  times: Float64Array;
  /** NaN where the cell is empty or no number: such a row is neither judged nor learnt. */
  values: Float64Array;
  stampTexts: string[];
  valueTexts: string[];
  /** Texts of the asked-for extra column; empty when it was not asked for. */
  labelTexts: string[];
}

export async function readRows(file: string, labelColumn?: string): Promise<Rows> {
  const lines = (await readText(file)).split(/\r?\n/);
  const head = (lines[0] ?? '').replace(/^\uFEFF/, '').split(',');
  const stampAt = columnOf(head, 'timestamp', file);
  const valueAt = columnOf(head, 'value', file);
  const labelAt = labelColumn === undefined ? -1 : columnOf(head, labelColumn, file);
  const rows = emptyRows(lines.length);
  let n = 0;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (line === '') continue;
    const cells = line.split(',');
    const stamp = (cells[stampAt] ?? '').trim();
    const text = (cells[valueAt] ?? '').trim();
    rows.times[n] = stampTime(stamp, file, i + 1);
    rows.values[n] = text === '' ? Number.NaN : Number(text);
    rows.stampTexts.push(stamp);
    rows.valueTexts.push(text);
    if (labelAt >= 0) rows.labelTexts.push((cells[labelAt] ?? '').trim());
    n++;
  }
  return { ...rows, times: rows.times.subarray(0, n), values: rows.values.subarray(0, n) };
}

/** Whether the file's head line names the column. */
export async function hasColumn(file: string, column: string): Promise<boolean> {
  const [head = ''] = (await readText(file)).split(/\r?\n/, 1);
  return head
    .replace(/^\uFEFF/, '')
    .split(',')
    .includes(column);
}

/**
 * A stamp as text that compares across ways of writing: blank for `T`, six digits of fraction. NAB writes the same
 * moment as `2014-04-10 07:15:00` in its data and with `.000000` in its labels.
 */
export function comparableStamp(stamp: string): string {
  const text = stamp.trim().replace('T', ' ');
  const dot = text.indexOf('.');
  return dot < 0 ? `${text}.000000` : `${text.slice(0, dot)}.${text.slice(dot + 1).padEnd(6, '0')}`;
}

function emptyRows(capacity: number): Rows {
  return {
    times: new Float64Array(capacity),
    values: new Float64Array(capacity),
    stampTexts: [],
    valueTexts: [],
    labelTexts: [],
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new QianliyanError('USAGE', `${file} cannot be read`, { cause });
  }
}

function columnOf(head: readonly string[], name: string, file: string): number {
  const at = head.indexOf(name);
  if (at < 0) throw new QianliyanError('USAGE', `${file} has no column "${name}": ${head.join(', ')}`);
  return at;
}

function stampTime(stamp: string, file: string, line: number): number {
  const iso = stamp.replace(' ', 'T');
  const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  if (Number.isFinite(time)) return time;
  const epoch = Number(stamp);
  if (stamp !== '' && Number.isFinite(epoch)) return epoch < 1e11 ? epoch * 1000 : epoch;
  throw new QianliyanError('USAGE', `${file}:${line} has no readable timestamp: "${stamp}"`);
}
